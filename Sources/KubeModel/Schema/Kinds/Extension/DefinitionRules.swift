/// What must hold for a CustomResourceDefinition.
///
/// Source of the words: apiextensions-apiserver, `ValidateCustomResourceDefinition`.
enum DefinitionRules {
    static func check(_ object: KubeObject, into errors: inout [FieldError]) {
        let spec = object.value["spec"] ?? [:]
        let plural = spec[["names", "plural"]]?.string ?? ""
        let group = spec["group"]?.string ?? ""
        if object.name != "\(plural).\(group)" {
            errors.append(
                .invalid(
                    FieldPath("metadata", "name"), .string(object.name),
                    "must be spec.names.plural+\".\"+spec.group"))
        }
        let path = FieldPath("spec")
        checkGroup(group, path.child("group"), &errors)
        switch spec["scope"]?.string ?? "" {
        case "": errors.append(.required(path.child("scope")))
        case "Cluster", "Namespaced": break
        default:
            errors.append(.notSupported(path.child("scope"), spec["scope"], ["Cluster", "Namespaced"]))
        }
        checkVersions(spec, path, &errors)
        for name in ["plural", "singular", "kind", "listKind"] where (spec[["names", name]]?.string ?? "").isEmpty {
            errors.append(.required(path.child("names", name)))
        }
        checkNames(spec["names"] ?? [:], path.child("names"), &errors)
        checkConversion(spec["conversion"], path.child("conversion"), &errors)
        checkStatus(object, spec, &errors)
        checkApproval(object, group, &errors)
        if spec["preserveUnknownFields"] == true {
            errors.append(
                .invalid(
                    path.child("preserveUnknownFields"), true,
                    "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
                        + "spec.versions[*].schema instead"))
        }
    }

    private static func checkGroup(_ group: String, _ path: FieldPath, _ errors: inout [FieldError]) {
        let complaints = NameSyntax.dnsSubdomain(group)
        if group.isEmpty {
            errors.append(.required(path))
        } else if !complaints.isEmpty {
            errors.append(.invalid(path, .string(group), complaints.joined(separator: ",")))
        } else if !group.contains(".") {
            errors.append(.invalid(path, .string(group), "should be a domain with at least one dot"))
        }
    }

    private static func label(_ name: JSONValue?, _ path: FieldPath, _ prefix: String = "") -> FieldError? {
        guard let text = name?.string, !text.isEmpty else { return nil }
        let complaints = NameSyntax.dns1035Label(prefix.isEmpty ? text : text.lowercased())
        return complaints.isEmpty ? nil : .invalid(path, name, prefix + complaints.joined(separator: ","))
    }

    private static func checkNames(_ names: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        for name in ["plural", "singular"] {
            if let error = label(names[name], path.child(name)) { errors.append(error) }
        }
        for name in ["kind", "listKind"] {
            let prefix = "may have mixed case, but should otherwise match: "
            if let error = label(names[name], path.child(name), prefix) { errors.append(error) }
        }
        for (index, name) in (names["shortNames"]?.array ?? []).enumerated() {
            if let error = label(name, path.child("shortNames")[index]) { errors.append(error) }
        }
        if let kind = names["kind"]?.string, !kind.isEmpty, names["listKind"]?.string == kind {
            errors.append(
                .invalid(path.child("listKind"), names["listKind"], "kind and listKind may not be the same"))
        }
        for (index, name) in (names["categories"]?.array ?? []).enumerated() {
            if let error = label(name, path.child("categories")[index]) { errors.append(error) }
        }
    }

    // MARK: Versions

    private static func checkVersions(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let versions = spec["versions"]?.array ?? []
        let path = path.child("versions")
        for (index, version) in versions.enumerated() where version[["schema", "openAPIV3Schema"]] == nil {
            errors.append(.required(path[index].child("schema", "openAPIV3Schema")))
        }
        var seen: Set<String> = []
        var isUnique = true
        for (index, version) in versions.enumerated() {
            let name = version["name"]?.string ?? ""
            if !seen.insert(name).inserted { isUnique = false }
            let complaints = NameSyntax.dns1035Label(name)
            if !complaints.isEmpty {
                errors.append(.invalid(path[index].child("name"), .string(name), complaints.joined(separator: ",")))
            }
            checkVersion(version, path[index], &errors)
        }
        if !isUnique { errors.append(.invalid(path, .array(versions), "must contain unique version names")) }
        if versions.count(where: { $0["storage"] == true }) != 1 {
            errors.append(
                .invalid(path, .array(versions), "must have exactly one version marked as storage version"))
        }
    }

    private static func checkVersion(_ version: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        if let warning = version["deprecationWarning"]?.string {
            let path = path.child("deprecationWarning")
            if version["deprecated"] != true {
                errors.append(.invalid(path, .string(warning), "can only be set for deprecated versions"))
            } else if warning.utf8.count > 256 {
                errors.append(.invalid(path, .string(warning), "must be <= 256 characters long"))
            } else if warning.isEmpty {
                errors.append(.invalid(path, "", "must not be an empty string"))
            }
        }
        if let schema = version[["schema", "openAPIV3Schema"]] {
            let path = path.child("schema", "openAPIV3Schema")
            if version[["subresources", "status"]] != nil, let type = schema["type"]?.string, type != "object" {
                errors.append(
                    .invalid(
                        path.child("type"), .string(type),
                        "only \"object\" is allowed as the type at the root of the schema if the status subresource "
                            + "is enabled"))
            }
            if schema["nullable"] == true {
                errors.append(.forbidden(path.child("nullable"), "nullable cannot be true at the root"))
            }
            var found = StructuralRules.check(schema, path)
            if found.isEmpty { found = DefaultRules.check(schema, path) }
            found += SchemaRules.check(schema, path)
            // Expressions are only worth a look when the schema they speak of makes sense.
            errors += found.isEmpty ? RuleAudit.check(JSONSchema(schema), path) : found
        }
        checkScale(version[["subresources", "scale"]], path.child("subresources"), &errors)
        for (index, column) in (version["additionalPrinterColumns"]?.array ?? []).enumerated() {
            checkColumn(column, path.child("additionalPrinterColumns")[index], &errors)
        }
    }

    private static func isSimplePath(_ text: String, _ path: FieldPath, _ errors: inout [FieldError]) -> Bool {
        guard !text.hasPrefix(".") else { return true }
        errors.append(.invalid(path, .string(text), "must be a simple json path starting with ."))
        return false
    }

    private static func checkScale(_ scale: JSONValue?, _ path: FieldPath, _ errors: inout [FieldError]) {
        guard let scale else { return }
        for (name, place) in [("specReplicasPath", ".spec"), ("statusReplicasPath", ".status")] {
            let path = path.child("scale", name)
            let text = scale[name]?.string ?? ""
            if text.isEmpty {
                errors.append(.required(path))
            } else if isSimplePath(text, path, &errors), !text.hasPrefix("\(place).") {
                errors.append(.invalid(path, .string(text), "should be a json path under \(place)"))
            }
        }
        guard let text = scale["labelSelectorPath"]?.string, !text.isEmpty else { return }
        let selector = path.child("scale", "labelSelectorPath")
        if isSimplePath(text, selector, &errors), !text.hasPrefix(".spec."), !text.hasPrefix(".status.") {
            errors.append(.invalid(selector, .string(text), "should be a json path under either .spec or .status"))
        }
    }

    private static func checkColumn(_ column: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        if (column["name"]?.string ?? "").isEmpty { errors.append(.required(path.child("name"))) }
        let types = "must be one of boolean,date,integer,number,string"
        switch column["type"]?.string ?? "" {
        case "": errors.append(.required(path.child("type"), types))
        case "integer", "number", "string", "boolean", "date": break
        default: errors.append(.invalid(path.child("type"), column["type"], types))
        }
        let formats = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"]
        if let format = column["format"]?.string, !format.isEmpty, !formats.contains(format) {
            errors.append(
                .invalid(
                    path.child("format"), .string(format), "must be one of \(formats.joined(separator: ","))"))
        }
        let text = column["jsonPath"]?.string ?? ""
        if text.isEmpty {
            errors.append(.required(path.child("JSONPath")))
        } else {
            _ = isSimplePath(text, path.child("JSONPath"), &errors)
        }
    }

    // MARK: The rest

    private static func checkConversion(_ conversion: JSONValue?, _ path: FieldPath, _ errors: inout [FieldError]) {
        guard let conversion else { return }
        switch conversion["strategy"]?.string ?? "" {
        case "": errors.append(.required(path.child("strategy")))
        case "None":
            for (member, shown) in [
                ("clientConfig", "webhookClientConfig"), ("conversionReviewVersions", "conversionReviewVersions"),
            ] where conversion[["webhook", member]] != nil {
                errors.append(
                    .forbidden(path.child(shown), "should not be set when strategy is not set to Webhook"))
            }
        case "Webhook": checkConversion(webhook: conversion["webhook"] ?? [:], path, &errors)
        default: errors.append(.notSupported(path.child("strategy"), conversion["strategy"], ["None", "Webhook"]))
        }
    }

    private static func checkConversion(webhook: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let client = path.child("webhookClientConfig")
        if let config = webhook["clientConfig"] {
            WebhookRules.checkClient(config, client, &errors)
        } else {
            errors.append(.required(client, "required when strategy is set to Webhook"))
        }
        let place = path.child("conversionReviewVersions")
        let versions = webhook.texts("conversionReviewVersions")
        guard !versions.isEmpty else { return errors.append(.required(place)) }
        var seen: Set<String> = []
        for (index, version) in versions.enumerated() {
            if !seen.insert(version).inserted {
                errors.append(.invalid(place[index], .string(version), "duplicate version"))
            }
        }
        let known = ConversionWebhook.versions
        if seen.isDisjoint(with: known) {
            errors.append(
                .invalid(
                    place, webhook["conversionReviewVersions"] ?? [],
                    "must include at least one of \(known.joined(separator: ", "))"))
        }
    }

    private static func checkStatus(_ object: KubeObject, _ spec: JSONValue, _ errors: inout [FieldError]) {
        let status = object.value["status"] ?? [:]
        checkNames(status["acceptedNames"] ?? [:], FieldPath("status", "acceptedNames"), &errors)
        let path = FieldPath("status", "storedVersions")
        let stored = (status["storedVersions"]?.array ?? []).compactMap(\.string)
        guard !stored.isEmpty else {
            errors.append(.invalid(path, .array([]), "must have at least one stored version"))
            return
        }
        let versions = spec["versions"]?.array ?? []
        for version in versions where version["storage"] == true && !stored.contains(version["name"]?.string ?? "") {
            errors.append(
                .invalid(
                    path, status["storedVersions"],
                    "must have the storage version \(version["name"]?.string ?? "")"))
        }
        for (index, name) in stored.enumerated() where !versions.contains(where: { $0["name"]?.string == name }) {
            errors.append(
                .invalid(
                    path[index], .string(name),
                    "missing from spec.versions; \(name) was previously a storage version, and must remain in "
                        + "spec.versions until a storage migration ensures no data remains persisted in \(name) and "
                        + "removes \(name) from status.storedVersions"))
        }
    }

    private static func checkApproval(_ object: KubeObject, _ group: String, _ errors: inout [FieldError]) {
        guard
            group == "k8s.io" || group == "kubernetes.io" || group.hasSuffix(".k8s.io")
                || group.hasSuffix(".kubernetes.io")
        else { return }
        let name = "api-approved.kubernetes.io"
        let path = FieldPath("metadata", "annotations")[name]
        let see = "see https://github.com/kubernetes/enhancements/pull/1111"
        let text = object.annotations[name] ?? ""
        if text.isEmpty {
            errors.append(
                .required(path, "protected groups must have approval annotation \"\(name)\", \(see)"))
        } else if !text.hasPrefix("unapproved"), TextFormat.check("uri", text) != true || !text.contains("://") {
            errors.append(
                .invalid(
                    path, .string(text),
                    "protected groups must have approval annotation \"\(name)\" with either a URL or a reason "
                        + "starting with \"unapproved\", \(see)"))
        }
    }

    static func checkUpdate(_ object: KubeObject, old: KubeObject, into errors: inout [FieldError]) {
        let isEstablished = CustomResourceDefinition(old).isTrue("Established")
        let fixed: [[String]] =
            (isEstablished ? [["scope"], ["names", "kind"]] : []) + [["group"], ["names", "plural"]]
        for steps in fixed {
            let value = object.value[["spec"] + steps]
            guard value != old.value[["spec"] + steps] else { continue }
            errors.append(
                .invalid(steps.reduce(FieldPath("spec")) { $0.child($1) }, value, "field is immutable"))
        }
    }

    /// What this server does not know although the definition asks for it.
    static func warnings(_ object: KubeObject) -> [String] {
        var warnings: [String] = []
        for version in CustomResourceDefinition(object).versions {
            let schema = JSONSchema(version[["schema", "openAPIV3Schema"]] ?? [:])
            for format in schema.formats.subtracting(TextFormat.known).sorted() {
                warnings.append("unrecognized format \"\(format)\"")
            }
        }
        return warnings
    }
}

extension JSONSchema {
    /// All formats that the schema names.
    fileprivate var formats: Set<String> {
        var found: Set<String> = format.isEmpty ? [] : [format]
        for (_, schema) in properties { found.formUnion(schema.formats) }
        if let items { found.formUnion(items.formats) }
        if case .each(let schema) = rest { found.formUnion(schema.formats) }
        return found
    }
}

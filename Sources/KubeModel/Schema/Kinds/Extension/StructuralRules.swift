/// What makes a schema structural: every field and its type are said once, outside of `allOf`, `anyOf`, `oneOf`, `not`.
///
/// Source of the words: apiextensions-apiserver, `ValidateStructural`.
enum StructuralRules {
    private enum Level { case root, item, field }

    static func check(_ schema: JSONValue, _ path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        invariants(schema, .root, path, &errors)
        completeness(schema, of: schema, path, path, &errors)
        return errors.sorted { $0.description < $1.description }
    }

    private static func invariants(
        _ schema: JSONValue, _ level: Level, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        let type = schema["type"]?.string ?? ""
        let isEmbedded = schema["x-kubernetes-embedded-resource"] == true
        let keepsUnknown = schema["x-kubernetes-preserve-unknown-fields"] == true
        let isIntOrString = schema["x-kubernetes-int-or-string"] == true
        if type == "array", schema["items"] == nil {
            errors.append(.required(path.child("items"), "must be specified"))
        }
        if let items = schema["items"] { invariants(items, .item, path.child("items"), &errors) }
        for (name, property) in schema["properties"]?.object ?? [:] {
            invariants(property, .field, path.child("properties")[name], &errors)
        }
        if let rest = schema["additionalProperties"] {
            let path = path.child("additionalProperties")
            if level == .root { errors.append(.forbidden(path, "must not be used at the root")) }
            if rest.object != nil { invariants(rest, .field, path, &errors) }
        }
        if isIntOrString, keepsUnknown {
            errors.append(
                .invalid(
                    path.child("x-kubernetes-preserve-unknown-fields"), true,
                    "must be false if x-kubernetes-int-or-string is true"))
        }
        if isIntOrString, isEmbedded {
            errors.append(
                .invalid(
                    path.child("x-kubernetes-embedded-resource"), true,
                    "must be false if x-kubernetes-int-or-string is true"))
        }
        junctors(schema, path, &errors)
        if isEmbedded, type != "object" {
            let words = "must be object if x-kubernetes-embedded-resource is true"
            errors.append(
                type.isEmpty
                    ? .required(path.child("type"), words) : .invalid(path.child("type"), .string(type), words))
        } else if type.isEmpty, !isIntOrString, !keepsUnknown {
            let words =
                switch level {
                case .root: "must not be empty at the root"
                case .item: "must not be empty for specified array items"
                case .field: "must not be empty for specified object fields"
                }
            errors.append(.required(path.child("type"), words))
        }
        if level == .root, !type.isEmpty, type != "object" {
            errors.append(.invalid(path.child("type"), .string(type), "must be object at the root"))
        }
        if isEmbedded, schema["additionalProperties"] != nil {
            errors.append(
                .forbidden(
                    path.child("additionalProperties"), "must not be used if x-kubernetes-embedded-resource is set"))
        }
        if level == .root || isEmbedded { envelope(schema, level, path.child("properties"), &errors) }
        if isEmbedded, !keepsUnknown, JSONValue.isEmpty(schema["properties"]) {
            errors.append(
                .required(
                    path.child("properties"),
                    "must not be empty if x-kubernetes-embedded-resource is true without "
                        + "x-kubernetes-preserve-unknown-fields"))
        }
    }

    /// Type and metadata are known already: a schema may only restrict the name.
    private static func envelope(
        _ schema: JSONValue, _ level: Level, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        for name in ["kind", "apiVersion"] {
            guard let property = schema[["properties", name]], property["type"] != "string" else { continue }
            errors.append(.invalid(path[name].child("type"), property["type"] ?? "", "must be string"))
        }
        guard let metadata = schema[["properties", "metadata"]] else { return }
        let path = path["metadata"]
        if metadata["type"] != "object" {
            errors.append(.invalid(path.child("type"), metadata["type"] ?? "", "must be object"))
        }
        guard level == .root else { return }
        let members = Set(metadata["properties"]?.object?.keys ?? [])
        let others = Set(metadata.object?.keys ?? []).subtracting(["type", "properties", "default"])
        if !members.isSubset(of: ["name", "generateName"]) || !others.isEmpty {
            errors.append(
                .forbidden(
                    path,
                    "must not specify anything other than name and generateName, but metadata is implicitly "
                        + "specified"))
        }
    }

    // MARK: allOf, anyOf, oneOf, not

    private static let intOrString: JSONValue = [["type": "integer"], ["type": "string"]]

    private static func junctors(
        _ schema: JSONValue, _ path: FieldPath, _ errors: inout [FieldError], isNested: Bool = false,
        skipsAnyOf: Bool = false
    ) {
        let isIntOrString = schema["x-kubernetes-int-or-string"] == true
        let skipsAnyOf = skipsAnyOf || isIntOrString && schema["anyOf"] == intOrString
        for name in ["anyOf", "allOf", "oneOf"] where !(name == "anyOf" && skipsAnyOf) {
            for (index, part) in (schema[name]?.array ?? []).enumerated() {
                let skips = isIntOrString && name == "allOf" && index == 0 && part["anyOf"] == intOrString
                nested(part, path.child(name)[index], &errors, skipsAnyOf: skips)
            }
        }
        if let not = schema["not"] { nested(not, path.child("not"), &errors) }
        if let pattern = schema["pattern"]?.string, !pattern.isEmpty, !Pattern(pattern).isValid {
            errors.append(
                .invalid(
                    path.child("pattern"), .string(pattern),
                    "must be a valid regular expression, but isn't: error parsing regexp: `\(pattern)`"))
        }
    }

    private static let empty = [
        ("type", "must be empty to be structural"), ("default", "must be undefined to be structural"),
        ("title", "must be empty to be structural"), ("description", "must be empty to be structural"),
        ("x-kubernetes-list-map-keys", "must be empty to be structural"),
        ("x-kubernetes-list-type", "must be undefined to be structural"),
        ("x-kubernetes-map-type", "must be undefined to be structural"),
        ("x-kubernetes-validations", "must be empty to be structural"),
        ("additionalProperties", "must be undefined to be structural"),
    ]

    private static func nested(
        _ schema: JSONValue, _ path: FieldPath, _ errors: inout [FieldError], skipsAnyOf: Bool = false
    ) {
        junctors(schema, path, &errors, isNested: true, skipsAnyOf: skipsAnyOf)
        if let items = schema["items"] { nested(items, path.child("items"), &errors) }
        for (name, property) in schema["properties"]?.object ?? [:] {
            nested(property, path.child("properties")[name], &errors)
        }
        for (name, words) in empty where !JSONValue.isEmpty(schema[name]) {
            errors.append(.forbidden(path.child(name), words))
        }
        let flags = [
            "nullable", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource",
            "x-kubernetes-int-or-string",
        ]
        for name in flags where schema[name] == true {
            errors.append(.forbidden(path.child(name), "must be false to be structural"))
        }
        if schema[["properties", "metadata"]] != nil {
            errors.append(
                .forbidden(path.child("properties")["metadata"], "must not be specified in a nested context"))
        }
    }

    /// What a junctor names must be declared outside of it too.
    private static func completeness(
        _ part: JSONValue, of schema: JSONValue?, _ place: FieldPath, _ path: FieldPath, _ errors: inout [FieldError],
        isNested: Bool = false
    ) {
        guard let schema else {
            errors.append(.required(place, "because it is defined in \(path)"))
            return
        }
        if let not = part["not"] {
            completeness(not, of: schema, place, path.child("not"), &errors, isNested: true)
        }
        for name in ["allOf", "anyOf", "oneOf"] {
            for (index, part) in (part[name]?.array ?? []).enumerated() {
                completeness(part, of: schema, place, path.child(name)[index], &errors, isNested: true)
            }
        }
        guard isNested else { return }
        if let items = part["items"] {
            completeness(
                items, of: schema["items"], place.child("items"), path.child("items"), &errors, isNested: true)
        }
        for (name, property) in part["properties"]?.object ?? [:] {
            completeness(
                property, of: schema[["properties", name]], place.child("properties")[name],
                path.child("properties")[name], &errors, isNested: true)
        }
    }
}

/// What must hold for the defaults of a schema.
enum DefaultRules {
    static func check(_ schema: JSONValue, _ path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        walk(schema, path, isRoot: true, &errors)
        return errors
    }

    private static func walk(_ value: JSONValue, _ path: FieldPath, isRoot: Bool, _ errors: inout [FieldError]) {
        if let constant = value["default"], !constant.isNull {
            let place = path.child("default")
            let schema = JSONSchema(value)
            var unknownFields: [String] = []
            _ = schema.prune(
                constant, at: .root, isResource: schema.isEmbeddedResource, into: &unknownFields)
            if !unknownFields.isEmpty {
                errors.append(
                    FieldError(
                        .invalid, place, shownValue: GoText.value(constant), "must not have unknown fields"))
            }
            errors += schema.check(constant).errors.map { $0.moved(below: place) }
        }
        if let items = value["items"] { walk(items, path.child("items"), isRoot: false, &errors) }
        for (name, property) in value["properties"]?.object ?? [:] {
            if isRoot, name == "metadata" { continue }
            walk(property, path.child("properties")[name], isRoot: false, &errors)
        }
    }
}

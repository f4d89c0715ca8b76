/// What must hold for every node of the schema of a custom kind.
///
/// Source of the words: apiextensions-apiserver, `ValidateCustomResourceDefinitionOpenAPISchema`.
enum SchemaRules {
    static func check(_ schema: JSONValue, _ path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        walk(schema, path, isRoot: true, noDefaults: nil, &errors)
        return errors
    }

    private static let types = ["array", "boolean", "integer", "number", "object", "string"]
    private static let unsupported = [
        "id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref",
    ]

    private static func walk(
        _ schema: JSONValue, _ path: FieldPath, isRoot: Bool, noDefaults: String?, _ errors: inout [FieldError]
    ) {
        let type = schema["type"]?.string ?? ""
        if !type.isEmpty, !types.contains(type) {
            errors.append(.notSupported(path.child("type"), .string(type), types))
        }
        if let noDefaults, schema["default"] != nil {
            errors.append(.forbidden(path.child("default"), "must not be set \(noDefaults)"))
        }
        for name in unsupported where !JSONValue.isEmpty(schema[name]) {
            errors.append(.forbidden(path.child(name), "\(name) is not supported"))
        }
        if type == "null" {
            errors.append(
                .forbidden(path.child("type"), "type cannot be set to null, use nullable as an alternative"))
        }
        if schema["items"]?.array != nil {
            errors.append(.forbidden(path.child("items"), "items must be a schema object and not an array"))
        }
        if schema["uniqueItems"] == true {
            errors.append(
                .forbidden(
                    path.child("uniqueItems"),
                    "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"))
        }
        if let rest = schema["additionalProperties"] {
            if !JSONValue.isEmpty(schema["properties"]), rest != true {
                errors.append(
                    .forbidden(
                        path.child("additionalProperties"),
                        "additionalProperties and properties are mutual exclusive"))
            }
            if rest.object != nil {
                walk(rest, path.child("additionalProperties"), isRoot: false, noDefaults: noDefaults, &errors)
            }
        }
        for (name, property) in schema["properties"]?.object ?? [:] {
            let isEnvelope = isRoot && ["metadata", "kind", "apiVersion"].contains(name)
            walk(
                property, path.child("properties")[name], isRoot: false,
                noDefaults: isEnvelope ? "in top-level \(name)" : noDefaults, &errors)
        }
        if let not = schema["not"] {
            walk(not, path.child("not"), isRoot: false, noDefaults: noDefaults, &errors)
        }
        for name in ["allOf", "oneOf", "anyOf"] {
            for (index, part) in (schema[name]?.array ?? []).enumerated() {
                walk(part, path.child(name)[index], isRoot: false, noDefaults: noDefaults, &errors)
            }
        }
        if let items = schema["items"], items.object != nil {
            walk(items, path.child("items"), isRoot: false, noDefaults: noDefaults, &errors)
        }
        if schema["x-kubernetes-preserve-unknown-fields"] == false {
            errors.append(
                .invalid(path.child("x-kubernetes-preserve-unknown-fields"), false, "must be true or undefined"))
        }
        checkMapType(schema, type, path, &errors)
        checkListType(schema, type, path, &errors)
        checkRules(schema, path, &errors)
    }

    private static func wrongType(_ type: String, _ words: String, _ path: FieldPath) -> FieldError {
        type.isEmpty ? .required(path.child("type"), words) : .invalid(path.child("type"), .string(type), words)
    }

    private static func checkMapType(
        _ schema: JSONValue, _ type: String, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        guard let mapType = schema["x-kubernetes-map-type"]?.string else { return }
        if type != "object" {
            errors.append(wrongType(type, "must be object if x-kubernetes-map-type is specified", path))
        }
        if mapType != "atomic", mapType != "granular" {
            errors.append(
                .notSupported(path.child("x-kubernetes-map-type"), .string(mapType), ["atomic", "granular"]))
        }
    }

    private static func checkListType(
        _ schema: JSONValue, _ type: String, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        let listType = schema["x-kubernetes-list-type"]?.string
        let keys = schema["x-kubernetes-list-map-keys"]?.array ?? []
        let place = path.child("x-kubernetes-list-type")
        if let listType {
            if type != "array" {
                errors.append(wrongType(type, "must be array if x-kubernetes-list-type is specified", path))
            } else if listType == "set" {
                checkSet(schema["items"], path.child("items"), &errors)
            }
            if !["atomic", "set", "map"].contains(listType) {
                errors.append(.notSupported(place, .string(listType), ["atomic", "set", "map"]))
            }
        }
        if !keys.isEmpty, listType != "map" {
            let words = "must be map if x-kubernetes-list-map-keys is non-empty"
            errors.append(listType.map { .invalid(place, .string($0), words) } ?? .required(place, words))
        }
        if listType == "map" { checkMapList(schema, keys.compactMap(\.string), path, &errors) }
        if let listType, listType != "atomic", schema[["items", "nullable"]] == true {
            errors.append(
                .forbidden(
                    path.child("items", "nullable"), "cannot be nullable when x-kubernetes-list-type is \(listType)"))
        }
    }

    private static func checkSet(_ items: JSONValue?, _ path: FieldPath, _ errors: inout [FieldError]) {
        let words = "must be atomic as item of a list with x-kubernetes-list-type=set"
        switch items?["type"] {
        case "array":
            if let inner = items?["x-kubernetes-list-type"], inner != "atomic" {
                errors.append(.invalid(path.child("x-kubernetes-list-type"), inner, words))
            }
        case "object":
            if items?["x-kubernetes-map-type"] != "atomic" {
                errors.append(.invalid(path.child("x-kubernetes-map-type"), items?["x-kubernetes-map-type"], words))
            }
        default: return
        }
    }

    private static func checkMapList(
        _ schema: JSONValue, _ keys: [String], _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        let place = path.child("x-kubernetes-list-map-keys")
        if keys.isEmpty {
            errors.append(.required(place, "must not be empty if x-kubernetes-list-type is map"))
        }
        guard let items = schema["items"] else {
            errors.append(.required(path.child("items"), "must have a schema if x-kubernetes-list-type is map"))
            return
        }
        guard items["type"] == "object" else {
            errors.append(
                .invalid(
                    path.child("items", "type"), items["type"] ?? "",
                    "must be object if parent array's x-kubernetes-list-type is map"))
            return
        }
        let required = (items["required"]?.array ?? []).compactMap(\.string)
        var seen: Set<String> = []
        for key in keys {
            let shown = schema["x-kubernetes-list-map-keys"]
            let property = items[["properties", key]]
            let path = path.child("items", "properties")[key]
            if let property {
                if property["type"] == "array" || property["type"] == "object" {
                    errors.append(
                        .invalid(
                            path.child("type"), items["type"],
                            "must be a scalar type if parent array's x-kubernetes-list-type is map"))
                }
                if property["default"] == nil, !required.contains(key) {
                    errors.append(
                        .required(
                            path.child("default"),
                            "this property is in x-kubernetes-list-map-keys, so it must have a default or be a "
                                + "required property"))
                }
                if property["nullable"] == true {
                    errors.append(
                        .forbidden(
                            path.child("nullable"),
                            "this property is in x-kubernetes-list-map-keys, so it cannot be nullable"))
                }
            } else {
                errors.append(.invalid(place, shown, "entries must all be names of item properties"))
            }
            if !seen.insert(key).inserted {
                errors.append(.invalid(place, shown, "must not contain duplicate entries"))
            }
        }
    }

    // MARK: Rules

    private static let reasons = [
        "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired",
    ]

    /// What is wrong with rules besides their expressions.
    private static func checkRules(_ schema: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        for (index, rule) in (schema["x-kubernetes-validations"]?.array ?? []).enumerated() {
            let path = path.child("x-kubernetes-validations")[index]
            checkTexts(rule, path, &errors)
            if let text = rule["messageExpression"]?.string, !text.isEmpty, text.trimmed.isEmpty {
                errors.append(
                    .required(path.child("messageExpression"), "messageExpression must be non-empty if specified"))
            }
            errors.oneOf(path.child("reason"), rule["reason"]?.string, reasons)
            guard let field = rule["fieldPath"]?.string, !field.isEmpty else { continue }
            func refuse(_ words: String) {
                errors.append(.invalid(path.child("fieldPath"), .string(field), "fieldPath \(words)"))
            }
            if field.trimmed.isEmpty { refuse("must be non-empty if specified") }
            if field.contains(where: \.isNewline) { refuse("must not contain line breaks") }
            if FieldReference(field, in: JSONSchema(schema)) == nil { refuse("must be a valid path") }
        }
    }

    private static func checkTexts(_ rule: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let text = rule["rule"]?.string?.trimmed ?? ""
        let message = rule["message"]?.string ?? ""
        if text.isEmpty {
            errors.append(.required(path.child("rule"), "rule is not specified"))
        } else if !message.isEmpty, message.trimmed.isEmpty {
            errors.append(
                .invalid(path.child("message"), .string(message), "message must be non-empty if specified"))
        } else if message.trimmed.contains(where: \.isNewline) {
            errors.append(
                .invalid(path.child("message"), .string(message), "message must not contain line breaks"))
        } else if text.contains(where: \.isNewline), message.isEmpty {
            errors.append(
                .required(path.child("message"), "message must be specified if rule contains line breaks"))
        }
    }
}

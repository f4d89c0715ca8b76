/// Types as swagger 2.0 writes them.
///
/// Source of the rules for custom kinds: apiextensions-apiserver, `pkg/controller/openapi/v2`.
enum SwaggerSchema {
    static let reference = "#/definitions/"

    /// A type of a v3 document.
    ///
    /// A reference may stand beside a description here, and defaults are left out, as Kubernetes does.
    static func translate(_ schema: JSONValue) -> JSONValue {
        guard let members = schema.object else { return schema }
        var result: JSONObject = [:]
        for (key, value) in members {
            switch key {
            case "default": continue
            case "$ref": result[key] = translated(reference: value)
            case "allOf":
                if let target = value.array?.first?["$ref"] { result["$ref"] = translated(reference: target) }
            // Amounts, and numbers that may be names: both are texts.
            case "oneOf": result["type"] = "string"
            case "properties": result[key] = .object((value.object ?? [:]).mapValues { translate($0) })
            case "items", "additionalProperties": result[key] = translate(value)
            default: result[key] = value
            }
        }
        return .object(result)
    }

    private static func translated(reference target: JSONValue) -> JSONValue {
        .string((target.string ?? "").replacing(OpenAPIComponents.reference, with: reference))
    }

    // MARK: Custom kinds

    /// The schema of a custom kind; `described` is the same in a v3 document.
    static func translate(_ custom: CustomResourceType, as described: JSONValue) -> JSONValue {
        let source = custom.schema.source
        var result: JSONValue = ["type": "object"]
        // Old clients would refuse every member but those that are named: better to name none.
        if source.object?.isEmpty == false, !keepsUnknown(source) {
            result = simplify(source)
            for name in ["apiVersion", "kind", "metadata"] {
                result[["properties", name]] = described[["properties", name]].map { translate($0) }
            }
        }
        result[groupVersionKind] = described[groupVersionKind]
        return result
    }

    private static let groupVersionKind = "x-kubernetes-group-version-kind"

    private static func keepsUnknown(_ schema: JSONValue) -> Bool {
        schema["x-kubernetes-preserve-unknown-fields"] == true
    }

    /// Leaves out of a structural schema what swagger cannot say and what kubectl stumbles over.
    private static func simplify(_ schema: JSONValue) -> JSONValue {
        var result = schema
        for key in ["allOf", "anyOf", "oneOf", "not"] { result[key] = nil }
        if schema["nullable"] == true {
            for key in ["nullable", "type", "items", "properties"] { result[key] = nil }
        }
        if keepsUnknown(schema) {
            for key in ["items", "properties"] { result[key] = nil }
            if schema["type"] == "object" { result["type"] = nil }
        }
        if result["items"] == nil, result["type"] == "array" { result["type"] = nil }
        dropRequired(&result, schema)
        if let properties = result["properties"]?.object {
            result["properties"] = .object(properties.mapValues(simplify))
        }
        if let items = result["items"] { result["items"] = simplify(items) }
        if let rest = result["additionalProperties"], rest.object != nil {
            result["additionalProperties"] = simplify(rest)
        }
        if schema["x-kubernetes-embedded-resource"] == true, !keepsUnknown(schema) { addEnvelope(&result) }
        return result
    }

    /// What may be null counts as absent for old clients, so it cannot be required.
    private static func dropRequired(_ result: inout JSONValue, _ schema: JSONValue) {
        guard let required = result["required"]?.array else { return }
        let kept = required.filter { name in
            schema[["properties", name.string ?? "", "nullable"]] != true
        }
        let isFree = schema[["additionalProperties", "nullable"]] == true
        if kept.isEmpty || isFree { result["required"] = nil } else { result["required"] = .array(kept) }
    }

    /// An object within an object says what it is.
    private static func addEnvelope(_ result: inout JSONValue) {
        result[["properties", "apiVersion"]] = [
            "description": "APIVersion defines the version of the API in which this object is written.",
            "type": "string",
        ]
        result[["properties", "kind"]] = ["description": "What this object is.", "type": "string"]
        result[["properties", "metadata"]] = [
            "description": "Standard object's metadata: name, labels and what the server notes about it.",
            "$ref": .string(reference + (MetadataSchemas.metadata.traits.definition ?? "")),
        ]
        var required = result["required"]?.array ?? []
        for name: JSONValue in ["kind", "apiVersion"] where !required.contains(name) { required.append(name) }
        result["required"] = .array(required)
    }
}

/// A swagger 2.0 document, or a part of one, in the words of OpenAPI 3.0.
///
/// For servers that have only the older document. Source: kube-openapi, `pkg/openapiconv`.
public enum SwaggerConversion {
    /// - Parameter paths: Those to keep, with the definitions that the document is to have.
    public static func openAPI(paths: JSONObject, definitions: JSONObject) -> JSONValue {
        [
            "openapi": "3.0.0", "info": ["title": "Kubernetes", "version": "unversioned"],
            "paths": .object(paths.mapValues(convert(path:))),
            "components": ["schemas": .object(definitions.mapValues(convert(schema:)))],
        ]
    }

    private static func convert(path item: JSONValue) -> JSONValue {
        var result: JSONObject = [:]
        for (key, value) in item.object ?? [:] {
            result[key] =
                key == "parameters" ? .array((value.array ?? []).map(convert(parameter:))) : convert(operation: value)
        }
        return .object(result)
    }

    private static func convert(operation: JSONValue) -> JSONValue {
        // What stands at a path besides operations is text.
        guard operation.object != nil else { return operation }
        var result = operation
        for member in ["consumes", "produces", "schemes"] { result[member] = nil }
        let parameters = operation["parameters"]?.array ?? []
        if let body = parameters.first(where: { $0["in"] == "body" }), let schema = body["schema"] {
            result["requestBody"] = ["content": content(schema, operation["consumes"])]
        }
        let others = parameters.filter { $0["in"] != "body" }.map(convert(parameter:))
        result["parameters"] = others.isEmpty ? nil : .array(others)
        result["responses"] = .object(
            (operation["responses"]?.object ?? [:]).mapValues { response in
                var result = response
                result["schema"] = nil
                result["content"] = response["schema"].map { content($0, operation["produces"]) }
                return result
            })
        return result
    }

    /// A type in each of the media types that a body may have.
    private static func content(_ schema: JSONValue, _ types: JSONValue?) -> JSONValue {
        var content: JSONObject = [:]
        for type in types?.array ?? [] { content[type.string ?? ""] = ["schema": convert(schema: schema)] }
        return .object(content)
    }

    /// The type of a parameter stands in a schema of its own.
    private static func convert(parameter: JSONValue) -> JSONValue {
        var result = parameter
        var schema: JSONValue = [:]
        for member in ["type", "format", "uniqueItems", "items"] {
            schema[member] = parameter[member]
            result[member] = nil
        }
        result["schema"] = parameter["schema"].map(convert(schema:)) ?? schema
        return result
    }

    private static func convert(schema: JSONValue) -> JSONValue {
        guard let members = schema.object else { return schema }
        var result: JSONObject = [:]
        for (key, value) in members {
            switch key {
            case "properties": result[key] = .object((value.object ?? [:]).mapValues(convert(schema:)))
            case "items", "additionalProperties": result[key] = convert(schema: value)
            default: result[key] = value
            }
        }
        guard let target = members["$ref"]?.string else { return .object(result) }
        let name = target.hasPrefix(SwaggerSchema.reference) ? target.dropFirst(SwaggerSchema.reference.count) : ""
        let reference: JSONValue = ["$ref": .string(OpenAPIComponents.reference + name)]
        result["$ref"] = nil
        // What stands beside a reference counts only where the reference is one part of the whole.
        if result.isEmpty { return reference }
        result["allOf"] = [reference]
        return .object(result)
    }
}

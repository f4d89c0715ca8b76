/// Paths and operations as swagger 2.0 writes them.
enum SwaggerPaths {
    /// What can be done at one path of a v3 document.
    static func translate(_ item: JSONValue) -> JSONValue {
        var result: JSONObject = [:]
        for (key, value) in item.object ?? [:] {
            result[key] =
                key == "parameters"
                ? .array((value.array ?? []).map(translate(parameter:))) : translate(operation: value)
        }
        return .object(result)
    }

    private static let produced = ["application/json", "application/yaml"]

    private static func translate(operation: JSONValue) -> JSONValue {
        var result = operation
        let body = operation["requestBody"]
        result["requestBody"] = nil
        let types = body?["content"]?.object?.map { JSONValue.string($0.key) } ?? []
        let isPatch = operation["x-kubernetes-action"] == "patch"
        result["consumes"] = isPatch ? .array(types) : ["*/*"]
        let isList = operation["x-kubernetes-action"] == "list"
        let answers = produced + (isList ? ["application/json;stream=watch"] : [])
        result["produces"] = .array(answers.map(JSONValue.string))
        result["schemes"] = ["https"]
        var parameters: [JSONValue] = []
        if let body {
            var parameter: JSONValue = ["name": "body", "in": "body"]
            if body["required"] == true { parameter["required"] = true }
            parameter["schema"] = schema(of: body["content"])
            parameters.append(parameter)
        }
        parameters += (operation["parameters"]?.array ?? []).map(translate(parameter:))
        result["parameters"] = parameters.isEmpty ? nil : .array(parameters)
        result["responses"] = .object((operation["responses"]?.object ?? [:]).mapValues(translate(response:)))
        return result
    }

    /// Parameters say their type without a schema around it.
    private static func translate(parameter: JSONValue) -> JSONValue {
        var result = parameter
        result["schema"] = nil
        for (key, value) in parameter["schema"]?.object ?? [:] { result[key] = value }
        return result
    }

    private static func translate(response: JSONValue) -> JSONValue {
        var result = response
        result["content"] = nil
        if let schema = schema(of: response["content"]) { result["schema"] = schema }
        return result
    }

    /// The one type behind all media types of a body.
    private static func schema(of content: JSONValue?) -> JSONValue? {
        (content?.object?.first?.value["schema"]).map { SwaggerSchema.translate($0) }
    }
}

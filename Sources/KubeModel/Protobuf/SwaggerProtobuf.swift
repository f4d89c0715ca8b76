/// A swagger document in protobuf, the only form in which kubectl and client-go read it.
///
/// Source: the messages of `openapi.v2` in google/gnostic, `OpenAPIv2.proto`.
public enum SwaggerProtobuf {
    public static func encode(_ document: JSONValue) -> [UInt8] {
        var wire = WireWriter()
        wire.text(1, document["swagger"]?.string)
        wire.message(2) { info in
            info.text(1, document[["info", "title"]]?.string)
            info.text(2, document[["info", "version"]]?.string)
        }
        wire.message(8) { paths in
            for (name, item) in document["paths"]?.object ?? [:] { paths.named(2, name) { path(item, &$0) } }
        }
        wire.message(9) { definitions in
            for (name, type) in document["definitions"]?.object ?? [:] {
                definitions.named(1, name) { schema(type, &$0) }
            }
        }
        for requirement in document["security"]?.array ?? [] {
            wire.message(12) { item in
                for (name, _) in requirement.object ?? [:] { item.named(1, name) { _ in } }
            }
        }
        wire.message(13) { definitions in
            for (name, definition) in document["securityDefinitions"]?.object ?? [:] {
                definitions.named(1, name) { item in
                    item.message(2) { key in
                        for (number, member) in ["type", "name", "in", "description"].enumerated() {
                            key.text(number + 1, definition[member]?.string)
                        }
                    }
                }
            }
        }
        return wire.bytes
    }

    // MARK: Paths

    private static let methods = ["get": 2, "put": 3, "post": 4, "delete": 5, "options": 6, "head": 7, "patch": 8]

    private static func path(_ item: JSONValue, _ wire: inout WireWriter) {
        for (name, value) in item.object ?? [:] {
            if let number = methods[name] { wire.message(number) { operation(value, &$0) } }
        }
        for value in item["parameters"]?.array ?? [] { wire.message(9) { parameter(value, &$0) } }
    }

    private static func operation(_ value: JSONValue, _ wire: inout WireWriter) {
        wire.texts(1, value["tags"])
        wire.text(3, value["description"]?.string)
        wire.text(5, value["operationId"]?.string)
        wire.texts(6, value["produces"])
        wire.texts(7, value["consumes"])
        for value in value["parameters"]?.array ?? [] { wire.message(8) { parameter(value, &$0) } }
        wire.message(9) { responses in
            for (code, answer) in value["responses"]?.object ?? [:] {
                responses.named(1, code) { $0.message(1) { response(answer, &$0) } }
            }
        }
        wire.texts(10, value["schemes"])
        wire.extensions(13, value)
    }

    private static func response(_ value: JSONValue, _ wire: inout WireWriter) {
        wire.text(1, value["description"]?.string)
        if let type = value["schema"] { wire.message(2) { $0.message(1) { schema(type, &$0) } } }
    }

    /// A parameter is a choice within a choice: of the body, or of the path or the query.
    private static func parameter(_ value: JSONValue, _ wire: inout WireWriter) {
        wire.message(1) { choice in
            guard value["in"] == "body" else {
                return choice.message(2) { other in
                    let isPath = value["in"] == "path"
                    other.message(isPath ? 4 : 3) { plainParameter(value, isPath: isPath, &$0) }
                }
            }
            choice.message(1) { body in
                body.text(1, value["description"]?.string)
                body.text(2, value["name"]?.string)
                body.text(3, "body")
                body.bool(4, value["required"]?.bool)
                if let type = value["schema"] { body.message(5) { schema(type, &$0) } }
            }
        }
    }

    private static func plainParameter(_ value: JSONValue, isPath: Bool, _ wire: inout WireWriter) {
        wire.bool(1, value["required"]?.bool)
        wire.text(2, value["in"]?.string)
        wire.text(3, value["description"]?.string)
        wire.text(4, value["name"]?.string)
        // Those of the query may be empty, which takes the next number there.
        wire.text(isPath ? 5 : 6, value["type"]?.string)
        wire.bool(isPath ? 19 : 20, value["uniqueItems"]?.bool)
    }

    // MARK: Types

    private static func schema(_ value: JSONValue, _ wire: inout WireWriter) {
        wire.text(1, value["$ref"]?.string)
        wire.text(2, value["format"]?.string)
        wire.text(3, value["title"]?.string)
        wire.text(4, value["description"]?.string)
        if let constant = value["default"] { wire.any(5, constant) }
        limits(value, &wire)
        wire.texts(19, value["required"])
        for choice in value["enum"]?.array ?? [] { wire.any(20, choice) }
        if let rest = value["additionalProperties"] {
            wire.message(21) { item in
                if let isAllowed = rest.bool { item.bool(2, isAllowed) } else { item.message(1) { schema(rest, &$0) } }
            }
        }
        if let type = value["type"]?.string { wire.message(22) { $0.text(1, type) } }
        if let items = value["items"] { wire.message(23) { $0.message(1) { schema(items, &$0) } } }
        if let properties = value["properties"]?.object {
            wire.message(25) { members in
                for (name, type) in properties { members.named(1, name) { schema(type, &$0) } }
            }
        }
        if let docs = value["externalDocs"] {
            wire.message(29) {
                $0.text(1, docs["description"]?.string)
                $0.text(2, docs["url"]?.string)
            }
        }
        if let example = value["example"] { wire.any(30, example) }
        wire.extensions(31, value)
    }

    private static func limits(_ value: JSONValue, _ wire: inout WireWriter) {
        wire.double(6, value["multipleOf"]?.number)
        wire.double(7, value["maximum"]?.number)
        wire.bool(8, value["exclusiveMaximum"]?.bool)
        wire.double(9, value["minimum"]?.number)
        wire.bool(10, value["exclusiveMinimum"]?.bool)
        wire.integer(11, value["maxLength"]?.int)
        wire.integer(12, value["minLength"]?.int)
        wire.text(13, value["pattern"]?.string)
        wire.integer(14, value["maxItems"]?.int)
        wire.integer(15, value["minItems"]?.int)
        wire.bool(16, value["uniqueItems"]?.bool)
        wire.integer(17, value["maxProperties"]?.int)
        wire.integer(18, value["minProperties"]?.int)
    }
}

extension WireWriter {
    /// A pair of a name and a message.
    fileprivate mutating func named(_ number: Int, _ name: String, _ write: (inout WireWriter) -> Void) {
        message(number) { pair in
            pair.text(1, name)
            pair.message(2, write)
        }
    }

    fileprivate mutating func texts(_ number: Int, _ list: JSONValue?) {
        for element in list?.array ?? [] { text(number, element.string) }
    }

    /// A value without a type: text in YAML, of which JSON is a part.
    fileprivate mutating func any(_ number: Int, _ value: JSONValue) { message(number) { $0.text(2, value.text) } }

    /// The members that are not of the format itself.
    fileprivate mutating func extensions(_ number: Int, _ value: JSONValue) {
        for (name, value) in value.object ?? [:] where name.hasPrefix("x-") {
            message(number) { pair in
                pair.text(1, name)
                pair.message(2) { $0.text(2, value.text) }
            }
        }
    }
}

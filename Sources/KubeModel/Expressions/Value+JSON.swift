public import CEL

extension Value {
    /// A JSON value of which nothing else is known: members keep their names.
    public init(_ value: JSONValue) {
        switch value {
        case .null: self = .null
        case .bool(let bool): self = .bool(bool)
        case .int(let number): self = .int(number)
        case .double(let number): self = .double(number)
        case .string(let text): self = .string(text)
        case .array(let elements): self = .list(elements.map { Value($0) })
        case .object(let members): self = .map(MapValue(members.lazy.map { ($0.key, Value($0.value)) }))
        }
    }

    /// A JSON value as its schema says it is: times, bytes, numbers with fraction.
    ///
    /// `isResource` says that the value is a whole object. What the schema does not know cannot be reached.
    init(_ value: JSONValue, _ schema: JSONSchema, isResource: Bool) {
        switch value {
        case .object(let members) where schema.type == "object":
            self = .map(Self.members(members, schema, isResource: isResource))
        case .array(let elements):
            guard let items = schema.items else {
                self = Value(value)
                return
            }
            let identity: ListValue.Identity =
                switch schema.listType {
                case .atomic: .place
                case .set: .value
                case .map(let keys): .members(keys.map { ExpressionName.escape($0) ?? $0 })
                }
            self = .list(
                ListValue(
                    elements.map { Value($0, items, isResource: items.isEmbeddedResource) }, identity: identity))
        case .int(let number) where schema.type == "number": self = .double(Double(number))
        case .string(let text) where schema.type == "string": self = Self.text(text, format: schema.format)
        default: self = Value(value)
        }
    }

    private static func members(_ members: JSONObject, _ schema: JSONSchema, isResource: Bool) -> MapValue {
        if case .each(let rest) = schema.rest, schema.properties.isEmpty, !isResource {
            return MapValue(
                members.lazy.map { ($0.key, Value($0.value, rest, isResource: rest.isEmbeddedResource)) })
        }
        var map = MapValue()
        for (name, value) in members {
            guard let escaped = ExpressionName.escape(name) else { continue }
            if isResource, name == "apiVersion" || name == "kind" {
                map.insert(.string(escaped), Value(value))
            } else if isResource, name == "metadata" {
                let visible = ["name", "generateName"].compactMap { key in value[key].map { (key, Value($0)) } }
                map.insert(.string(escaped), .map(MapValue(visible)))
            } else if let property = schema.property(name) {
                map.insert(.string(escaped), Value(value, property, isResource: property.isEmbeddedResource))
            }
        }
        return map
    }

    private static func text(_ text: String, format: String) -> Value {
        switch format {
        case "byte": return Base64.decode(text).map { .bytes($0) } ?? .string(text)
        case "duration": return DurationText.parse(text).map { .duration($0) } ?? .string(text)
        case "date": return Instant(parsing: "\(text)T00:00:00Z").map { .timestamp($0) } ?? .string(text)
        case "date-time": return Instant(parsing: text).map { .timestamp($0) } ?? .string(text)
        default: return .string(text)
        }
    }
}

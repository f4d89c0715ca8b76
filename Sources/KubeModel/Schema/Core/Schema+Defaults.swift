extension Schema {
    /// Fills in what is absent, from the outside to the inside: the constants of a node, then what depends on them,
    /// then the nodes below.
    public func applyDefaults(_ value: inout JSONValue) {
        guard hasDefaults else { return }
        let schema = resolved
        switch schema.shape {
        case .object(let fields):
            guard value.object != nil else { return }
            for field in fields {
                guard let constant = field.defaultValue, field.countsAsAbsent(value[field.name]) else { continue }
                value[field.name] = constant
            }
            schema.traits.defaulter?(&value)
            for field in fields where field.schema.hasDefaults {
                guard value[field.name] != nil else { continue }
                value.change(field.name) { field.schema.applyDefaults(&$0) }
            }
        case .map(let element):
            guard let members = value.object else { return }
            for key in members.keys { value.change(key) { element.applyDefaults(&$0) } }
        case .array(let element):
            guard case .array(var elements) = value else { return }
            value = .null  // One owner only, so that the elements change in place.
            for index in elements.indices { element.applyDefaults(&elements[index]) }
            value = .array(elements)
        default: return
        }
    }
}

extension SchemaField {
    fileprivate func countsAsAbsent(_ value: JSONValue?) -> Bool {
        switch value {
        case nil, .null: true
        case .string(""): true
        case .int(0): replacesZero
        default: false
        }
    }
}

extension JSONValue {
    /// Changes a member in place; does nothing if it is absent.
    mutating func change(_ key: String, _ body: (inout JSONValue) -> Void) {
        guard var member = self[key] else { return }
        self[key] = .null
        body(&member)
        self[key] = member
    }

    /// Sets a member unless it is there and not empty text.
    mutating func setDefault(_ key: String, _ value: @autoclosure () -> JSONValue) {
        switch self[key] {
        case nil, .null, .string(""): self[key] = value()
        default: return
        }
    }

    /// Whether the value says nothing: absent, null, empty text, an empty list or object.
    static func isEmpty(_ value: JSONValue?) -> Bool {
        switch value {
        case nil, .null, .string(""): true
        case .array(let elements): elements.isEmpty
        case .object(let members): members.isEmpty
        default: false
        }
    }
}

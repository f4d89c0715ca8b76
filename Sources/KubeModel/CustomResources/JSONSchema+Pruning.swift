extension JSONSchema {
    /// Takes members away that the schema does not know, and notes their paths.
    ///
    /// `isResource` says that the node is a whole object, whose type and metadata are always known.
    func prune(
        _ value: JSONValue, at path: FieldPath, isResource: Bool, into unknownFields: inout [String]
    ) -> JSONValue {
        switch value {
        case .object(let members):
            return .object(prune(members, at: path, isResource: isResource, into: &unknownFields))
        case .array(let elements):
            guard let items else { return value }
            return .array(
                elements.enumerated().map { index, element in
                    items.prune(
                        element, at: path[index], isResource: items.isEmbeddedResource, into: &unknownFields)
                })
        default: return value
        }
    }

    private static let envelope: Set<String> = ["apiVersion", "kind", "metadata"]

    private func prune(
        _ members: JSONObject, at path: FieldPath, isResource: Bool, into unknownFields: inout [String]
    ) -> JSONObject {
        var kept: JSONObject = [:]
        kept.reserveCapacity(members.count)
        for (key, value) in members {
            if isResource, Self.envelope.contains(key) {
                kept.updateValue(value, forKey: key)
            } else if let schema = member(key) {
                let value = schema.prune(
                    value, at: .field(path, key), isResource: schema.isEmbeddedResource, into: &unknownFields)
                kept.updateValue(value, forKey: key)
            } else if keepsUnknownFields || allowsAnything {
                kept.updateValue(value, forKey: key)
            } else {
                unknownFields.append(FieldPath.field(path, key).description)
            }
        }
        return kept
    }

    private var allowsAnything: Bool { if case .allowed(true) = rest { true } else { false } }
}

extension JSONSchema {
    /// Fills in what is absent, and takes away nulls where no null may stand.
    func applyDefaults(_ value: inout JSONValue) {
        switch value {
        case .object(let members):
            for (name, schema) in properties {
                guard let constant = schema.defaultValue else { continue }
                let present = members[name]
                if present == nil || present == .null && !schema.isNullable { value[name] = constant }
            }
            for (key, member) in value.object ?? [:] {
                guard let schema = self.member(key) else { continue }
                if member.isNull {
                    if !schema.isNullable, schema.defaultValue == nil { value[key] = nil }
                } else if member.hasParts {
                    value.change(key) { schema.applyDefaults(&$0) }
                }
            }
        case .array(var elements):
            guard let items else { return }
            value = .null  // One owner only, so that the elements change in place.
            for index in elements.indices { items.applyDefaults(&elements[index]) }
            value = .array(elements)
        default: return
        }
    }
}

extension JSONValue {
    fileprivate var hasParts: Bool {
        switch self {
        case .array, .object: true
        default: false
        }
    }
}

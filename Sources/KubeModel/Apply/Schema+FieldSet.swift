extension Schema {
    /// All fields that a value sets, as a client means them in server-side apply.
    func fieldSet(of value: JSONValue) -> FieldSet { FieldSet(tree: resolved.ownedFields(of: value) ?? [:]) }

    /// The fields below a value; nil where the value is owned as a whole.
    private func ownedFields(of value: JSONValue) -> JSONObject? {
        let ownership = ownership(of: value)
        switch ownership {
        case .atomic: return nil
        case .members: return memberFields(value.object ?? [:])
        case .keyed, .set: return elementFields(value.array ?? [], ownership)
        }
    }

    private func memberFields(_ members: JSONObject) -> JSONObject {
        var fields: JSONObject = [:]
        for (name, value) in members {
            let type = ownedMember(name)
            let isEmpty = value.isNull || value.object?.isEmpty ?? false
            let isFree: Bool
            if case .object = shape { isFree = fieldsByName[name] == nil } else { isFree = true }
            let below = value.isNull ? [:] : type.ownedFields(of: value)
            Self.add(PathElement.field(name), below, isMember: isEmpty || isFree || below == nil, to: &fields)
        }
        return fields
    }

    private func elementFields(_ elements: [JSONValue], _ ownership: Ownership) -> JSONObject {
        var fields: JSONObject = [:]
        guard let type = ownership.element else { return fields }
        let index = ElementIndex(elements) { step(to: $0, ownership) }
        for (key, values) in index.entries {
            let below = values.count == 1 ? type.ownedFields(of: values[0]) : nil
            Self.add(key, below, isMember: true, to: &fields)
        }
        return fields
    }

    private static func add(_ key: String, _ below: JSONObject?, isMember: Bool, to fields: inout JSONObject) {
        let below = below ?? [:]
        if below.isEmpty {
            if isMember { fields[key] = [:] }
        } else if isMember {
            var node: JSONObject = [FieldSet.selfKey: [:]]
            for (name, child) in below { node.updateValue(child, forKey: name) }
            fields[key] = .object(node)
        } else {
            fields[key] = .object(below)
        }
    }

    /// The set together with the declared members on the way to its places.
    func withNamedFields(_ set: FieldSet) -> FieldSet { FieldSet(tree: resolved.named(set.tree)) }

    private func named(_ tree: JSONObject) -> JSONObject {
        var result: JSONObject = [:]
        for (key, value) in tree {
            guard let child = value.object, !child.isEmpty else {
                result[key] = value
                continue
            }
            var below: JSONObject
            var isDeclared = false
            if key.hasPrefix("f:") {
                let name = String(key.dropFirst(2))
                if case .object = shape { isDeclared = fieldsByName[name] != nil }
                below = ownedMember(name).named(child)
            } else if case .array(let element) = shape {
                below = element.resolved.named(child)
            } else {
                below = child
            }
            if isDeclared { below[FieldSet.selfKey] = [:] }
            result[key] = .object(below)
        }
        return result
    }
}

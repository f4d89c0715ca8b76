/// What differs between two states of an object, as three field sets.
struct FieldChanges {
    var added = FieldSet()
    var modified = FieldSet()
    var removed = FieldSet()

    var isEmpty: Bool { added.isEmpty && modified.isEmpty && removed.isEmpty }

    /// What the writer now owns.
    var written: FieldSet { added.union(modified) }

    init() {}

    /// - Parameter old: Nil and absent members count as not there; members that are always there count as empty.
    init(from old: JSONValue, to new: JSONValue, _ schema: Schema) {
        var walk = ChangeWalk()
        _ = walk.compare(old, new, schema.resolved)
        added = FieldSet(tree: walk.top.added)
        modified = FieldSet(tree: walk.top.modified)
        removed = FieldSet(tree: walk.top.removed)
    }

    mutating func filter(_ change: (FieldSet) -> FieldSet) {
        added = change(added)
        modified = change(modified)
        removed = change(removed)
    }
}

/// Compares two values node by node.
private struct ChangeWalk {
    /// The children of one node that have changed.
    struct Node {
        var added: JSONObject = [:]
        var modified: JSONObject = [:]
        var removed: JSONObject = [:]
    }

    /// What has become of a node itself.
    enum Fate {
        case same, added, modified, removed
    }

    /// The children of the node that was compared last.
    var top = Node()

    /// Compares one place; leaves its children in `top` and returns what has become of the place itself.
    mutating func compare(_ old: JSONValue?, _ new: JSONValue?, _ schema: Schema) -> Fate {
        top = Node()
        // Most of an object stays as it is in most writes.
        if let old, let new, old == new { return .same }
        let ownership = schema.ownership(of: new ?? old)
        switch ownership {
        case .atomic: return leaf(old, new)
        case .members:
            let before = old?.object
            let after = new?.object
            if before?.isEmpty ?? true, after?.isEmpty ?? true, schema.impliedFields.isEmpty { return leaf(old, new) }
            top = members(before, after, schema, wasThere: old != nil, isThere: new != nil)
        case .keyed, .set:
            let before = old?.array ?? []
            let after = new?.array ?? []
            if before.isEmpty, after.isEmpty { return leaf(old, new) }
            top = elements(before, after, schema, ownership)
        }
        return old == nil ? .added : new == nil ? .removed : .same
    }

    private func leaf(_ old: JSONValue?, _ new: JSONValue?) -> Fate {
        guard let old else { return .added }
        guard let new else { return .removed }
        return old == new ? .same : .modified
    }

    private mutating func members(
        _ before: JSONObject?, _ after: JSONObject?, _ schema: Schema, wasThere: Bool, isThere: Bool
    ) -> Node {
        var node = Node()
        for (name, value) in after ?? [:] {
            let implied = wasThere ? schema.implied(name) : nil
            // A time that is null is as good as absent: nobody sets it.
            if value.isNull, wasThere, before?[name] == nil, name == "creationTimestamp" { continue }
            let step = schema.ownedStep(name)
            child(step.key, before?[name] ?? implied, value, step.schema, &node)
        }
        for (name, value) in before ?? [:] where after?[name] == nil {
            if value.isNull, isThere, name == "creationTimestamp" { continue }
            let implied = isThere ? schema.implied(name) : nil
            let step = schema.ownedStep(name)
            child(step.key, value, implied, step.schema, &node)
        }
        for field in schema.impliedFields where wasThere != isThere {
            guard before?[field.name] == nil, after?[field.name] == nil else { continue }
            let type = field.schema.resolved
            child(
                field.ownershipKey, wasThere ? type.impliedValue : nil, isThere ? type.impliedValue : nil, type,
                &node)
        }
        return node
    }

    private mutating func child(
        _ key: String, _ old: JSONValue?, _ new: JSONValue?, _ schema: Schema, _ node: inout Node
    ) {
        let fate = compare(old, new, schema)
        Self.note(key, fate == .added, top.added, &node.added)
        Self.note(key, fate == .modified, top.modified, &node.modified)
        Self.note(key, fate == .removed, top.removed, &node.removed)
    }

    private static func note(_ key: String, _ isMember: Bool, _ children: JSONObject, _ parent: inout JSONObject) {
        if children.isEmpty {
            if isMember { parent[key] = .object(children) }
        } else if isMember {
            var node: JSONObject = [FieldSet.selfKey: [:]]
            for (name, child) in children { node.updateValue(child, forKey: name) }
            parent[key] = .object(node)
        } else {
            parent[key] = .object(children)
        }
    }

    private mutating func elements(
        _ before: [JSONValue], _ after: [JSONValue], _ schema: Schema, _ ownership: Ownership
    ) -> Node {
        var node = Node()
        guard let type = ownership.element else { return node }
        let old = ElementIndex(before) { schema.step(to: $0, ownership) }
        let new = ElementIndex(after) { schema.step(to: $0, ownership) }
        for (key, values) in new.entries {
            let previous = old[key]
            switch (previous.count, values.count) {
            case (...1, 1): child(key, previous.first, values[0], type, &node)
            case (...1, _):
                if let only = previous.first { child(key, only, nil, type, &node) }
                Self.note(key, true, node.added[key]?.object ?? [:], &node.added)
            case (_, 1):
                child(key, nil, values[0], type, &node)
                Self.note(key, true, node.removed[key]?.object ?? [:], &node.removed)
            default: if previous != values { node.modified[key] = [:] }
            }
        }
        for (key, values) in old.entries where new[key].isEmpty {
            if values.count == 1 { child(key, values[0], nil, type, &node) } else { node.removed[key] = [:] }
        }
        return node
    }
}

/// The elements of a list under their steps, in their order; elements that cannot be told apart are left out.
struct ElementIndex {
    private(set) var entries: [(key: String, values: [JSONValue])] = []
    private var places: [String: Int] = [:]

    init(_ elements: [JSONValue], step: (JSONValue) -> String?) {
        entries.reserveCapacity(elements.count)
        for element in elements {
            guard let key = step(element) else { continue }
            if let place = place(of: key) {
                entries[place].values.append(element)
            } else {
                if entries.count >= Self.scanMax { places[key] = entries.count }
                entries.append((key, [element]))
            }
        }
    }

    /// Short lists are searched without a table.
    private static let scanMax = 8

    private func place(of key: String) -> Int? {
        entries.prefix(Self.scanMax).firstIndex { $0.key == key } ?? places[key]
    }

    subscript(key: String) -> [JSONValue] { place(of: key).map { entries[$0].values } ?? [] }
}

extension Schema {
    fileprivate func implied(_ name: String) -> JSONValue? {
        impliedFields.first { $0.name == name }?.schema.resolved.impliedValue
    }

    /// What a member that is always there holds when nobody has set it.
    fileprivate var impliedValue: JSONValue {
        if case .array = shape { .null } else { [:] }
    }
}

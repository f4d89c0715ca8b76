extension Schema {
    /// A live value with a configuration merged in, as server-side apply does; values of the configuration win.
    ///
    /// Lists keep the order of the configuration for elements that both have; elements of others stay among their neighbours.
    func merging(_ config: JSONValue, into live: JSONValue) -> JSONValue {
        resolved.merged(live, config) ?? .null
    }

    private func merged(_ live: JSONValue?, _ config: JSONValue?) -> JSONValue? {
        guard let config else { return live }
        let ownership = ownership(of: config)
        switch ownership {
        case .atomic: return config
        case .members:
            let before = live?.object ?? [:]
            let after = config.object ?? [:]
            if before.isEmpty, after.isEmpty { return config }
            var result = before
            for (name, value) in after { result[name] = ownedMember(name).merged(before[name], value) }
            return .object(result)
        case .keyed, .set:
            let before = live?.array ?? []
            let after = config.array ?? []
            if before.isEmpty, after.isEmpty { return config }
            return .array(mergedElements(before, after, ownership))
        }
    }

    private func mergedElements(_ live: [JSONValue], _ config: [JSONValue], _ ownership: Ownership) -> [JSONValue] {
        guard let type = ownership.element else { return config }
        let left = live.map { (step(to: $0, ownership) ?? "", $0) }
        let right = config.map { (step(to: $0, ownership) ?? "", $0) }
        let lives = ElementIndex(live) { step(to: $0, ownership) }
        let configs = ElementIndex(config) { step(to: $0, ownership) }
        // An element that is there twice is nobody's to merge with: the new one replaces both.
        func merge(_ key: String, _ value: JSONValue) -> JSONValue {
            let present = lives[key]
            return type.merged(present.count == 1 ? present[0] : nil, value) ?? value
        }
        var shared = right.filter { !lives[$0.0].isEmpty }.map(\.0)[...]
        var done: Set<String> = []
        var result: [JSONValue] = []
        var (at, new) = (0, 0)
        while at < left.count || new < right.count {
            if at < left.count, new < right.count {
                let key = left[at].0
                if key == right[new].0 {
                    done.insert(key)
                    result.append(merge(key, right[new].1))
                    at += 1
                    new += 1
                    shared = shared.dropFirst()
                    continue
                }
                if !configs[key].isEmpty, let next = shared.first, next != key {
                    // Both have it, but the configuration wants another one first.
                    at += 1
                    continue
                }
            }
            if at < left.count {
                let key = left[at].0
                if configs[key].isEmpty {
                    result.append(left[at].1)
                    at += 1
                    continue
                }
                if done.contains(key) { at += 1 }
            }
            if new < right.count {
                let key = right[new].0
                done.insert(key)
                result.append(merge(key, right[new].1))
                new += 1
                if shared.first == key { shared = shared.dropFirst() }
            }
        }
        return result
    }

    /// A value without the fields of a set.
    ///
    /// - Returns: Nil when nothing is left of a list or an object, which then goes too.
    func removing(_ set: FieldSet, from value: JSONValue) -> JSONValue {
        resolved.removed(set.tree, from: value) ?? .null
    }

    private func removed(_ tree: JSONObject, from value: JSONValue) -> JSONValue? {
        let ownership = ownership(of: value)
        switch (ownership, value) {
        case (.members, .object(let members)) where !members.isEmpty:
            var result: JSONObject = [:]
            result.reserveCapacity(members.count)
            for (name, value) in members {
                guard let node = tree[PathElement.field(name)]?.object else {
                    result.updateValue(value, forKey: name)
                    continue
                }
                if node.isEmpty || node[FieldSet.selfKey] != nil { continue }
                result.updateValue(ownedMember(name).removed(node, from: value) ?? .null, forKey: name)
            }
            return result.isEmpty ? nil : .object(result)
        case (.keyed, .array(let elements)) where !elements.isEmpty,
            (.set, .array(let elements)) where !elements.isEmpty:
            guard let type = ownership.element else { return value }
            let result = elements.compactMap { element -> JSONValue? in
                guard let key = step(to: element, ownership), let node = tree[key]?.object else { return element }
                if node.isEmpty || node[FieldSet.selfKey] != nil { return nil }
                return type.removed(node, from: element) ?? .null
            }
            return result.isEmpty ? nil : .array(result)
        case (.members, _), (.keyed, _), (.set, _): return nil
        case (.atomic, .object), (.atomic, .array): return nil
        case (.atomic, _): return value
        }
    }
}

/// Objects of one resource in the order of their keys.
struct StoreTable {
    private var keys: [StoreKey] = []
    private var objects: [StoreKey: StoredObject] = [:]

    subscript(key: StoreKey) -> StoredObject? { objects[key] }

    mutating func set(_ object: StoredObject) {
        if objects.updateValue(object, forKey: object.key) == nil {
            keys.insert(object.key, at: place { $0 < object.key })
        }
    }

    mutating func remove(_ key: StoreKey) {
        if objects.removeValue(forKey: key) != nil { keys.remove(at: place { $0 < key }) }
    }

    /// The first place whose key does not lie before.
    private func place(isBefore: (StoreKey) -> Bool) -> Int {
        var (low, high) = (0, keys.count)
        while low < high {
            let middle = (low + high) / 2
            if isBefore(keys[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The places whose keys are in a range.
    private func places(_ range: KeyRange) -> Range<Int> {
        guard let namespace = range.namespace else {
            guard let name = range.name else { return 0..<keys.count }
            // A name without a namespace: an object of the cluster.
            let key = StoreKey(resource: range.resource, namespace: nil, name: name)
            let start = place { $0 < key }
            return start..<(start < keys.count && keys[start] == key ? start + 1 : start)
        }
        if let name = range.name {
            let key = StoreKey(resource: range.resource, namespace: namespace, name: name)
            let start = place { $0 < key }
            return start..<(start < keys.count && keys[start] == key ? start + 1 : start)
        }
        let start = place { StoreKey.segment($0.namespace ?? "", precedes: namespace) }
        return start..<place { !StoreKey.segment(namespace, precedes: $0.namespace ?? "") }
    }

    /// Objects of a range in the order of their keys.
    ///
    /// - Parameter past: What some keys held at the moment that is asked for; nil for those that were not there.
    func list(
        _ range: KeyRange, limit: Int?, after: StoreKey?, past: [StoreKey: StoredObject?]
    ) -> (items: [StoredObject], remaining: Int) {
        var places = places(range)
        if let after {
            let start = place { $0 <= after }
            places = max(places.lowerBound, start)..<max(places.lowerBound, start, places.upperBound)
        }
        if past.isEmpty {
            let count = min(limit ?? .max, places.count)
            let items = keys[places.prefix(count)].compactMap { objects[$0] }
            return (items, places.count - count)
        }
        var items = keys[places].compactMap { key in past[key] ?? objects[key] }
        let gone = past.values.compactMap { $0 }.filter { object in
            objects[object.key] == nil && range.contains(object.key) && after.map { $0 < object.key } ?? true
        }
        if !gone.isEmpty {
            items += gone
            items.sort { $0.key < $1.key }
        }
        let count = min(limit ?? .max, items.count)
        return (Array(items.prefix(count)), items.count - count)
    }
}

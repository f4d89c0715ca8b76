/// The whole store as a value: what is there now, and the history of how it came about.
///
/// It owns no lock, file or clock. Revisions are handed out by the caller and must be applied in order.
struct StoreState {
    /// Objects of one resource in the order of their keys.
    private struct Table {
        var keys: [StoreKey] = []
        var objects: [StoreKey: StoredObject] = [:]

        func place(of key: StoreKey) -> Int {
            var (low, high) = (0, keys.count)
            while low < high {
                let middle = (low + high) / 2
                if keys[middle] < key { low = middle + 1 } else { high = middle }
            }
            return low
        }

        mutating func set(_ object: StoredObject) {
            if objects.updateValue(object, forKey: object.key) == nil {
                keys.insert(object.key, at: place(of: object.key))
            }
        }

        mutating func remove(_ key: StoreKey) {
            if objects.removeValue(forKey: key) != nil { keys.remove(at: place(of: key)) }
        }
    }

    private(set) var revision: Revision
    /// Events up to and including this revision are gone.
    private(set) var compacted: Revision
    private let historyCount: Int
    private var tables: [String: Table] = [:]
    private var history: [StoreEvent] = []

    init(historyCount: Int, compacted: Revision = Revision(0)) {
        precondition(historyCount > 0, "a history of \(historyCount) events cannot serve a watch")
        self.historyCount = historyCount
        self.compacted = compacted
        revision = compacted
    }

    func get(_ key: StoreKey) -> StoredObject? { tables[key.resource]?.objects[key] }

    /// Puts back an object from before the history, while loading.
    mutating func restore(_ object: StoredObject) {
        tables[object.key.resource, default: Table()].set(object)
        revision = max(revision, object.revision)
    }

    /// Makes an event happen.
    ///
    /// Its revision must be above all earlier ones.
    mutating func apply(_ event: StoreEvent) {
        precondition(event.revision > revision, "revision \(event.revision) comes after \(revision)")
        revision = event.revision
        if event.kind == .deleted {
            tables[event.object.key.resource]?.remove(event.object.key)
        } else {
            tables[event.object.key.resource, default: Table()].set(event.object)
        }
        history.append(event)
        // Cut in blocks, so that the cost of moving the rest is shared by many writes.
        if history.count >= historyCount + max(16, historyCount / 4) {
            let cut = history.count - historyCount
            compacted = history[cut - 1].revision
            history.removeFirst(cut)
        }
    }

    private func firstEvent(after revision: Revision) -> Int {
        var (low, high) = (0, history.count)
        while low < high {
            let middle = (low + high) / 2
            if history[middle].revision <= revision { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func list(
        _ range: KeyRange, limit: Int?, after: StoreKey?, at wanted: Revision?
    ) throws(StoreError) -> (items: [StoredObject], revision: Revision, hasMore: Bool) {
        let at = wanted ?? revision
        guard at <= revision else { throw .future(revision) }
        guard at == revision || at >= compacted else { throw .compacted(compacted) }
        var table = tables[range.resource] ?? Table()
        if at < revision {
            for event in history[firstEvent(after: at)...].reversed() where event.object.key.resource == range.resource
            {
                if let previous = event.previous { table.set(previous) } else { table.remove(event.object.key) }
            }
        }
        var items: [StoredObject] = []
        var index = after.map { key in table.place(of: key) } ?? firstPlace(range, table)
        while index < table.keys.count {
            let key = table.keys[index]
            index += 1
            if let namespace = range.namespace, (key.namespace ?? "") > namespace { break }
            guard range.contains(key), key != after, let object = table.objects[key] else { continue }
            if let limit, items.count == limit { return (items, at, true) }
            items.append(object)
        }
        return (items, at, false)
    }

    private func firstPlace(_ range: KeyRange, _ table: Table) -> Int {
        guard let namespace = range.namespace else { return 0 }
        return table.place(of: StoreKey(resource: range.resource, namespace: namespace, name: range.name ?? ""))
    }

    /// Events of a range after a revision, oldest first; empty when there are none yet.
    func events(
        after cursor: Revision, in range: KeyRange, limit: Int
    ) throws(StoreError) -> (events: [StoreEvent], upTo: Revision) {
        guard cursor >= compacted else { throw .compacted(compacted) }
        var events: [StoreEvent] = []
        for event in history[firstEvent(after: cursor)...] where range.contains(event.object.key) {
            events.append(event)
            if events.count == limit { return (events, event.revision) }
        }
        return (events, max(cursor, revision))
    }
}

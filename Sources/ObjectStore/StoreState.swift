/// The whole store as a value: what is there now, and the history of how it came about.
///
/// It owns no lock, file or clock. Revisions are handed out by the caller and must be applied in order.
struct StoreState {
    private(set) var revision: Revision
    /// Events up to and including this revision are gone.
    private(set) var compacted: Revision
    private let historyCount: Int
    private let historyBytes: Int
    private var tables: [String: StoreTable] = [:]
    private var history: [StoreEvent] = []
    /// How much the objects of the history take, in bytes.
    private var historySize = 0

    /// However large the objects are, so many events are kept, if `historyCount` allows them.
    private static let historyCountMin = 1000

    /// - Parameters:
    ///   - historyCount: So many events are kept at least, unless their objects are larger than `historyBytes` together.
    init(historyCount: Int, historyBytes: Int = 16 << 20, compacted: Revision = Revision(0)) {
        precondition(historyCount > 0, "a history of \(historyCount) events cannot serve a watch")
        self.historyCount = historyCount
        self.historyBytes = historyBytes
        self.compacted = compacted
        revision = compacted
    }

    func get(_ key: StoreKey) -> StoredObject? { tables[key.resource]?[key] }

    /// Puts back an object from before the history, while loading.
    mutating func restore(_ object: StoredObject) {
        tables[object.key.resource, default: StoreTable()].set(object)
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
            tables[event.object.key.resource, default: StoreTable()].set(event.object)
        }
        history.append(event)
        historySize += event.object.bytes.count
        forgetValues()
        cutHistory()
    }

    /// Forgets the oldest events in blocks, so that the cost of moving the rest is shared by many writes.
    private mutating func cutHistory() {
        let isLong = history.count >= historyCount + max(16, historyCount / 4)
        let isLarge = historySize >= historyBytes + historyBytes / 4 && history.count >= 2 * Self.historyCountMin
        guard isLong || isLarge else { return }
        var cut = max(0, history.count - historyCount)
        var size = historySize - history[..<cut].reduce(0) { $0 + $1.object.bytes.count }
        while size > historyBytes, history.count - cut > Self.historyCountMin {
            size -= history[cut].object.bytes.count
            cut += 1
        }
        historySize = size
        compacted = history[cut - 1].revision
        history.removeFirst(cut)
    }

    /// Watchers that keep up have seen what lies so far back.
    private static let valuesKept = 128

    /// Lets go of the values of objects that are there no more, some events after they went.
    private func forgetValues() {
        guard history.count > Self.valuesKept else { return }
        let old = history[history.count - 1 - Self.valuesKept]
        old.previous?.forgetValue()
        if old.kind == .deleted { old.object.forgetValue() }
    }

    private func firstEvent(after revision: Revision) -> Int {
        // Whoever asks has mostly seen nearly everything, so the search begins at the end.
        var high = history.count
        var step = 1
        while high > 0 {
            let probe = max(0, high - step)
            if history[probe].revision <= revision {
                var low = probe + 1
                while low < high {
                    let middle = (low + high) / 2
                    if history[middle].revision <= revision { low = middle + 1 } else { high = middle }
                }
                return high
            }
            high = probe
            step *= 2
        }
        return 0
    }

    /// Objects of a range in the order of their keys, and how many more there are when the limit cut them off.
    func list(
        _ range: KeyRange, limit: Int?, after: StoreKey?, at wanted: Revision?
    ) throws(StoreError) -> StoreList {
        let at = wanted ?? revision
        guard at <= revision else { throw .future(revision) }
        guard at == revision || at >= compacted else { throw .compacted(compacted) }
        let table = tables[range.resource] ?? StoreTable()
        let past = at < revision ? past(of: range, at: at) : [:]
        let found = table.list(range, limit: limit, after: after, past: past)
        return StoreList(items: found.items, revision: at, remaining: found.remaining)
    }

    /// What keys held at a revision that have changed since; nil for those that were not there.
    private func past(of range: KeyRange, at revision: Revision) -> [StoreKey: StoredObject?] {
        var past: [StoreKey: StoredObject?] = [:]
        for event in history[firstEvent(after: revision)...] where range.contains(event.object.key) {
            let key = event.object.key
            if past[key] == nil { past[key] = .some(event.previous) }
        }
        return past
    }

    /// Events of a range after a revision, oldest first; empty when there are none yet.
    func events(
        after cursor: Revision, in range: KeyRange, limit: Int
    ) throws(StoreError) -> (events: [StoreEvent], upTo: Revision) {
        guard cursor >= compacted else { throw .compacted(compacted) }
        var events: [StoreEvent] = []
        guard cursor < revision else { return (events, cursor) }
        for event in history[firstEvent(after: cursor)...] where range.contains(event.object.key) {
            events.append(event)
            if events.count == limit { return (events, event.revision) }
        }
        return (events, max(cursor, revision))
    }

    /// Events from a revision on, oldest first, of the resources that `isWanted` names.
    func events(from first: Revision, where isWanted: (String) -> Bool) throws(StoreError) -> [StoreEvent] {
        guard first > compacted else { throw .compacted(compacted) }
        return history[firstEvent(after: Revision(first.rawValue - 1))...].filter { isWanted($0.object.key.resource) }
    }

    /// Whether something in the range has changed after a revision, or may have, the history being too short.
    func hasChanged(_ range: KeyRange, after cursor: Revision) -> Bool {
        guard cursor >= compacted else { return true }
        if cursor >= revision { return false }
        return history[firstEvent(after: cursor)...].contains { range.contains($0.object.key) }
    }
}

/// What a list gave.
public struct StoreList: Sendable {
    public let items: [StoredObject]
    /// The revision at which the items were read.
    public let revision: Revision
    /// How many objects of the range follow behind the limit.
    public let remaining: Int

    public var hasMore: Bool { remaining > 0 }
}

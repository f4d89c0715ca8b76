import HeapModule
public import KubeModel

/// What is to be reconciled, and when; a value that owns no clock.
///
/// A key is in the queue once: the earlier of two times wins. A key that is being worked on is not handed out again; asked for
/// meanwhile, it comes back when the work is done.
public struct WorkQueue<Instant: Comparable & Sendable>: Sendable {
    private struct Entry: Comparable, Sendable {
        var time: Instant
        var key: ObjectKey

        static func < (one: Self, other: Self) -> Bool { (one.time, one.key) < (other.time, other.key) }
    }

    private var due: [ObjectKey: Instant] = [:]
    /// Every key that is due and not being worked on; besides that, entries whose key or time does not hold any more.
    private var order = Heap<Entry>()
    private var working: Set<ObjectKey> = []
    private var failures: [ObjectKey: Int] = [:]
    /// Until when keys rest that were worked on a moment ago; now and then those are dropped that have rested.
    private var resting: [ObjectKey: Instant] = [:]
    private let restingMax = 64

    public init() {}

    public mutating func add(_ key: ObjectKey, at time: Instant) {
        let time = max(time, resting[key] ?? time)
        if let known = due[key], known <= time { return }
        due[key] = time
        if !working.contains(key) { order.insert(Entry(time: time, key: key)) }
    }

    /// Takes a key that is due and not being worked on; the one that has waited longest first.
    public mutating func take(now: Instant) -> ObjectKey? {
        if resting.count >= restingMax { resting = resting.filter { $0.value > now } }
        guard let next = next(), next.time <= now else { return nil }
        order.removeMin()
        due[next.key] = nil
        working.insert(next.key)
        return next.key
    }

    /// How many keys are being worked on.
    public var workingCount: Int { working.count }

    /// When the next key that nobody works on will be due; nil when there is none.
    public var nextTime: Instant? { mutating get { next()?.time } }

    /// The work on a key is done.
    ///
    /// - Parameter rest: The key is not handed out again before, whatever happens meanwhile.
    public mutating func finish(_ key: ObjectKey, rest: Instant? = nil) {
        if let rest {
            resting[key] = rest
            due[key] = due[key].map { max($0, rest) }
        }
        release(key)
        failures[key] = nil
    }

    /// The work on a key failed; returns how often that happened in a row before.
    public mutating func fail(_ key: ObjectKey) -> Int {
        release(key)
        let count = failures[key] ?? 0
        failures[key] = count + 1
        return count
    }

    private mutating func release(_ key: ObjectKey) {
        guard working.remove(key) != nil, let time = due[key] else { return }
        order.insert(Entry(time: time, key: key))
    }

    /// The first entry that holds, after what does not has been dropped.
    private mutating func next() -> Entry? {
        while let entry = order.min {
            if due[entry.key] == entry.time, !working.contains(entry.key) { return entry }
            order.removeMin()
        }
        return nil
    }
}

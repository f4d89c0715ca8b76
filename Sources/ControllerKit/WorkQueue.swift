public import KubeModel

/// What is to be reconciled, and when; a value that owns no clock.
///
/// A key is in the queue once: the earlier of two times wins. A key that is being worked on is not handed out again; asked for
/// meanwhile, it comes back when the work is done.
public struct WorkQueue<Instant: Comparable & Sendable>: Sendable {
    private var due: [ObjectKey: Instant] = [:]
    private var working: Set<ObjectKey> = []
    private var failures: [ObjectKey: Int] = [:]

    public init() {}

    public mutating func add(_ key: ObjectKey, at time: Instant) {
        due[key] = due[key].map { min($0, time) } ?? time
    }

    /// Takes a key that is due and not being worked on; the one that has waited longest first.
    public mutating func take(now: Instant) -> ObjectKey? {
        let ready = due.filter { $0.value <= now && !working.contains($0.key) }
        guard let key = ready.min(by: { ($0.value, $0.key) < ($1.value, $1.key) })?.key else { return nil }
        due[key] = nil
        working.insert(key)
        return key
    }

    /// How many keys are being worked on.
    public var workingCount: Int { working.count }

    /// When the next key that nobody works on will be due; nil when there is none.
    public var nextTime: Instant? { due.filter { !working.contains($0.key) }.values.min() }

    /// The work on a key is done.
    public mutating func finish(_ key: ObjectKey) {
        working.remove(key)
        failures[key] = nil
    }

    /// The work on a key failed; returns how often that happened in a row before.
    public mutating func fail(_ key: ObjectKey) -> Int {
        working.remove(key)
        let count = failures[key] ?? 0
        failures[key] = count + 1
        return count
    }
}

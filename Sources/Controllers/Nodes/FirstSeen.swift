import KubeModel
import Synchronization

/// When something about an object was seen first: what waits are counted from.
final class FirstSeen: Sendable {
    private let moments = Mutex<[ObjectKey: ContinuousClock.Instant]>([:])

    /// How long it is so; zero when it is seen for the first time now.
    func since(_ key: ObjectKey) -> Duration {
        let now = ContinuousClock.now
        return now
            - moments.withLock { moments in
                let first = moments[key] ?? now
                moments[key] = first
                return first
            }
    }

    /// It is so no longer; false if it never was.
    @discardableResult
    func forget(_ key: ObjectKey) -> Bool { moments.withLock { $0.removeValue(forKey: key) != nil } }
}

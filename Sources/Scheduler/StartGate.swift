import ControllerKit
import Glibc
import KubeModel
import Synchronization

/// Lets only a few pods at a time be on the way from their node's name to a running process.
///
/// All nodes are one machine: pods that were bound faster than it starts them would share its processors, and each would run as
/// late as the last. So a pod waits before it is bound and not after, and takes some milliseconds from there. Nobody waits long for
/// a pod that waits for something else than processors.
final class StartGate: Sendable {
    private let countMax: Int
    private let timeMax: Duration
    private let starting = Mutex<[ObjectKey: ContinuousClock.Instant]>([:])
    private let room = Bell()

    /// A start keeps several processors busy: with one for four processors each takes two thirds of the time that it takes beside
    /// another one.
    static var forThisMachine: StartGate {
        StartGate(countMax: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)) / 4), timeMax: .milliseconds(25))
    }

    /// - Parameters:
    ///   - countMax: So many pods at a time.
    ///   - timeMax: A pod that has not started after so long is not waited for any more.
    init(countMax: Int, timeMax: Duration) {
        self.countMax = countMax
        self.timeMax = timeMax
    }

    /// Waits until there is room for one more pod, and takes it; one caller at a time.
    func enter(_ pod: ObjectKey) async {
        while let end = take(pod), !Task.isCancelled { await room.wait(until: end) }
    }

    /// Whether a pod that has a node keeps its processors busy no longer: it runs, or it stands on its node without having got an
    /// address yet, where its states stay in sight for a while.
    static func isThrough(_ pod: Pod) -> Bool {
        pod.phase != "Pending" || pod.object.value[["status", "startTime"]] != nil && pod.podIP.isEmpty
    }

    /// The pod is through, or gone.
    func leave(_ pod: ObjectKey) {
        if starting.withLock({ $0.removeValue(forKey: pod) }) != nil { room.ring() }
    }

    /// Takes room for a pod; if there is none, says when there will be some at the latest.
    private func take(_ pod: ObjectKey) -> ContinuousClock.Instant? {
        starting.withLock { starting in
            let now = ContinuousClock.now
            starting = starting.filter { $0.value > now }
            if starting.count >= countMax { return starting.values.min() }
            starting[pod] = now + timeMax
            return nil
        }
    }
}

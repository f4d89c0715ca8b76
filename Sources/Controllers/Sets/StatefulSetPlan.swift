import KubeModel

/// What a StatefulSet does next with its pods.
///
/// The rules are Kubernetes' own (docs, "StatefulSet", deployment and scaling guarantees, update strategies): pods come from the
/// first to the last and go from the last to the first, and with the policy OrderedReady one waits for the other.
struct StatefulSetPlan: Equatable, Sendable {
    /// A pod to make.
    struct Creation: Equatable, Sendable {
        let ordinal: Int
        /// Of the newest template, or of the one before an update.
        let isUpdated: Bool
    }

    var creations: [Creation] = []
    var deletions: [String] = []
    /// Pods of these that ended and are to be made anew; also in `deletions`.
    var ended: [String] = []
    /// Pods that scaling down takes away, now or later.
    var condemned: [String] = []
    /// A pod is ready and has to stay so for a while.
    var waitsForAvailability = false

    init(_ set: StatefulSet, pods: [Pod], currentRevision: String, updateRevision: String, now: Timestamp) {
        let wanted = set.start..<(set.start + set.replicas)
        var slots: [Int: Pod] = [:]
        var leaving: [Pod] = []
        for pod in pods {
            guard let ordinal = pod.ordinal(in: set.name) else { continue }
            if wanted.contains(ordinal) { slots[ordinal] = pod } else { leaving.append(pod) }
        }
        leaving.sort { $0.ordinal(in: set.name) ?? 0 > $1.ordinal(in: set.name) ?? 0 }
        condemned = leaving.map(\.name)
        waitsForAvailability = pods.contains {
            $0.isReady && !$0.isAvailable(minReadySeconds: set.minReadySeconds, now: now)
        }
        func isAvailable(_ pod: Pod) -> Bool {
            pod.phase == "Running" && !pod.object.isBeingDeleted
                && pod.isAvailable(minReadySeconds: set.minReadySeconds, now: now)
        }
        guard
            fill(
                set, wanted, slots, isAvailable, currentRevision: currentRevision, updateRevision: updateRevision),
            shrink(set, leaving, hasUnhealthy: slots.values.contains { !$0.isHealthy }, isAvailable)
        else { return }
        if set.rollsUpdates { roll(set, wanted, slots, updateRevision) }
    }

    /// Makes what is missing; false when the rest has to wait.
    private mutating func fill(
        _ set: StatefulSet, _ wanted: Range<Int>, _ slots: [Int: Pod], _ isAvailable: (Pod) -> Bool,
        currentRevision: String, updateRevision: String
    ) -> Bool {
        var waits = false
        for ordinal in wanted {
            guard let pod = slots[ordinal] else {
                let isUpdated =
                    currentRevision == updateRevision
                    || !Self.isKept(ordinal, set, currentReplicas: set.status["currentReplicas"]?.int ?? 0)
                creations.append(Creation(ordinal: ordinal, isUpdated: isUpdated))
                if set.isOrdered { return false }
                continue
            }
            if pod.isTerminal {
                if !pod.object.isBeingDeleted {
                    deletions.append(pod.name)
                    ended.append(pod.name)
                }
                // Its successor is made when it is gone.
                if set.isOrdered { return false }
                waits = true
                continue
            }
            if set.isOrdered, !isAvailable(pod) { return false }
        }
        return !waits
    }

    /// Whether a pod of this number stays at the state before the update.
    private static func isKept(_ ordinal: Int, _ set: StatefulSet, currentReplicas: Int) -> Bool {
        guard set.rollsUpdates else { return false }
        return ordinal < set.start + (set.partition ?? currentReplicas)
    }

    /// Takes away what is too much; false when the rest has to wait.
    private mutating func shrink(
        _ set: StatefulSet, _ leaving: [Pod], hasUnhealthy: Bool, _ isAvailable: (Pod) -> Bool
    ) -> Bool {
        guard set.isOrdered else {
            deletions += leaving.filter { !$0.object.isBeingDeleted }.map(\.name)
            return true
        }
        guard let last = leaving.first else { return true }
        if last.object.isBeingDeleted { return false }
        // One that is not well goes only if it is the first that is not: otherwise two would be missing.
        let firstUnhealthy = hasUnhealthy ? nil : leaving.last { !$0.isHealthy }
        if !isAvailable(last), last.name != firstUnhealthy?.name { return false }
        deletions.append(last.name)
        return false
    }

    /// Replaces one pod of another state, from the last to the first, when those after it are well.
    private mutating func roll(
        _ set: StatefulSet, _ wanted: Range<Int>, _ slots: [Int: Pod], _ updateRevision: String
    ) {
        let first = set.start + (set.partition ?? 0)
        for ordinal in wanted.reversed() where ordinal >= first {
            guard let pod = slots[ordinal] else { return }
            if pod.revision != updateRevision, !pod.object.isBeingDeleted {
                deletions.append(pod.name)
                return
            }
            if !pod.isHealthy { return }
        }
    }
}

extension Pod {
    /// The number in the name of a pod of a StatefulSet.
    func ordinal(in set: String) -> Int? {
        guard name.hasPrefix("\(set)-") else { return nil }
        let digits = name.dropFirst(set.count + 1)
        guard let number = Int(digits), "\(number)" == digits else { return nil }
        return number
    }

    /// The name or hash of the ControllerRevision that the pod was made from.
    var revision: String { object.labels[StatefulSet.revisionLabel] ?? "" }

    /// Runs, is ready, and stays.
    var isHealthy: Bool { phase == "Running" && isReady && !object.isBeingDeleted }
}

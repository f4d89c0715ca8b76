import KubeModel

/// How many pods a ReplicaSet has to make, and which it has to remove.
struct ReplicaPlan: Equatable, Sendable {
    var creations = 0
    /// Names, the least useful pod first.
    var deletions: [String] = []

    /// `pods` are the active ones of the set, in any order.
    init(wanted: Int, pods: [Pod]) {
        if pods.count < wanted {
            creations = wanted - pods.count
        } else if pods.count > wanted {
            let ranked = pods.sorted(by: Self.goesFirst(countingNodes(of: pods)))
            deletions = ranked.prefix(pods.count - wanted).map(\.name)
        }
    }

    /// Kubernetes' order of victims.
    ///
    /// Not assigned, pending, not ready, cheaper by annotation, crowded node, ready for a shorter time, restarted more
    /// often, younger. Source: Kubernetes docs, "ReplicaSet", scaling down.
    private static func goesFirst(_ crowd: [String: Int]) -> (Pod, Pod) -> Bool {
        { left, right in
            if left.isScheduled != right.isScheduled { return !left.isScheduled }
            let phases = ["Pending": 0, "Unknown": 1, "Running": 2]
            let (leftPhase, rightPhase) = (phases[left.phase] ?? 0, phases[right.phase] ?? 0)
            if leftPhase != rightPhase { return leftPhase < rightPhase }
            if left.isReady != right.isReady { return !left.isReady }
            if left.deletionCost != right.deletionCost { return left.deletionCost < right.deletionCost }
            let (leftCrowd, rightCrowd) = (crowd[left.nodeName] ?? 0, crowd[right.nodeName] ?? 0)
            if leftCrowd != rightCrowd { return leftCrowd > rightCrowd }
            if let leftTime = left.readySince, let rightTime = right.readySince, leftTime != rightTime {
                return leftTime > rightTime
            }
            if left.restartCount != right.restartCount { return left.restartCount > right.restartCount }
            let origin = Timestamp(seconds: 0)
            let (leftBirth, rightBirth) = (
                left.object.creationTimestamp ?? origin, right.object.creationTimestamp ?? origin
            )
            if leftBirth != rightBirth { return leftBirth > rightBirth }
            return left.name > right.name
        }
    }
}

extension Pod {
    /// What its owner says that it would lose with it; nothing said is 0.
    fileprivate var deletionCost: Int {
        object.annotations["controller.kubernetes.io/pod-deletion-cost"].flatMap { Int($0) } ?? 0
    }
}

private func countingNodes(of pods: [Pod]) -> [String: Int] {
    Dictionary(pods.map { ($0.nodeName, 1) }, uniquingKeysWith: +)
}

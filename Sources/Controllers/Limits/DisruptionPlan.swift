import KubeModel

/// What a PodDisruptionBudget allows, from the pods that it counts.
struct DisruptionPlan: Equatable, Sendable {
    /// How long a granted eviction counts as under way.
    static let deletionTime = Duration.seconds(120)

    /// The status, without its conditions.
    let expectedPods: Int
    let currentHealthy: Int
    let desiredHealthy: Int
    let disruptionsAllowed: Int
    let disruptedPods: [String: Timestamp]
    /// Pods whose eviction was granted and that are still there although their time is over.
    let undeletedPods: [String]
    /// When the first of the granted evictions is over its time; nil if there is none.
    let nextCheck: Timestamp?

    /// - Parameters:
    ///   - scale: The wished number of pods of all their controllers; only asked for where the budget is a share.
    init(budget: DisruptionBudget, pods: [Pod], scale: Int, now: Timestamp) {
        let minAvailable = budget.spec["minAvailable"]
        if let maxUnavailable = budget.spec["maxUnavailable"] {
            expectedPods = scale
            desiredHealthy = max(0, scale - (IntOrPercent(maxUnavailable).scaled(total: scale, roundsUp: true) ?? 0))
        } else if let count = minAvailable?.int {
            expectedPods = pods.count
            desiredHealthy = count
        } else if let minAvailable {
            expectedPods = scale
            desiredHealthy = IntOrPercent(minAvailable).scaled(total: scale, roundsUp: true) ?? 0
        } else {
            expectedPods = 0
            desiredHealthy = 0
        }
        var (granted, late) = ([String: Timestamp](), [String]())
        for pod in pods where !pod.object.isBeingDeleted {
            guard let moment = budget.disruptedPods[pod.name] else { continue }
            if moment + Self.deletionTime > now { granted[pod.name] = moment } else { late.append(pod.name) }
        }
        disruptedPods = granted
        undeletedPods = late
        nextCheck = granted.values.min().map { $0 + Self.deletionTime }
        currentHealthy = pods.count { !$0.object.isBeingDeleted && granted[$0.name] == nil && $0.isReady }
        disruptionsAllowed = expectedPods > 0 ? max(0, currentHealthy - desiredHealthy) : 0
    }

    /// Whether a share of the pods' controllers is needed to know what the budget allows.
    static func needsScale(_ budget: DisruptionBudget) -> Bool {
        budget.spec["maxUnavailable"] != nil || budget.spec["minAvailable"]?.string != nil
    }

    /// The budget with its new status.
    func applied(to budget: DisruptionBudget, now: Timestamp) -> DisruptionBudget {
        var status: JSONValue = ["observedGeneration": JSONValue(budget.object.generation)]
        for (name, moment) in disruptedPods.sorted(by: { $0.key < $1.key }) {
            status[["disruptedPods", name]] = .string(moment.text)
        }
        status["disruptionsAllowed"] = JSONValue(disruptionsAllowed)
        status["currentHealthy"] = JSONValue(currentHealthy)
        status["desiredHealthy"] = JSONValue(desiredHealthy)
        status["expectedPods"] = JSONValue(expectedPods)
        status["conditions"] = budget.status["conditions"]
        var changed = budget
        changed.object.value["status"] = status
        changed.updateCondition(now: now)
        return changed
    }
}

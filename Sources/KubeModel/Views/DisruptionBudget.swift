/// A view of a `policy/v1.PodDisruptionBudget`.
public struct DisruptionBudget: ObjectView {
    public var object: KubeObject

    public init(_ object: KubeObject) { self.object = object }

    public var disruptionsAllowed: Int { status["disruptionsAllowed"]?.int ?? 0 }
    public var currentHealthy: Int { status["currentHealthy"]?.int ?? 0 }
    public var desiredHealthy: Int { status["desiredHealthy"]?.int ?? 0 }
    public var observedGeneration: Int { status["observedGeneration"]?.int ?? 0 }
    public var conditions: Conditions { Conditions(status["conditions"]) }
    /// Whether pods that run but are not ready may always go.
    public var alwaysAllowsUnhealthy: Bool { spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow" }

    /// Whether the budget counts a pod of these labels; without a selector it counts none.
    public func selects(_ labels: [String: String]) -> Bool {
        guard let selector = spec["selector"], selector.object != nil else { return false }
        return LabelSelector(selector).matches(labels)
    }

    /// Pods whose eviction was granted, with the moment of the grant.
    public var disruptedPods: [String: Timestamp] {
        var pods: [String: Timestamp] = [:]
        for (name, moment) in status["disruptedPods"]?.object ?? [:] {
            pods[name] = moment.string.flatMap(Timestamp.init(parsing:))
        }
        return pods
    }

    public static let allowedCondition = "DisruptionAllowed"

    /// The condition that says whether a pod may go, from what the status allows.
    public mutating func updateCondition(now: Timestamp) {
        let isAllowed = disruptionsAllowed > 0
        setCondition(isAllowed, reason: isAllowed ? "SufficientPods" : "InsufficientPods", message: "", now: now)
    }

    public mutating func setCondition(_ isAllowed: Bool, reason: String, message: String, now: Timestamp) {
        var condition = StatusCondition(Self.allowedCondition, isAllowed, reason: reason, at: now)
        condition.value["message"] = .string(message)
        if observedGeneration > 0 { condition.value["observedGeneration"] = JSONValue(observedGeneration) }
        var conditions = conditions
        if let old = conditions[Self.allowedCondition], old.status == condition.status,
            let time = old.value["lastTransitionTime"]
        {
            condition.value["lastTransitionTime"] = time
        }
        conditions.remove(Self.allowedCondition)
        conditions.set(condition)
        object.value[["status", "conditions"]] = conditions.value
    }
}

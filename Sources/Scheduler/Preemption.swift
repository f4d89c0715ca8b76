import KubeModel

/// Which pods would have to go so that a pod of more priority finds room, and where.
///
/// Source: Kubernetes docs, "Pod Priority and Preemption".
enum Preemption: Equatable, Sendable {
    case victims([Pod], node: String)
    /// Pods are on their way out already.
    case underway(because: String)
    /// Nothing that could be ended would help, in the words of the `FailedScheduling` event.
    case none(because: String)

    /// - Parameters:
    ///   - candidates: The nodes that refused the pod for a reason that the end of other pods could lift.
    ///   - picture: All nodes with their pods, and the budgets that are respected as far as possible.
    init(_ pod: Pod, candidates: [NodeState], in picture: ClusterPicture) {
        if pod.spec["preemptionPolicy"]?.string == "Never" {
            self = .none(because: "not eligible due to preemptionPolicy=Never.")
            return
        }
        if Self.isUnderway(pod, picture.nodes) {
            self = .underway(because: "not eligible due to a terminating pod on the nominated node.")
            return
        }
        var choices: [Choice] = []
        var refusals: [String: Int] = [:]
        for node in candidates {
            switch Self.choose(pod, on: node, picture) {
            case .success(let choice): choices.append(choice)
            case .failure(let why): for reason in why.reasons { refusals[reason, default: 0] += 1 }
            }
        }
        if let best = choices.min(by: { $0.isBetter(than: $1) }) {
            self = .victims(best.victims, node: best.node)
        } else {
            refusals["Preemption is not helpful for scheduling"] = picture.nodes.count - candidates.count
            self = .none(because: SchedulingDecision.list(refusals, nodes: picture.nodes.count))
        }
    }

    /// On the node on which room is being made for the pod, somebody is still on the way out.
    private static func isUnderway(_ pod: Pod, _ nodes: [NodeState]) -> Bool {
        nodes.first { $0.name == pod.nominatedNodeName }?.pods.contains { other in
            other.priority < pod.priority && other.object.isBeingDeleted
                && other.conditions["DisruptionTarget"]?.reason == reason
        } ?? false
    }

    /// The reason in the condition of a pod that has to go.
    static let reason = "PreemptionByScheduler"

    // MARK: One node

    private struct NoHelp: Error { var reasons: [String] }

    /// Ends as few pods as it can: all of less priority at first, of which as many as possible may stay after all.
    private static func choose(
        _ pod: Pod, on node: NodeState, _ picture: ClusterPicture
    ) -> Result<Choice, NoHelp> {
        let weaker = node.pods.filter { $0.priority < pod.priority }.sorted(by: isMoreImportant)
        guard !weaker.isEmpty else {
            return .failure(NoHelp(reasons: ["No preemption victims found for incoming pod"]))
        }
        var state = node
        for other in weaker { state.remove(other.key) }
        if let refusal = refusal(pod, state, picture) { return .failure(NoHelp(reasons: refusal.reasons)) }
        var victims: [Pod] = []
        var violations = 0
        let (guarded, free) = split(weaker, by: picture.budgets)
        for (group, isGuarded) in [(guarded, true), (free, false)] {
            for other in group {
                state.add(other)
                if refusal(pod, state, picture) == nil { continue }
                state.remove(other.key)
                victims.append(other)
                if isGuarded { violations += 1 }
            }
        }
        return .success(Choice(node: node.name, victims: victims.sorted(by: isMoreImportant), violations: violations))
    }

    /// What a node would say if its pods were others; where pods lie counts, so that everything is looked at anew.
    private static func refusal(_ pod: Pod, _ node: NodeState, _ picture: ClusterPicture) -> Refusal? {
        var picture = picture
        picture.nodes = picture.nodes.map { $0.name == node.name ? node : $0 }
        return Predicates(for: pod, in: picture).refusal(pod, node)
    }

    private static func isMoreImportant(_ one: Pod, _ other: Pod) -> Bool {
        if one.priority != other.priority { return one.priority > other.priority }
        return (started(one), one.key) < (started(other), other.key)
    }

    fileprivate static func started(_ pod: Pod) -> String {
        pod.object.value[["status", "startTime"]]?.string ?? "9999"
    }

    /// Pods whose end a budget does not allow, and the others.
    private static func split(_ pods: [Pod], by budgets: [DisruptionBudget]) -> (guarded: [Pod], free: [Pod]) {
        var allowed = budgets.map(\.disruptionsAllowed)
        var guarded: [Pod] = []
        var free: [Pod] = []
        for pod in pods {
            var isGuarded = false
            for (index, budget) in budgets.enumerated() {
                guard budget.object.namespace == pod.object.namespace, budget.selects(pod.object.labels),
                    budget.disruptedPods[pod.name] == nil
                else { continue }
                allowed[index] -= 1
                if allowed[index] < 0 { isGuarded = true }
            }
            if isGuarded { guarded.append(pod) } else { free.append(pod) }
        }
        return (guarded, free)
    }

    /// What it would take on one node.
    private struct Choice {
        var node: String
        /// The most important first.
        var victims: [Pod]
        /// How many of them a budget would keep.
        var violations: Int

        /// Fewer broken budgets, then less important victims, then less importance in sum, then fewer, then younger ones.
        func isBetter(than other: Self) -> Bool {
            if violations != other.violations { return violations < other.violations }
            if highest != other.highest { return highest < other.highest }
            if sum != other.sum { return sum < other.sum }
            if victims.count != other.victims.count { return victims.count < other.victims.count }
            return earliest > other.earliest
        }

        private var highest: Int { victims.first?.priority ?? Int.min }
        /// Every victim weighs something, also one of negative priority.
        private var sum: Int { victims.reduce(0) { $0 + $1.priority + (1 << 31) } }
        private var earliest: String {
            victims.filter { $0.priority == highest }.map(Preemption.started).min() ?? ""
        }
    }
}

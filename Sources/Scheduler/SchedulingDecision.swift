import KubeModel

/// Where a pod goes, or why it goes nowhere.
enum SchedulingDecision: Equatable, Sendable {
    case node(String)
    case none(because: String)

    static let predicates: [any Predicate] = [
        NodeUnschedulable(), NodeReadiness(), TaintToleration(), NodeAffinity(), HostPortsFree(), ResourcesFit(),
    ]

    /// Filter, score, choose.
    init(_ pod: Pod, nodes: [NodeState]) {
        var reasons: [String: Int] = [:]
        var helped = 0
        var fitting: [NodeState] = []
        for node in nodes {
            // The first predicate that refuses speaks for the node, as in Kubernetes.
            let refusals = Self.predicates.lazy.map { ($0, $0.verdict(pod, node)) }
            if let (predicate, refusal) = refusals.first(where: { !$0.1.isEmpty }) {
                for reason in refusal { reasons[reason, default: 0] += 1 }
                if predicate.isHelpedByPreemption { helped += 1 }
            } else {
                fitting.append(node)
            }
        }
        let best = fitting.max { (Self.score(pod, $0), $1.name) < (Self.score(pod, $1), $0.name) }
        if let best {
            self = .node(best.name)
        } else {
            self = .none(because: Self.sentence(reasons, nodes: nodes.count, helped: helped))
        }
    }

    /// More free room is better, and so are fewer pods of the same owner.
    private static func score(_ pod: Pod, _ node: NodeState) -> Double {
        let free = ["cpu", "memory"].map { resource -> Double in
            let total = Double(node.allocatable(resource).milliValue)
            guard total > 0 else { return 0 }
            return (total - Double((node.used(resource) + pod.requests(resource)).milliValue)) / total
        }
        let owner = pod.object.controllerOwner?.uid
        let siblings = owner == nil ? 0 : node.pods.count { $0.object.controllerOwner?.uid == owner }
        return free.reduce(0, +) / 2 - Double(siblings) / 10
    }

    /// The message of the event.
    ///
    /// - Parameters:
    ///   - reasons: How many nodes said what.
    ///   - nodes: How many nodes there are.
    ///   - helped: On how many of them it would help to end other pods; there is never one that may be ended.
    /// - Returns: The text as kube-scheduler writes it.
    private static func sentence(_ reasons: [String: Int], nodes: Int, helped: Int) -> String {
        guard nodes > 0 else { return "no nodes available to schedule pods" }
        let preemption = [
            "No preemption victims found for incoming pod": helped,
            "Preemption is not helpful for scheduling": nodes - helped,
        ]
        return "\(list(reasons, nodes: nodes)) preemption: \(list(preemption, nodes: nodes))"
    }

    private static func list(_ reasons: [String: Int], nodes: Int) -> String {
        let list = reasons.filter { $0.value > 0 }.map { "\($0.value) \($0.key)" }.sorted().joined(separator: ", ")
        return "0/\(nodes) nodes are available: \(list)."
    }
}

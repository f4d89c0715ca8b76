import KubeModel

/// Where a pod goes, or why it goes nowhere.
enum SchedulingDecision: Equatable, Sendable {
    case node(String)
    case none(because: String)

    static let predicates: [any Predicate] = [
        NodeUnschedulable(), NodeReadiness(), TaintToleration(), NodeAffinity(), ResourcesFit(), HostPortsFree(),
    ]

    /// Filter, score, choose.
    init(_ pod: Pod, nodes: [NodeState]) {
        var reasons: [String: Int] = [:]
        var fitting: [NodeState] = []
        for node in nodes {
            // The first predicate that refuses speaks for the node, as in Kubernetes.
            if let refusal = Self.predicates.lazy.map({ $0.verdict(pod, node) }).first(where: { !$0.isEmpty }) {
                for reason in refusal { reasons[reason, default: 0] += 1 }
            } else {
                fitting.append(node)
            }
        }
        let best = fitting.max { (Self.score(pod, $0), $1.name) < (Self.score(pod, $1), $0.name) }
        if let best {
            self = .node(best.name)
        } else {
            self = .none(because: Self.sentence(reasons, nodes: nodes.count))
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

    private static func sentence(_ reasons: [String: Int], nodes: Int) -> String {
        guard nodes > 0 else { return "no nodes available to schedule pods" }
        let list = reasons.map { "\($0.value) \($0.key)" }.sorted().joined(separator: ", ")
        let isResolvable = reasons.keys.contains { $0.hasPrefix("Insufficient") || $0 == "Too many pods" }
        let preemption =
            isResolvable ? "No preemption victims found for incoming pod" : "Preemption is not helpful for scheduling"
        return
            "0/\(nodes) nodes are available: \(list). preemption: 0/\(nodes) nodes are available: \(nodes) \(preemption)."
    }
}

import KubeModel

/// Where a pod goes, or why it goes nowhere.
enum SchedulingDecision: Equatable, Sendable {
    case node(String)
    /// It may go to the node when these pods have ended.
    case preempting([Pod], node: String, because: String)
    /// Room is being made for it.
    case waiting(because: String)
    case none(because: String)

    static let predicates: [any Predicate] = [
        NodeUnschedulable(), NodeReadiness(), TaintToleration(), NodeAffinity(), HostPortsFree(), ResourcesFit(),
    ]

    /// Filter, score, choose; where nothing fits, see who would have to make room.
    init(_ pod: Pod, nodes: [NodeState], budgets: [DisruptionBudget] = []) {
        var reasons: [String: Int] = [:]
        var helped: [NodeState] = []
        var fitting: [NodeState] = []
        for node in nodes {
            // The first predicate that refuses speaks for the node, as in Kubernetes.
            let refusals = Self.predicates.lazy.map { ($0, $0.verdict(pod, node)) }
            if let (predicate, refusal) = refusals.first(where: { !$0.1.isEmpty }) {
                for reason in refusal { reasons[reason, default: 0] += 1 }
                if predicate.isHelpedByPreemption { helped.append(node) }
            } else {
                fitting.append(node)
            }
        }
        let best = fitting.max { (Self.score(pod, $0), $1.name) < (Self.score(pod, $1), $0.name) }
        if let best {
            self = .node(best.name)
        } else if nodes.isEmpty {
            self = .none(because: "no nodes available to schedule pods")
        } else {
            let sentence = Self.list(reasons, nodes: nodes.count)
            switch Preemption(pod, candidates: helped, nodes: nodes, budgets: budgets) {
            case .victims(let victims, let node): self = .preempting(victims, node: node, because: sentence)
            case .underway(let why): self = .waiting(because: "\(sentence) preemption: \(why)")
            case .none(let why): self = .none(because: "\(sentence) preemption: \(why)")
            }
        }
    }

    /// Why a node is unfit; empty if it is not.
    static func refusal(_ pod: Pod, _ node: NodeState) -> [String] {
        predicates.lazy.map { $0.verdict(pod, node) }.first { !$0.isEmpty } ?? []
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

    /// The message of the event, as kube-scheduler writes it.
    ///
    /// - Parameter reasons: How many nodes said what.
    static func list(_ reasons: [String: Int], nodes: Int) -> String {
        let list = reasons.filter { $0.value > 0 }.map { "\($0.value) \($0.key)" }.sorted().joined(separator: ", ")
        return "0/\(nodes) nodes are available: \(list)."
    }
}

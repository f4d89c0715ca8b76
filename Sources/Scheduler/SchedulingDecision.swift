import KubeModel

/// Where a pod goes, or why it goes nowhere.
enum SchedulingDecision: Equatable, Sendable {
    case node(String)
    /// It may go to the node when these pods have ended.
    case preempting([Pod], node: String, because: String)
    /// Room is being made for it.
    case waiting(because: String)
    case none(because: String)

    /// Filter, score, choose; where nothing fits, see who would have to make room.
    init(_ pod: Pod, in picture: ClusterPicture) {
        let predicates = Predicates(for: pod, in: picture)
        var reasons: [String: Int] = [:]
        var helped: [NodeState] = []
        var fitting: [NodeState] = []
        for node in picture.nodes {
            if let refusal = predicates.refusal(pod, node) {
                for reason in refusal.reasons { reasons[reason, default: 0] += 1 }
                if refusal.isHelpedByPreemption { helped.append(node) }
            } else {
                fitting.append(node)
            }
        }
        if let best = NodeScores(pod, fitting, in: picture).best(of: fitting) {
            self = .node(best.name)
        } else if picture.nodes.isEmpty {
            self = .none(because: "no nodes available to schedule pods")
        } else {
            let sentence = Self.list(reasons, nodes: picture.nodes.count)
            switch Preemption(pod, candidates: helped, in: picture) {
            case .victims(let victims, let node): self = .preempting(victims, node: node, because: sentence)
            case .underway(let why): self = .waiting(because: "\(sentence) preemption: \(why)")
            case .none(let why): self = .none(because: "\(sentence) preemption: \(why)")
            }
        }
    }

    /// The message of the event, as kube-scheduler writes it.
    ///
    /// - Parameter reasons: How many nodes said what.
    static func list(_ reasons: [String: Int], nodes: Int) -> String {
        let list = reasons.filter { $0.value > 0 }.map { "\($0.value) \($0.key)" }.sorted().joined(separator: ", ")
        return "0/\(nodes) nodes are available: \(list)."
    }
}

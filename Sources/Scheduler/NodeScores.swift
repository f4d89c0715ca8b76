import KubeModel

/// Which of the nodes that a pod fits on is best: points from 0 to 100 for each view, and the weights that Kubernetes gives them.
struct NodeScores: Sendable {
    private var points: [String: Double] = [:]

    init(_ pod: Pod, _ nodes: [NodeState], in picture: ClusterPicture) {
        guard nodes.count > 1 else { return }
        add(3, nodes, lessIsBetter: true) { Double($0.match.discouraging(pod.tolerations)) }
        add(2, nodes) { Double($0.match.preference(pod.spec)) }
        addPreferredNeighbours(pod, nodes, picture)
        let soft = SpreadConstraint.all("ScheduleAnyway", of: pod, in: picture)
        if soft.isEmpty {
            // Pods of one owner lie apart unless they say otherwise.
            let owner = pod.object.controllerOwner?.uid
            add(2, nodes, lessIsBetter: true) { node in
                owner.map { Double(node.podCount(ownedBy: $0)) } ?? 0
            }
        } else {
            add(2, nodes, lessIsBetter: true) { node in
                soft.reduce(0) { $0 + Double($1.skew(on: node) ?? Int(Int16.max)) }
            }
        }
        for node in nodes { points[node.name, default: 0] += Self.freeRoom(pod, node) }
    }

    /// The best node; of equals the first by name.
    func best(of nodes: [NodeState]) -> NodeState? {
        nodes.max { (points[$0.name] ?? 0, $1.name) < (points[$1.name] ?? 0, $0.name) }
    }

    /// Adds a view, stretched so that the nodes differ by 100 points at most.
    private mutating func add(
        _ weight: Double, _ nodes: [NodeState], lessIsBetter: Bool = false, _ value: (NodeState) -> Double
    ) {
        let values = nodes.map(value)
        guard let least = values.min(), let most = values.max(), most > least else { return }
        for (node, value) in zip(nodes, values) {
            let share = (value - least) / (most - least)
            points[node.name, default: 0] += weight * 100 * (lessIsBetter ? 1 - share : share)
        }
    }

    /// The preferred affinity of the pod to others, and of others to it.
    private mutating func addPreferredNeighbours(_ pod: Pod, _ nodes: [NodeState], _ picture: ClusterPicture) {
        var worth: [TopologyPair: Int] = [:]
        for (kind, sign) in [("podAffinity", 1), ("podAntiAffinity", -1)] {
            let own = PodAffinityTerm.preferred(kind, of: pod)
            for node in picture.nodes {
                let its = node.wishfulPods.flatMap { PodAffinityTerm.preferred(kind, of: $0) }
                var terms = its.filter { $0.matches(pod, picture) }
                for term in own { terms += node.pods.lazy.filter { term.matches($0, picture) }.map { _ in term } }
                for term in terms {
                    if let place = term.place(of: node) { worth[place, default: 0] += sign * term.weight }
                }
            }
        }
        guard !worth.isEmpty else { return }
        add(2, nodes) { node in
            let labels = node.node.labels
            return worth.reduce(0) { labels[$1.key.key] == $1.key.value ? $0 + Double($1.value) : $0 }
        }
    }

    private static func freeRoom(_ pod: Pod, _ node: NodeState) -> Double {
        let free = ["cpu", "memory"].map { resource -> Double in
            let total = Double(node.allocatable(resource).milliValue)
            guard total > 0 else { return 0 }
            return (total - Double((node.used(resource) + pod.requests(resource)).milliValue)) / total
        }
        return max(0, free.reduce(0, +) / 2 * 100)
    }
}

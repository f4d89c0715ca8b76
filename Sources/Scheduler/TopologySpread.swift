import KubeModel

/// One constraint on how evenly pods lie over places (Kubernetes docs, "Pod Topology Spread Constraints").
struct SpreadConstraint: Sendable {
    let topologyKey: String
    let maxSkew: Int
    private let minDomains: Int
    private let selector: LabelSelector
    private let namespace: String
    /// How many matching pods each eligible place has.
    private(set) var counts: [String: Int] = [:]
    /// Whether the pod itself is one of those that are counted.
    private let countsItself: Bool

    /// - Parameter action: `DoNotSchedule` or `ScheduleAnyway`.
    static func all(_ action: String, of pod: Pod, in picture: ClusterPicture) -> [SpreadConstraint] {
        let own = (pod.spec["topologySpreadConstraints"]?.array ?? []).filter {
            $0["whenUnsatisfiable"]?.string ?? "DoNotSchedule" == action
        }
        // A node counts when it has the labels of all constraints.
        let keys = own.compactMap { $0["topologyKey"]?.string }
        return own.map { SpreadConstraint($0, pod, picture, keys: keys) }
    }

    private init(_ value: JSONValue, _ pod: Pod, _ picture: ClusterPicture, keys: [String]) {
        topologyKey = value["topologyKey"]?.string ?? ""
        maxSkew = value["maxSkew"]?.int ?? 1
        minDomains = value["minDomains"]?.int ?? 1
        namespace = pod.namespace
        selector = LabelSelector(value["labelSelector"] ?? [:], keysOf: pod, same: value["matchLabelKeys"])
        // Without a selector no pod is counted.
        let hasSelector = value["labelSelector"] != nil
        countsItself = hasSelector && selector.matches(pod.object.labels)
        let honorsAffinity = value["nodeAffinityPolicy"]?.string ?? "Honor" == "Honor"
        let honorsTaints = value["nodeTaintsPolicy"]?.string == "Honor"
        for node in picture.nodes {
            let labels = node.node.labels
            guard keys.allSatisfy({ labels[$0] != nil }), let place = labels[topologyKey] else { continue }
            if honorsAffinity, !node.match.satisfies(pod.spec) { continue }
            if honorsTaints,
                node.match.untolerated(by: pod.tolerations, effects: ["NoSchedule", "NoExecute"]) != nil
            {
                continue
            }
            let matching = node.pods.count {
                hasSelector && $0.namespace == namespace && !$0.object.isBeingDeleted
                    && selector.matches($0.object.labels)
            }
            counts[place, default: 0] += matching
        }
    }

    /// How far above the emptiest place the node's would be with the pod; nil where the node has no such place.
    func skew(on node: NodeState) -> Int? {
        guard let place = node.node.labels[topologyKey] else { return nil }
        let least = counts.count < minDomains ? 0 : counts.values.min() ?? 0
        return (counts[place] ?? 0) + (countsItself ? 1 : 0) - least
    }
}

/// The constraints that a pod would rather wait for than break.
struct TopologySpread: Predicate {
    private let constraints: [SpreadConstraint]

    /// Nil for a pod without.
    init?(_ pod: Pod, _ picture: ClusterPicture) {
        constraints = SpreadConstraint.all("DoNotSchedule", of: pod, in: picture)
        if constraints.isEmpty { return nil }
    }

    func refusal(_ pod: Pod, _ node: NodeState) -> Refusal? {
        let sentence = "node(s) didn't match pod topology spread constraints"
        for constraint in constraints {
            guard let skew = constraint.skew(on: node) else {
                return Refusal(reasons: ["\(sentence) (missing required label)"])
            }
            if skew > constraint.maxSkew { return Refusal(reasons: [sentence], isHelpedByPreemption: true) }
        }
        return nil
    }
}

import KubeModel

/// A node as the scheduler sees it: what it offers, and the pods that are there or on their way.
struct NodeState: Sendable {
    let node: KubeObject
    /// What pods ask of a node, and what they must bear.
    let match: NodeMatch
    var pods: [Pod]

    init(node: KubeObject, pods: [Pod]) {
        self.node = node
        self.pods = pods
        match = NodeMatch(node)
    }

    var name: String { node.name }
    var isUnschedulable: Bool { node.value[["spec", "unschedulable"]]?.bool ?? false }

    func allocatable(_ resource: String) -> Quantity {
        node.value[["status", "allocatable", resource]]?.string.flatMap(Quantity.init(parsing:)) ?? Quantity(0)
    }

    func used(_ resource: String) -> Quantity { pods.reduce(Quantity(0)) { $0 + $1.requests(resource) } }
}

/// All nodes with their pods, and what else a decision looks at.
struct ClusterPicture: Sendable {
    var nodes: [NodeState]
    /// The labels of namespaces, by name.
    var namespaces: [String: [String: String]] = [:]
    /// Which pods must not go more than so many at a time.
    var budgets: [DisruptionBudget] = []
}

/// A label of nodes and one of its values: what lies in one place.
struct TopologyPair: Hashable, Sendable {
    var key: String
    var value: String
}

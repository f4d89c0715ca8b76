import KubeModel

/// A node as the scheduler sees it: what it offers, and the pods that are there or on their way.
///
/// What decisions ask for most is kept as pods come and go, so that they need not look at every pod.
struct NodeState: Sendable {
    let node: KubeObject
    /// What pods ask of a node, and what they must bear.
    let match: NodeMatch
    private let allocatable: [String: Quantity]
    private var podsByKey: [ObjectKey: Pod] = [:]
    private var requested: [String: Quantity] = [:]
    private var wishfulKeys: Set<ObjectKey> = []
    private var owned: [String: Int] = [:]

    init(node: KubeObject, pods: some Sequence<Pod> = []) {
        self.node = node
        match = NodeMatch(node)
        allocatable = (node.value[["status", "allocatable"]]?.object ?? [:]).reduce(into: [:]) { amounts, entry in
            amounts[entry.key] = entry.value.string.flatMap(Quantity.init(parsing:))
        }
        for pod in pods { add(pod) }
    }

    var name: String { node.name }
    var isUnschedulable: Bool { node.value[["spec", "unschedulable"]]?.bool ?? false }

    var pods: some Collection<Pod> { podsByKey.values }
    /// The pods that want to be beside others, or apart from them.
    var wishfulPods: some Sequence<Pod> { wishfulKeys.lazy.compactMap { podsByKey[$0] } }

    func allocatable(_ resource: String) -> Quantity { allocatable[resource] ?? Quantity(0) }
    func used(_ resource: String) -> Quantity { requested[resource] ?? Quantity(0) }
    /// How many of the pods an owner has, by its uid.
    func podCount(ownedBy uid: String) -> Int { owned[uid] ?? 0 }

    /// Puts a pod here, in the place of what was known of it before.
    mutating func add(_ pod: Pod) {
        remove(pod.key)
        podsByKey[pod.key] = pod
        count(pod, +)
        if let owner = pod.object.controllerOwner?.uid { owned[owner, default: 0] += 1 }
        if pod.hasNeighbourWishes { wishfulKeys.insert(pod.key) }
    }

    mutating func remove(_ key: ObjectKey) {
        guard let pod = podsByKey.removeValue(forKey: key) else { return }
        count(pod, -)
        wishfulKeys.remove(key)
        guard let owner = pod.object.controllerOwner?.uid, let count = owned[owner] else { return }
        owned[owner] = count > 1 ? count - 1 : nil
    }

    private mutating func count(_ pod: Pod, _ change: (Quantity, Quantity) -> Quantity) {
        for (resource, amount) in pod.requests { requested[resource] = change(used(resource), amount) }
    }
}

extension Pod {
    /// All that the pod asks of a node.
    var requests: [String: Quantity] {
        let names = Set((containers + initContainers).flatMap(\.requests.keys) + (spec["overhead"]?.object ?? [:]).keys)
        return Dictionary(uniqueKeysWithValues: names.map { ($0, requests($0)) })
    }

    fileprivate var hasNeighbourWishes: Bool {
        spec[["affinity", "podAffinity"]] != nil || spec[["affinity", "podAntiAffinity"]] != nil
    }
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

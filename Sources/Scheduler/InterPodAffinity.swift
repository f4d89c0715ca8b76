import KubeModel

/// One term of a pod's affinity to other pods (Kubernetes docs, "Inter-pod affinity and anti-affinity").
struct PodAffinityTerm: Sendable {
    let topologyKey: String
    /// For preferred terms; 1 for required ones.
    let weight: Int
    private let selector: LabelSelector?
    private let namespaces: Set<String>
    private let namespaceSelector: LabelSelector?

    /// - Parameter kind: `podAffinity` or `podAntiAffinity`.
    static func required(_ kind: String, of pod: Pod) -> [PodAffinityTerm] {
        let terms = pod.spec[["affinity", kind, "requiredDuringSchedulingIgnoredDuringExecution"]]?.array ?? []
        return terms.map { PodAffinityTerm($0, of: pod, weight: 1) }
    }

    static func preferred(_ kind: String, of pod: Pod) -> [PodAffinityTerm] {
        let terms = pod.spec[["affinity", kind, "preferredDuringSchedulingIgnoredDuringExecution"]]?.array ?? []
        return terms.map {
            PodAffinityTerm($0["podAffinityTerm"] ?? [:], of: pod, weight: $0["weight"]?.int ?? 0)
        }
    }

    private init(_ term: JSONValue, of pod: Pod, weight: Int) {
        topologyKey = term["topologyKey"]?.string ?? ""
        self.weight = weight
        selector = term["labelSelector"].map {
            LabelSelector($0, keysOf: pod, same: term["matchLabelKeys"], other: term["mismatchLabelKeys"])
        }
        let named = term["namespaces"]?.array?.compactMap(\.string) ?? []
        namespaceSelector = term["namespaceSelector"].map { LabelSelector($0) }
        namespaces = named.isEmpty && namespaceSelector == nil ? [pod.namespace] : Set(named)
    }

    /// Whether a pod is one of those that the term is about.
    func matches(_ other: Pod, _ picture: ClusterPicture) -> Bool {
        guard let selector, selector.matches(other.object.labels) else { return false }
        if namespaces.contains(other.namespace) { return true }
        return namespaceSelector?.matches(picture.namespaces[other.namespace] ?? [:]) ?? false
    }

    /// Where a node lies; nil where it has no such label.
    func place(of node: NodeState) -> TopologyPair? {
        node.node.labels[topologyKey].map { TopologyPair(key: topologyKey, value: $0) }
    }
}

extension LabelSelector {
    /// A selector that is narrowed by labels of the pod that it belongs to.
    init(_ selector: JSONValue, keysOf pod: Pod, same: JSONValue?, other: JSONValue? = nil) {
        var selector = selector
        var expressions = selector["matchExpressions"]?.array ?? []
        for (keys, way) in [(same, "In"), (other, "NotIn")] {
            for key in keys?.array?.compactMap(\.string) ?? [] {
                guard let value = pod.object.labels[key] else { continue }
                expressions.append(["key": .string(key), "operator": .string(way), "values": [.string(value)]])
            }
        }
        if !expressions.isEmpty { selector["matchExpressions"] = .array(expressions) }
        self.init(selector)
    }
}

/// The required affinity and anti-affinity of a pod to others, and the anti-affinity of others to it.
struct InterPodAffinity: Predicate {
    private let affinity: [PodAffinityTerm]
    private let antiAffinity: [PodAffinityTerm]
    /// Where pods are that match all terms of the affinity.
    private var wanted: Set<TopologyPair> = []
    /// Where pods are that match a term of the anti-affinity.
    private var unwanted: Set<TopologyPair> = []
    /// Where pods are that do not want this one beside them.
    private var closed: Set<TopologyPair> = []
    /// The first of a group that wants to be together has nobody to join.
    private let isOfItsOwnGroup: Bool

    /// Nil when no pod has such wishes.
    init?(_ pod: Pod, _ picture: ClusterPicture) {
        affinity = PodAffinityTerm.required("podAffinity", of: pod)
        antiAffinity = PodAffinityTerm.required("podAntiAffinity", of: pod)
        isOfItsOwnGroup = affinity.allSatisfy { $0.matches(pod, picture) }
        for node in picture.nodes {
            // Without wishes of its own the pod need not look at those that have none either.
            for other in node.pods where !affinity.isEmpty || !antiAffinity.isEmpty {
                if !affinity.isEmpty, affinity.allSatisfy({ $0.matches(other, picture) }) {
                    wanted.formUnion(affinity.compactMap { $0.place(of: node) })
                }
                for term in antiAffinity where term.matches(other, picture) {
                    if let place = term.place(of: node) { unwanted.insert(place) }
                }
            }
            for other in node.wishfulPods {
                for term in PodAffinityTerm.required("podAntiAffinity", of: other) where term.matches(pod, picture) {
                    if let place = term.place(of: node) { closed.insert(place) }
                }
            }
        }
        if affinity.isEmpty, antiAffinity.isEmpty, closed.isEmpty { return nil }
    }

    func refusal(_ pod: Pod, _ node: NodeState) -> Refusal? {
        guard isWanted(on: node) else { return Refusal(reasons: ["node(s) didn't match pod affinity rules"]) }
        if antiAffinity.contains(where: { $0.place(of: node).map(unwanted.contains) ?? false }) {
            return Refusal(reasons: ["node(s) didn't match pod anti-affinity rules"], isHelpedByPreemption: true)
        }
        let labels = node.node.labels
        if closed.contains(where: { labels[$0.key] == $0.value }) {
            return Refusal(
                reasons: ["node(s) didn't satisfy existing pods anti-affinity rules"], isHelpedByPreemption: true)
        }
        return nil
    }

    private func isWanted(on node: NodeState) -> Bool {
        let places = affinity.compactMap { $0.place(of: node) }
        guard places.count == affinity.count else { return false }
        if places.allSatisfy(wanted.contains) { return true }
        return wanted.isEmpty && isOfItsOwnGroup
    }
}

import KubeModel

/// Why a node does not take a pod.
struct Refusal: Equatable, Sendable {
    /// In the words of the `FailedScheduling` event.
    var reasons: [String]
    /// Whether it could be lifted by ending other pods.
    var isHelpedByPreemption = false
}

/// One reason why a node may be unfit.
protocol Predicate: Sendable {
    /// Nil when the pod fits.
    func refusal(_ pod: Pod, _ node: NodeState) -> Refusal?
}

/// The predicates for one pod, in the order in which Kubernetes asks them.
struct Predicates: Sendable {
    private let all: [any Predicate]

    init(for pod: Pod, in picture: ClusterPicture) {
        let others: [(any Predicate)?] = [TopologySpread(pod, picture), InterPodAffinity(pod, picture)]
        all =
            [
                NodeUnschedulable(), NodeReadiness(), TaintToleration(), NodeAffinity(), HostPortsFree(),
                ResourcesFit(pod),
            ]
            + others.compactMap { $0 }
    }

    /// The first predicate that refuses speaks for the node, as in Kubernetes.
    func refusal(_ pod: Pod, _ node: NodeState) -> Refusal? { all.lazy.compactMap { $0.refusal(pod, node) }.first }
}

extension Pod {
    var tolerations: [JSONValue] { spec["tolerations"]?.array ?? [] }
}

struct NodeUnschedulable: Predicate {
    func refusal(_ pod: Pod, _ node: NodeState) -> Refusal? {
        guard node.isUnschedulable else { return nil }
        let taint: JSONValue = ["key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"]
        let isTolerated = pod.tolerations.contains { NodeMatch.bears($0, taint) }
        return isTolerated ? nil : Refusal(reasons: ["node(s) were unschedulable"])
    }
}

struct NodeReadiness: Predicate {
    func refusal(_ pod: Pod, _ node: NodeState) -> Refusal? {
        let ready = Conditions(node.node.value[["status", "conditions"]])["Ready"]
        if ready?.isTrue ?? false { return nil }
        // What the node lifecycle controller would have put on the node.
        let key = "node.kubernetes.io/not-ready"
        let taint: JSONValue = ["key": .string(key), "effect": "NoSchedule"]
        let isTolerated = pod.tolerations.contains { NodeMatch.bears($0, taint) }
        return isTolerated ? nil : Refusal(reasons: ["node(s) had untolerated taint {\(key): }"])
    }
}

struct TaintToleration: Predicate {
    func refusal(_ pod: Pod, _ node: NodeState) -> Refusal? {
        guard let taint = node.match.untolerated(by: pod.tolerations, effects: ["NoSchedule", "NoExecute"]) else {
            return nil
        }
        let (key, value) = (taint["key"]?.string ?? "", taint["value"]?.string ?? "")
        return Refusal(reasons: ["node(s) had untolerated taint {\(key): \(value)}"])
    }
}

/// `nodeSelector` and the required part of the node affinity.
struct NodeAffinity: Predicate {
    func refusal(_ pod: Pod, _ node: NodeState) -> Refusal? {
        node.match.satisfies(pod.spec)
            ? nil : Refusal(reasons: ["node(s) didn't match Pod's node affinity/selector"])
    }
}

struct HostPortsFree: Predicate {
    func refusal(_ pod: Pod, _ node: NodeState) -> Refusal? {
        let wanted = pod.hostPorts
        let isTaken =
            !wanted.isEmpty
            && node.pods.contains { other in
                other.hostPorts.contains { taken in wanted.contains { $0.conflicts(with: taken) } }
            }
        guard isTaken else { return nil }
        return Refusal(
            reasons: ["node(s) didn't have free ports for the requested pod ports"], isHelpedByPreemption: true)
    }
}

struct ResourcesFit: Predicate {
    private let requests: [(name: String, amount: Quantity)]

    init(_ pod: Pod) {
        requests = pod.requests.filter { !$0.value.isZero }.map { ($0.key, $0.value) }.sorted { $0.name < $1.name }
    }

    func refusal(_ pod: Pod, _ node: NodeState) -> Refusal? {
        var reasons: [String] = []
        if Int64(node.pods.count) >= node.allocatable("pods").value { reasons.append("Too many pods") }
        for (name, wanted) in requests where node.used(name) + wanted > node.allocatable(name) {
            reasons.append("Insufficient \(name)")
        }
        return reasons.isEmpty ? nil : Refusal(reasons: reasons, isHelpedByPreemption: true)
    }
}

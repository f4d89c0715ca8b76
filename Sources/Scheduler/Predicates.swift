import KubeModel

/// A node as the scheduler sees it: what it offers, and the pods that are there or on their way.
struct NodeState: Sendable {
    let node: KubeObject
    var pods: [Pod]

    var name: String { node.name }
    var isUnschedulable: Bool { node.value[["spec", "unschedulable"]]?.bool ?? false }
    var taints: [Taint] { (node.value[["spec", "taints"]]?.array ?? []).map(Taint.init) }

    func allocatable(_ resource: String) -> Quantity {
        node.value[["status", "allocatable", resource]]?.string.flatMap(Quantity.init(parsing:)) ?? Quantity(0)
    }

    func used(_ resource: String) -> Quantity { pods.reduce(Quantity(0)) { $0 + $1.requests(resource) } }

    struct Taint: Sendable, Hashable {
        var key: String
        var value: String
        var effect: String

        init(_ value: JSONValue) {
            key = value["key"]?.string ?? ""
            self.value = value["value"]?.string ?? ""
            effect = value["effect"]?.string ?? ""
        }

        func isTolerated(by tolerations: [JSONValue]) -> Bool {
            tolerations.contains { toleration in
                let wantedEffect = toleration["effect"]?.string ?? ""
                guard wantedEffect.isEmpty || wantedEffect == effect else { return false }
                let wantedKey = toleration["key"]?.string ?? ""
                if toleration["operator"]?.string == "Exists" { return wantedKey.isEmpty || wantedKey == key }
                return wantedKey == key && (toleration["value"]?.string ?? "") == value
            }
        }
    }
}

/// One reason why a node may be unfit.
protocol Predicate: Sendable {
    /// Nil when the pod fits; otherwise why not, in the words of the `FailedScheduling` event.
    func verdict(_ pod: Pod, _ node: NodeState) -> [String]

    /// Whether a refusal could be lifted by ending other pods of the node.
    var isHelpedByPreemption: Bool { get }
}

extension Predicate {
    var isHelpedByPreemption: Bool { false }
}

struct NodeUnschedulable: Predicate {
    func verdict(_ pod: Pod, _ node: NodeState) -> [String] {
        guard node.isUnschedulable else { return [] }
        let taint = NodeState.Taint(["key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"])
        let isTolerated = taint.isTolerated(by: pod.spec["tolerations"]?.array ?? [])
        return isTolerated ? [] : ["node(s) were unschedulable"]
    }
}

struct NodeReadiness: Predicate {
    func verdict(_ pod: Pod, _ node: NodeState) -> [String] {
        let ready = Conditions(node.node.value[["status", "conditions"]])["Ready"]
        if ready?.isTrue ?? false { return [] }
        // What the node lifecycle controller would have put on the node.
        let taint = NodeState.Taint(["key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"])
        let isTolerated = taint.isTolerated(by: pod.spec["tolerations"]?.array ?? [])
        return isTolerated ? [] : ["node(s) had untolerated taint {\(taint.key): }"]
    }
}

struct TaintToleration: Predicate {
    func verdict(_ pod: Pod, _ node: NodeState) -> [String] {
        let tolerations = pod.spec["tolerations"]?.array ?? []
        let taint = node.taints.first { $0.effect != "PreferNoSchedule" && !$0.isTolerated(by: tolerations) }
        return taint.map { ["node(s) had untolerated taint {\($0.key): \($0.value)}"] } ?? []
    }
}

/// `nodeSelector` and the required part of the node affinity.
struct NodeAffinity: Predicate {
    func verdict(_ pod: Pod, _ node: NodeState) -> [String] {
        pod.accepts(nodeLabels: node.node.labels, nodeName: node.name)
            ? [] : ["node(s) didn't match Pod's node affinity/selector"]
    }
}

struct ResourcesFit: Predicate {
    let isHelpedByPreemption = true

    func verdict(_ pod: Pod, _ node: NodeState) -> [String] {
        var reasons: [String] = []
        if Int64(node.pods.count) >= node.allocatable("pods").value { reasons.append("Too many pods") }
        let names = Set((pod.containers + pod.initContainers).flatMap { $0.requests.keys })
        for name in names.sorted() {
            let wanted = pod.requests(name)
            if wanted.isZero { continue }
            if node.used(name) + wanted > node.allocatable(name) { reasons.append("Insufficient \(name)") }
        }
        return reasons
    }
}

struct HostPortsFree: Predicate {
    let isHelpedByPreemption = true

    func verdict(_ pod: Pod, _ node: NodeState) -> [String] {
        let wanted = pod.hostPorts
        let isTaken =
            !wanted.isEmpty
            && node.pods.contains { other in
                other.hostPorts.contains { taken in wanted.contains { $0.conflicts(with: taken) } }
            }
        return isTaken ? ["node(s) didn't have free ports for the requested pod ports"] : []
    }
}

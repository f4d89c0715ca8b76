import KubeModel
import Testing

@testable import Scheduler

@Suite("Predicates of the scheduler", .timeLimit(.minutes(5))) struct PredicateTests {
    private func verdict(_ predicate: some Predicate, _ pod: KubeObject, _ node: NodeState) -> [String] {
        predicate.refusal(Pod(pod), node)?.reasons ?? []
    }

    private func fit(_ pod: KubeObject, _ node: NodeState) -> [String] { verdict(ResourcesFit(Pod(pod)), pod, node) }

    @Test("a cordoned node takes nobody but those that tolerate it")
    func unschedulable() {
        let node = makeState(makeNode(spec: ["unschedulable": true]))
        #expect(verdict(NodeUnschedulable(), makePod(), node) == ["node(s) were unschedulable"])
        #expect(verdict(NodeUnschedulable(), makePod(), makeState(makeNode())).isEmpty)
        let brave = makePod(
            spec: ["tolerations": [["key": "node.kubernetes.io/unschedulable", "operator": "Exists"]]])
        #expect(verdict(NodeUnschedulable(), brave, node).isEmpty)
    }

    @Test("a node that is not ready takes nobody but those that tolerate it")
    func readiness() {
        let node = makeState(makeNode(isReady: false))
        #expect(
            verdict(NodeReadiness(), makePod(), node)
                == ["node(s) had untolerated taint {node.kubernetes.io/not-ready: }"])
        #expect(verdict(NodeReadiness(), makePod(), makeState(makeNode())).isEmpty)
        #expect(verdict(NodeReadiness(), makePod(spec: ["tolerations": [["operator": "Exists"]]]), node).isEmpty)
    }

    /// A toleration, and whether it lets a pod onto a node with the taint `gpu=a100:NoSchedule`.
    struct Case: Sendable, CustomTestStringConvertible {
        var toleration: JSONValue
        var isEnough: Bool
        var testDescription: String { toleration.text }
    }

    @Test(
        "a taint is tolerated by key, value, operator and effect",
        arguments: [
            Case(toleration: ["key": "gpu", "operator": "Equal", "value": "a100"], isEnough: true),
            Case(toleration: ["key": "gpu", "value": "a100", "effect": "NoSchedule"], isEnough: true),
            Case(toleration: ["key": "gpu", "operator": "Exists"], isEnough: true),
            Case(toleration: ["operator": "Exists"], isEnough: true),
            Case(toleration: ["key": "gpu", "value": "h100"], isEnough: false),
            Case(toleration: ["key": "gpu"], isEnough: false),
            Case(toleration: ["key": "disk", "operator": "Exists"], isEnough: false),
            Case(toleration: ["key": "gpu", "value": "a100", "effect": "NoExecute"], isEnough: false),
        ])
    func taints(example: Case) {
        let node = makeState(
            makeNode(spec: ["taints": [["key": "gpu", "value": "a100", "effect": "NoSchedule"]]]))
        let found = verdict(TaintToleration(), makePod(spec: ["tolerations": [example.toleration]]), node)
        #expect(found == (example.isEnough ? [] : ["node(s) had untolerated taint {gpu: a100}"]))
    }

    @Test(
        "a taint that only asks for preference refuses nobody; NoExecute does",
        arguments: [("PreferNoSchedule", 0), ("NoExecute", 1)])
    func effects(effect: String, count: Int) {
        let node = makeState(makeNode(spec: ["taints": [["key": "gpu", "effect": .string(effect)]]]))
        #expect(verdict(TaintToleration(), makePod(), node).count == count)
    }

    @Test("a nodeSelector needs every one of its labels")
    func nodeSelector() {
        let pod = makePod(spec: ["nodeSelector": ["disk": "ssd", "zone": "a"]])
        let complaint = ["node(s) didn't match Pod's node affinity/selector"]
        #expect(verdict(NodeAffinity(), pod, makeState(makeNode())) == complaint)
        #expect(verdict(NodeAffinity(), pod, makeState(makeNode(labels: ["disk": "ssd"]))) == complaint)
        #expect(verdict(NodeAffinity(), pod, makeState(makeNode(labels: ["disk": "ssd", "zone": "a"]))).isEmpty)
    }

    @Test("of the terms of a node affinity one has to match, with all its expressions")
    func nodeAffinity() {
        func pod(_ terms: JSONValue) -> KubeObject {
            let required: JSONValue = ["nodeSelectorTerms": terms]
            return makePod(
                spec: ["affinity": ["nodeAffinity": ["requiredDuringSchedulingIgnoredDuringExecution": required]]])
        }
        let node = makeState(makeNode("node-1", labels: ["cores": "8", "zone": "a"]))
        let zone: JSONValue = ["key": "zone", "operator": "In", "values": ["a", "b"]]
        let many: JSONValue = ["key": "cores", "operator": "Gt", "values": ["16"]]
        let name: JSONValue = ["key": "metadata.name", "operator": "In", "values": ["node-1"]]
        #expect(verdict(NodeAffinity(), pod([["matchExpressions": [zone]]]), node).isEmpty)
        #expect(verdict(NodeAffinity(), pod([["matchExpressions": [zone, many]]]), node).count == 1)
        #expect(
            verdict(NodeAffinity(), pod([["matchExpressions": [many]], ["matchExpressions": [zone]]]), node).isEmpty)
        #expect(verdict(NodeAffinity(), pod([["matchFields": [name]]]), node).isEmpty)
        #expect(verdict(NodeAffinity(), pod([[:]]), node).count == 1)
    }

    @Test("requests must fit beside those that are there, to the last milli-core")
    func resources() {
        let node = makeState(makeNode(cpu: "1", memory: "100Mi"), pods: [makePod("a", cpu: "600m", memory: "60Mi")])
        #expect(fit(makePod(cpu: "400m", memory: "40Mi"), node).isEmpty)
        #expect(fit(makePod(cpu: "401m"), node) == ["Insufficient cpu"])
        #expect(fit(makePod(memory: "41Mi"), node) == ["Insufficient memory"])
        #expect(
            fit(makePod(cpu: "1", memory: "1Gi"), node)
                == ["Insufficient cpu", "Insufficient memory"])
        #expect(fit(makePod(), node).isEmpty)
    }

    @Test("a resource that the node does not have is insufficient")
    func unknownResource() {
        let pod = makePod(
            spec: [
                "containers": [
                    ["name": "main", "image": "x", "resources": ["requests": ["example.com/gpu": "1"]]]
                ]
            ])
        #expect(fit(pod, makeState(makeNode())) == ["Insufficient example.com/gpu"])
    }

    @Test("containers add up, and the largest init container counts if it is more")
    func initContainers() {
        func container(_ name: String, _ cpu: String) -> JSONValue {
            ["name": .string(name), "image": "x", "resources": ["requests": ["cpu": .string(cpu)]]]
        }
        let pod = makePod(
            spec: [
                "containers": [container("a", "500m"), container("b", "500m")],
                "initContainers": [container("i", "1500m"), container("j", "200m")],
            ])
        #expect(fit(pod, makeState(makeNode(cpu: "1500m"))).isEmpty)
        #expect(fit(pod, makeState(makeNode(cpu: "1400m"))) == ["Insufficient cpu"])
    }

    @Test("a node's sums follow the pods that come, change and go")
    func sums() {
        var node = makeState(makeNode(cpu: "1"))
        node.add(Pod(makePod("a", cpu: "600m")))
        node.add(Pod(makePod("b", cpu: "300m")))
        node.add(Pod(makePod("a", cpu: "100m")))
        #expect(node.used("cpu") == Quantity(parsing: "400m"))
        #expect(node.pods.count == 2)
        node.remove(Pod(makePod("b")).key)
        node.remove(Pod(makePod("stranger")).key)
        #expect(node.used("cpu") == Quantity(parsing: "100m"))
        #expect(fit(makePod("c", cpu: "900m"), node).isEmpty)
        #expect(fit(makePod("c", cpu: "901m"), node) == ["Insufficient cpu"])
    }

    @Test("a node takes no more pods than it says")
    func podCount() {
        let node = makeState(makeNode(pods: "1"), pods: [makePod("a")])
        #expect(fit(makePod(), node) == ["Too many pods"])
    }

    @Test("a host port is given once for each protocol")
    func hostPorts() {
        func pod(_ name: String, _ transport: String) -> KubeObject {
            let port: JSONValue = ["containerPort": 80, "hostPort": 8080, "protocol": .string(transport)]
            return makePod(name, spec: ["containers": [["name": "main", "image": "x", "ports": [port]]]])
        }
        let node = makeState(makeNode(), pods: [pod("a", "TCP")])
        #expect(
            verdict(HostPortsFree(), pod("b", "TCP"), node)
                == ["node(s) didn't have free ports for the requested pod ports"])
        #expect(verdict(HostPortsFree(), pod("b", "UDP"), node).isEmpty)
        #expect(verdict(HostPortsFree(), makePod(), node).isEmpty)
    }

    @Test(
        "a host port is given once for each address; one for all addresses leaves none",
        arguments: [
            ("127.0.0.1", "127.0.0.2", true), ("127.0.0.1", "127.0.0.1", false), ("127.0.0.1", "0.0.0.0", false),
            ("", "127.0.0.1", false),
        ])
    func hostAddresses(first: String, second: String, isFree: Bool) {
        func pod(_ name: String, _ address: String) -> KubeObject {
            let port: JSONValue = ["containerPort": 80, "hostPort": 8080, "hostIP": .string(address)]
            return makePod(name, spec: ["containers": [["name": "main", "image": "x", "ports": [port]]]])
        }
        let node = makeState(makeNode(), pods: [pod("a", first)])
        #expect(verdict(HostPortsFree(), pod("b", second), node).isEmpty == isFree)
    }
}

@Suite("Decision of the scheduler", .timeLimit(.minutes(5))) struct SchedulingDecisionTests {
    private func decide(_ pod: KubeObject, _ nodes: [NodeState]) -> SchedulingDecision {
        SchedulingDecision(Pod(pod), in: ClusterPicture(nodes: nodes))
    }

    @Test("without nodes it says so")
    func noNodes() {
        #expect(decide(makePod(), []) == .none(because: "no nodes available to schedule pods"))
    }

    @Test("the message is kube-scheduler's: reasons sorted, then whether preemption could help")
    func message() {
        #expect(
            decide(makePod(cpu: "3", memory: "2Gi"), [makeState(makeNode())])
                == .none(
                    because: "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. preemption: "
                        + "0/1 nodes are available: 1 No preemption victims found for incoming pod."))
        #expect(
            decide(makePod(spec: ["nodeSelector": ["disk": "ssd"]]), [makeState(makeNode())])
                == .none(
                    because: "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. "
                        + "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."))
    }

    @Test("several nodes are counted by reason, and by what preemption could do")
    func severalNodes() {
        let nodes = [
            makeState(makeNode("a", cpu: "1")), makeState(makeNode("b", cpu: "1")),
            makeState(makeNode("c", spec: ["unschedulable": true])),
        ]
        #expect(
            decide(makePod(cpu: "2"), nodes)
                == .none(
                    because: "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu. preemption: "
                        + "0/3 nodes are available: 1 Preemption is not helpful for scheduling, "
                        + "2 No preemption victims found for incoming pod."))
    }

    @Test("the first predicate that refuses speaks for the node")
    func firstRefusal() {
        let node = makeState(makeNode(cpu: "1", spec: ["taints": [["key": "gpu", "effect": "NoSchedule"]]]))
        #expect(
            decide(makePod(cpu: "2"), [node])
                == .none(
                    because: "0/1 nodes are available: 1 node(s) had untolerated taint {gpu: }. preemption: "
                        + "0/1 nodes are available: 1 Preemption is not helpful for scheduling."))
    }

    @Test("the node with the most room is chosen, and of equal ones the first by name")
    func score() {
        let full = makeState(makeNode("a"), pods: [makePod("x", cpu: "1")])
        #expect(decide(makePod(cpu: "100m"), [full, makeState(makeNode("b"))]) == .node("b"))
        #expect(decide(makePod(), [makeState(makeNode("b")), makeState(makeNode("a"))]) == .node("a"))
    }

    @Test("pods of one owner are spread")
    func spread() {
        var owner = KubeObject(.replicaSets, namespace: "default", name: "web")
        owner.uid = "owner"
        var first = makePod("first")
        var second = makePod("second")
        first.ownerReferences = [OwnerReference(controller: owner)]
        second.ownerReferences = [OwnerReference(controller: owner)]
        #expect(
            decide(second, [makeState(makeNode("a"), pods: [first]), makeState(makeNode("b"))]) == .node("b"))
    }
}

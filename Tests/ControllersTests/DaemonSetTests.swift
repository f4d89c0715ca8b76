import KubeClient
import KubeModel
import LabTesting
import Testing

@testable import Controllers

@Suite("DaemonSet controller", .timeLimit(.minutes(5))) struct DaemonSetTests {
    private static func node(_ name: String, labels: [String: String] = [:], taints: JSONValue? = nil) -> KubeObject {
        var node = KubeObject(.nodes, name: name)
        node.labels = labels
        node.value[["spec", "taints"]] = taints
        return node
    }

    private func set(_ spec: JSONValue = [:], template: JSONValue = [:]) -> DaemonSet {
        var object = KubeObject(.daemonSets, namespace: "default", name: "log")
        object.value["spec"] = spec
        object.value[["spec", "template", "spec"]] = template
        if object.value[["spec", "updateStrategy"]] == nil {
            object.value[["spec", "updateStrategy"]] = [
                "type": "RollingUpdate", "rollingUpdate": ["maxUnavailable": 1, "maxSurge": 0],
            ]
        }
        return DaemonSet(object)
    }

    private func pod(_ name: String, on node: String, _ revision: String = "new", isReady: Bool = true) -> Pod {
        .example(name, node: node, isReady: isReady, labels: [StatefulSet.revisionLabel: revision])
    }

    private func plan(
        _ set: DaemonSet, _ nodes: [KubeObject], _ pods: [Pod], resting: Set<String> = []
    ) -> DaemonSetPlan {
        DaemonSetPlan(
            set, nodes: nodes, pods: pods, hash: "new", resting: resting, now: Timestamp(seconds: 1000))
    }

    private let nodes = ["a", "b", "c"].map { node($0) }

    @Test("every node gets a pod, and no node two")
    func onePerNode() {
        #expect(plan(set(), nodes, []).creations == ["a", "b", "c"])
        let doubled = plan(set(), nodes, [pod("1", on: "a"), pod("2", on: "a"), pod("3", on: "b")])
        #expect(doubled.creations == ["c"])
        #expect(doubled.deletions == ["2"])
        #expect(doubled.status == .init(desired: 3, current: 2, misscheduled: 0, ready: 2, available: 2, updated: 2))
    }

    @Test("only nodes with the right labels and no other taints count")
    func eligibility() {
        let some = [
            Self.node("a", labels: ["disk": "ssd"]), Self.node("b"),
            Self.node("c", labels: ["disk": "ssd"], taints: [["key": "gpu", "effect": "NoSchedule"]]),
        ]
        let picky = set(template: ["nodeSelector": ["disk": "ssd"]])
        let plan = plan(picky, some, [pod("1", on: "b"), pod("2", on: "c")])
        #expect(plan.creations == ["a"])
        // A taint that only keeps new pods away lets the old one stay.
        #expect(plan.deletions == ["1"])
        #expect(plan.status.desired == 1)
        #expect(plan.status.misscheduled == 2)
    }

    @Test("a cordoned node keeps its pod and gets one; one that throws pods out does not")
    func taints() {
        var cordoned = Self.node("a")
        cordoned.value[["spec", "unschedulable"]] = true
        #expect(plan(set(), [cordoned], []).creations == ["a"])
        let closed = Self.node("a", taints: [["key": "out", "effect": "NoExecute"]])
        #expect(plan(set(), [closed], [pod("1", on: "a")]).deletions == ["1"])
    }

    @Test("an update takes one node at a time, broken ones first")
    func rolling() {
        let old = nodes.map { pod("old-\($0.name)", on: $0.name, "old") }
        #expect(plan(set(), nodes, old).deletions == ["old-a"])
        #expect(plan(set(), nodes, [pod("n", on: "a", isReady: false), old[1], old[2]]).deletions == [])
        let broken = pod("old-c", on: "c", "old", isReady: false)
        #expect(plan(set(), nodes, [old[0], old[1], broken]).deletions == ["old-c"])
        let manual = set(["updateStrategy": ["type": "OnDelete"]])
        #expect(plan(manual, nodes, old).deletions == [])
    }

    @Test("with surge the new pod comes beside the old one")
    func surge() {
        let surging = set(["updateStrategy": ["type": "RollingUpdate", "rollingUpdate": ["maxSurge": 1]]])
        let old = nodes.map { pod("old-\($0.name)", on: $0.name, "old") }
        let start = plan(surging, nodes, old)
        #expect(start.creations == ["a"])
        #expect(start.deletions == [])
        let waiting = plan(surging, nodes, old + [pod("new-a", on: "a", isReady: false)])
        #expect(waiting.creations == [])
        #expect(waiting.deletions == [])
        let ready = plan(surging, nodes, old + [pod("new-a", on: "a")])
        #expect(ready.deletions == ["old-a"])
    }

    @Test("a failed pod goes, and its node rests before the next")
    func failed() {
        let dead = Pod.example("1", node: "a", phase: "Failed", isReady: false)
        let first = plan(set(), [nodes[0]], [dead])
        #expect(first.deletions == ["1"])
        #expect(first.failed == ["1"])
        #expect(plan(set(), [nodes[0]], [], resting: ["a"]).creations == [])
    }

    @Test("a pod is bound to its node by name, and patient with it")
    func template() throws {
        var object = set(template: ["hostNetwork": true]).object
        object.annotations[DaemonSet.generationAnnotation] = "4"
        let pod = DaemonPod.make(DaemonSet(object), node: "b", hash: "abc")
        #expect(DaemonPod.node(of: Pod(pod)) == "b")
        #expect(pod.labels == ["controller-revision-hash": "abc", "pod-template-generation": "4"])
        let keys = pod.value[["spec", "tolerations"]]?.array?.compactMap { $0["key"]?.string } ?? []
        #expect(keys.count == 7)
        #expect(keys.contains("node.kubernetes.io/network-unavailable"))
    }

    // MARK: In a cluster

    @Test("a node that comes gets a pod, and a change of the template reaches all")
    func cluster() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            for name in ["node-1", "node-2"] { _ = try await fixture.client.create(.nodes, Self.node(name)) }
            var object = KubeObject(.daemonSets, namespace: "default", name: "log")
            object.value["spec"] = [
                "selector": ["matchLabels": ["app": "log"]],
                "template": [
                    "metadata": ["labels": ["app": "log"]],
                    "spec": ["containers": [["name": "main", "image": "log:1.0"]]],
                ],
            ]
            _ = try await fixture.client.create(.daemonSets, object)
            func waitDone(_ count: Int) async throws {
                try await fixture.wait(.daemonSets, "log") { set in
                    let status = set.value["status"]
                    return status?["desiredNumberScheduled"]?.int == count
                        && status?["updatedNumberScheduled"]?.int == count && status?["numberAvailable"]?.int == count
                        && status?["observedGeneration"]?.int == set.generation
                }
            }
            try await waitDone(2)
            #expect(Set(try await fixture.pods().map(\.nodeName)) == ["node-1", "node-2"])
            _ = try await fixture.client.create(.nodes, Self.node("node-3"))
            try await waitDone(3)
            try await fixture.patch(
                .daemonSets, "log",
                ["spec": ["template": ["spec": ["containers": [["name": "main", "image": "log:2.0"]]]]]])
            try await waitDone(3)
            #expect(try await fixture.pods().allSatisfy { $0.containers.first?.image == "log:2.0" })
            let revisions = try await fixture.client.list(.controllerRevisions, in: "default").items
            #expect(revisions.compactMap { $0.value["revision"]?.int }.sorted() == [1, 2])
            #expect(
                try await fixture.messages("SuccessfulCreate", about: "log", count: 6).allSatisfy {
                    $0.hasPrefix("Created pod: log-")
                })
        }
    }

    @Test("a revision keeps the template byte for byte as Kubernetes' clients encode it, so that they can compare")
    func revisionBytes() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            var object = KubeObject(.daemonSets, namespace: "default", name: "log")
            object.value["spec"] = [
                "selector": ["matchLabels": ["app": "log"]],
                "template": [
                    "spec": ["containers": [["name": "main", "image": "log:1.0"]]],
                    "metadata": ["labels": ["app": "log"]],
                ],
            ]
            _ = try await fixture.client.create(.daemonSets, object)
            try await fixture.waitAll(.controllerRevisions) { $0.count == 1 }
            let revision = try #require(try await fixture.client.list(.controllerRevisions).items.first)
            let text = String(decoding: (revision.value["data"] ?? .null).encoded, as: UTF8.self)
            #expect(
                text == """
                    {"spec":{"template":{"$patch":"replace","metadata":{"creationTimestamp":null,"labels":{"app":"log"}},\
                    "spec":{"containers":[{"image":"log:1.0","imagePullPolicy":"IfNotPresent","name":"main",\
                    "resources":{},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File"}],\
                    "dnsPolicy":"ClusterFirst","restartPolicy":"Always","schedulerName":"default-scheduler",\
                    "securityContext":{},"terminationGracePeriodSeconds":30}}}}
                    """)
        }
    }
}

import KubeClient
import KubeModel
import LabTesting
import Testing

@testable import Controllers

@Suite("Pods on nodes in trouble", .timeLimit(.minutes(1))) struct NodeTroubleTests {
    private static let taint: JSONValue = ["key": "gone", "value": "bad", "effect": "NoExecute"]

    private static func patience(_ tolerations: JSONValue, _ taints: JSONValue = [taint]) -> TaintPatience {
        var node = KubeObject(.nodes, name: "node-1")
        node.value[["spec", "taints"]] = taints
        return TaintPatience(Pod(MemoryCluster.pod("web", spec: ["tolerations": tolerations])), on: node)
    }

    @Test("a pod stays for ever, for a while or not at all, as it tolerates the taints that execute")
    func patience() {
        let bearing: JSONValue = ["key": "gone", "operator": "Exists", "effect": "NoExecute"]
        var brief = bearing
        brief["tolerationSeconds"] = 30
        let other: JSONValue = ["key": "worse", "effect": "NoExecute"]
        #expect(Self.patience([]) == .seconds(0))
        #expect(Self.patience([], [["key": "gone", "effect": "NoSchedule"]]) == .forEver)
        #expect(Self.patience([bearing]) == .forEver)
        #expect(Self.patience([brief]) == .seconds(30))
        #expect(Self.patience([brief], [Self.taint, other]) == .seconds(0))
        #expect(
            Self.patience([brief, ["operator": "Exists", "tolerationSeconds": 5]], [Self.taint, other]) == .seconds(5))
    }

    private func setTaints(_ taints: JSONValue?, _ client: any ClusterClient) async throws {
        _ = try await client.patch(
            .nodes, namespace: nil, name: "node-1", .merge(["spec": ["taints": taints ?? nil]]), subresource: nil,
            options: WriteOptions())
    }

    @Test("a taint that executes ends the pods that do not bear it, and says so")
    func taint() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await fixture.client.create(.pods, MemoryCluster.pod("weak"))
            _ = try await fixture.client.create(
                .pods, MemoryCluster.pod("strong", spec: ["tolerations": [["operator": "Exists"]]]))
            for name in ["weak", "strong"] { try await fixture.wait(.pods, name) { Pod($0).isReady } }
            try await setTaints([Self.taint], fixture.client)
            try await fixture.waitGone(.pods, "weak")
            try await fixture.waitAll(.events) { events in
                events.contains {
                    $0.value["reason"] == "TaintManagerEviction"
                        && $0.value["message"] == "Marking for deletion Pod default/weak"
                }
            }
            let strong = try await fixture.client.get(.pods, "strong", in: "default")
            #expect(!strong.isBeingDeleted)
        }
    }

    @Test("the condition of such a pod tells its owner that it was not the pod's fault")
    func condition() async throws {
        let fixture = try Fixture()
        fixture.node.cling()
        try await fixture.running {
            _ = try await fixture.client.create(.pods, MemoryCluster.pod("weak"))
            try await fixture.wait(.pods, "weak") { Pod($0).isReady }
            try await setTaints([Self.taint], fixture.client)
            let pod = try await fixture.wait(.pods, "weak") { $0.isBeingDeleted }
            let condition = Pod(pod).conditions["DisruptionTarget"]
            #expect(condition?.reason == "DeletionByTaintManager")
            #expect(condition?.message == "Taint manager: deleting due to NoExecute taint")
        }
    }

    @Test("a pod whose node is gone is removed after a while")
    func orphan() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await fixture.client.create(.pods, MemoryCluster.pod("web"))
            try await fixture.wait(.pods, "web") { Pod($0).isReady }
            try await fixture.client.delete(.nodes, namespace: nil, name: "node-1", options: DeleteOptions())
            try await fixture.waitGone(.pods, "web")
        }
    }
}

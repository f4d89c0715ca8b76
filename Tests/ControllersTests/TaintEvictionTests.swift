import KubeClient
import KubeModel
import LabTesting
import Testing

@testable import Controllers

@Suite("Eviction from tainted nodes", .timeLimit(.minutes(5))) struct TaintEvictionTests {
    @Test(
        "a pod bears a node as long as each of the taints that throw pods out is tolerated",
        arguments: [
            ([], 0), ([["key": "a", "operator": "Exists"]], 0),
            ([["operator": "Exists"]], nil), ([["operator": "Exists", "tolerationSeconds": 7]], 7),
            ([["operator": "Exists", "tolerationSeconds": -1]], 0),
            (
                [
                    ["key": "a", "operator": "Exists", "tolerationSeconds": 9],
                    ["key": "b", "value": "x", "effect": "NoExecute"],
                ], 9
            ),
            ([["key": "a", "operator": "Exists"], ["key": "b", "value": "y"]], 0),
        ] as [([JSONValue], Int?)])
    func patience(tolerations: [JSONValue], seconds: Int?) {
        var node = KubeObject(.nodes, name: "n")
        node.value[["spec", "taints"]] = [
            ["key": "a", "effect": "NoExecute"], ["key": "b", "value": "x", "effect": "NoExecute"],
            ["key": "c", "effect": "NoSchedule"],
        ]
        #expect(NodeMatch(node).patience(of: tolerations) == seconds)
    }

    @Test("a taint takes away the pods that do not tolerate it, and those that do for a while only")
    func eviction() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try? await fixture.client.create(.nodes, KubeObject(.nodes, name: "node-1"))
            for (name, toleration) in [
                ("plain", nil), ("patient", ["operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300]),
                ("stoic", ["operator": "Exists"]),
            ] as [(String, JSONValue?)] {
                let spec: JSONValue = toleration.map { ["tolerations": [$0]] } ?? [:]
                _ = try await fixture.client.create(.pods, MemoryCluster.pod(name, node: "node-1", spec: spec))
            }
            try await fixture.waitAll(.pods) { $0.allSatisfy { Pod($0).isReady } && $0.count == 3 }
            fixture.node.cling()
            try await fixture.patch(.nodes, "node-1", ["spec": ["taints": [["key": "out", "effect": "NoExecute"]]]])
            let pods = try await fixture.waitAll(.pods) { $0.count(where: \.isBeingDeleted) == 2 }
            #expect(pods.first { !$0.isBeingDeleted }?.name == "stoic")
            let condition = Conditions(pods.first { $0.name == "plain" }?.value[["status", "conditions"]])
            #expect(condition["DisruptionTarget"]?.reason == "DeletionByTaintManager")
            let texts = try await fixture.messages("TaintManagerEviction", about: "patient", count: 1)
            #expect(texts == ["Marking for deletion Pod default/patient"])
            try await fixture.node.letGo()
        }
    }
}

import KubeClient
import KubeModel
import LabTesting
import Testing

@Suite("Deployment that recreates", .timeLimit(.minutes(5))) struct RecreateTests {
    private func start(_ fixture: Fixture) async throws {
        var object = MemoryCluster.deployment("web", replicas: 2)
        object.value[["spec", "strategy"]] = ["type": "Recreate"]
        _ = try await fixture.client.create(.deployments, object)
        try await fixture.waitRolledOut()
    }

    @Test("no new pod starts while an old one is still ending")
    func waitsForTheEnd() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            try await start(fixture)
            fixture.node.cling()
            let start = try await fixture.client.list(.pods, in: "default").resourceVersion
            try await fixture.setImage("web:1.1")
            try await fixture.waitAll(.pods) { $0.count == 2 && $0.allSatisfy(\.isBeingDeleted) }
            try await fixture.wait(.deployments, "web") { $0.value[["status", "observedGeneration"]] == 2 }
            try await fixture.node.letGo()
            try await fixture.waitRolledOut()
            let changes = try await fixture.client.watch(
                .pods, namespace: "default", options: WatchOptions(resourceVersion: start))
            var ended = 0
            for try await change in changes {
                if case .deleted = change { ended += 1 }
                if case .added = change {
                    #expect(ended == 2)
                    break
                }
            }
        }
    }

    @Test("pods of a Deployment that was scaled to nothing hold up the next template, too")
    func afterScalingDown() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            try await start(fixture)
            fixture.node.cling()
            try await fixture.patch(.deployments, "web", ["spec": ["replicas": 0]])
            try await fixture.wait(.deployments, "web") {
                $0.value[["status", "observedGeneration"]] == 2 && $0.value[["status", "replicas"]] == nil
            }
            let template: JSONValue = ["spec": ["containers": [["name": "main", "image": "web:1.1"]]]]
            try await fixture.patch(.deployments, "web", ["spec": ["replicas": 2, "template": template]])
            try await fixture.wait(.deployments, "web") { $0.value[["status", "observedGeneration"]] == 3 }
            #expect(try await fixture.sets(image: "web:1.1").allSatisfy { $0.replicas == 0 })
            try await fixture.node.letGo()
            try await fixture.waitRolledOut()
        }
    }
}

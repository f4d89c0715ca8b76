import APIServer
import KubeClient
import KubeModel
import Testing

/// A node that uses what it is told.
struct MeasuredNode: NodeAgent {
    let uid: String

    func logs(
        of pod: KubeObject, options: LogOptions
    ) async throws(Status) -> AsyncThrowingStream<[UInt8], any Error> { AsyncThrowingStream { $0.finish() } }

    func usage() async throws(Status) -> NodeUsage {
        NodeUsage(
            node: ResourceUsage(cpuNanocores: 1_500_000_000, memoryBytes: 2 << 30),
            pods: [
                NodeUsage.PodUsage(
                    uid: uid, containers: ["main": ResourceUsage(cpuNanocores: 250_000_000, memoryBytes: 64 << 20)])
            ], time: Timestamp(seconds: 1_800_000_000), window: .milliseconds(15_020))
    }
}

@Suite("Computed objects", .timeLimit(.minutes(5))) struct ComputedTests {
    @Test("metrics of nodes and pods come from the agents of the nodes")
    func metrics() async throws {
        let fixture = try Fixture()
        _ = try await fixture.client.create(.nodes, KubeObject(.nodes, name: "one"))
        var pod = try await fixture.makePod("web", node: "one")
        pod.value["status"] = ["phase": "Running"]
        pod = try await fixture.client.update(.pods, pod, subresource: "status", options: WriteOptions())
        fixture.server.setNodeAgent(MeasuredNode(uid: pod.uid), node: "one")
        let node = try await fixture.client.get(.nodeMetrics, namespace: nil, name: "one")
        #expect(node.value["usage"] == ["cpu": "1500000000n", "memory": "2097152Ki"])
        #expect(node.value["window"] == "15.020s")
        let pods = try await fixture.client.list(
            .podMetrics, namespace: "default", options: ListOptions(labelSelector: "app=web"))
        #expect(
            pods.items.first?.value["containers"] == [
                ["name": "main", "usage": ["cpu": "250000000n", "memory": "65536Ki"]]
            ])
        let none = try await fixture.client.list(
            .podMetrics, namespace: "default", options: ListOptions(labelSelector: "app=other"))
        #expect(none.items.isEmpty)
    }

    @Test("every group and version is a local APIService that is available; custom ones come and go")
    func apiServices() async throws {
        let fixture = try Fixture()
        let before = try await fixture.client.list(.apiServices).items
        #expect(before.contains { $0.name == "v1.apps" } && before.contains { $0.name == "v1." })
        #expect(before.allSatisfy { $0.value[["status", "conditions"]]?.array?.first?["reason"] == "Local" })
        _ = try await fixture.client.create(.customResourceDefinitions, CronTabs.definition())
        let after = try await fixture.client.list(.apiServices).items.map(\.name)
        #expect(Set(after).subtracting(before.map(\.name)) == ["v1.stable.example.com", "v1beta1.stable.example.com"])
    }
}

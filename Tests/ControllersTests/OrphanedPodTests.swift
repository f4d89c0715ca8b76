import KubeClient
import KubeModel
import LabTesting
import Testing

@testable import Controllers

@Suite("Pods without a node", .timeLimit(.minutes(5))) struct OrphanedPodTests {
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

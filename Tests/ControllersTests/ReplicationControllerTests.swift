import KubeClient
import KubeModel
import LabTesting
import Testing

@Suite("ReplicationController", .timeLimit(.minutes(5))) struct ReplicationControllerTests {
    @Test("it keeps its number of pods, by the labels of its template")
    func pods() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            var controller = KubeObject(.replicationControllers, namespace: "default", name: "web")
            controller.value["spec"] = [
                "replicas": 2,
                "template": [
                    "metadata": ["labels": ["app": "web"]],
                    "spec": ["containers": [["name": "main", "image": "web:1.0"]]],
                ],
            ]
            let made = try await fixture.client.create(.replicationControllers, controller)
            try await fixture.wait(.replicationControllers, "web") {
                $0.value[["status", "readyReplicas"]] == 2 && $0.value[["status", "fullyLabeledReplicas"]] == 2
            }
            let pods = try await fixture.pods()
            #expect(pods.allSatisfy { $0.object.controllerOwner?.uid == made.uid && $0.name.hasPrefix("web-") })
            let scale = try await fixture.client.call(
                "GET", .replicationControllers, namespace: "default", name: "web", subresource: "scale", body: nil)
            #expect(scale[["status", "selector"]] == "app=web")
            try await fixture.patch(.replicationControllers, "web", ["spec": ["replicas": 0]])
            try await fixture.waitAll(.pods) { $0.isEmpty }
        }
    }
}

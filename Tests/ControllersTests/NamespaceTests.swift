import KubeClient
import KubeModel
import LabTesting
import Testing

@Suite("Namespaces", .timeLimit(.minutes(5))) struct NamespaceTests {
    private func make(_ fixture: Fixture) async throws {
        _ = try await fixture.client.create(.namespaces, KubeObject(.namespaces, name: "team"))
        try await fixture.wait(.configMaps, "kube-root-ca.crt", in: "team") { _ in true }
        try await fixture.wait(.serviceAccounts, "default", in: "team") { _ in true }
    }

    @Test("every namespace gets a default ServiceAccount and the root certificate, the first ones too")
    func defaults() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            try await make(fixture)
            for namespace in ["team", "default", "kube-system", "kube-public"] {
                try await fixture.wait(.configMaps, "kube-root-ca.crt", in: namespace) {
                    $0.value["data"] == ["ca.crt": "PEM"]
                }
                try await fixture.wait(.serviceAccounts, "default", in: namespace) { _ in true }
            }
        }
    }

    @Test("what is deleted or changed of that is put right")
    func recreation() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            try await make(fixture)
            for (resource, name) in [(ResourceType.serviceAccounts, "default"), (.configMaps, "kube-root-ca.crt")] {
                let old = try await fixture.client.get(resource, name, in: "team")
                try await fixture.client.delete(resource, namespace: "team", name: name, options: DeleteOptions())
                try await fixture.wait(resource, name, in: "team") { $0.uid != old.uid }
            }
            var map = try await fixture.client.get(.configMaps, "kube-root-ca.crt", in: "team")
            map.value["data"] = ["ca.crt": "forged"]
            map = try await fixture.client.update(.configMaps, map, subresource: nil, options: WriteOptions())
            let forged = map.resourceVersion
            try await fixture.wait(.configMaps, "kube-root-ca.crt", in: "team") {
                $0.resourceVersion != forged && $0.value["data"] == ["ca.crt": "PEM"]
            }
        }
    }

    @Test("a deleted namespace goes when everything in it has gone, pods last")
    func deletion() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            try await make(fixture)
            var deployment = MemoryCluster.deployment("web", replicas: 2)
            deployment.namespace = "team"
            _ = try await fixture.client.create(.deployments, deployment)
            var service = KubeObject(.services, namespace: "team", name: "web")
            service.value["spec"] = ["selector": ["app": "web"], "ports": [["port": 80]]]
            _ = try await fixture.client.create(.services, service)
            try await fixture.wait(.endpoints, "web", in: "team") { $0.value["subsets"] != nil }
            try await fixture.waitAll(.pods, in: "team") { $0.count == 2 && $0.allSatisfy { Pod($0).isReady } }
            fixture.node.cling()
            try await fixture.client.delete(.namespaces, namespace: nil, name: "team", options: DeleteOptions())
            for resource in [ResourceType.deployments, .replicaSets, .services, .endpoints, .endpointSlices] {
                try await fixture.waitAll(resource, in: "team") { $0.isEmpty }
            }
            try await fixture.waitAll(.pods, in: "team") { $0.count == 2 && $0.allSatisfy(\.isBeingDeleted) }
            let waiting = try await fixture.client.get(.namespaces, "team")
            #expect(waiting.value[["status", "phase"]] == "Terminating")
            try await fixture.node.letGo()
            try await fixture.waitGone(.namespaces, "team", in: nil)
            for resource in [ResourceType.pods, .configMaps, .serviceAccounts, .events] {
                #expect(try await fixture.client.list(resource, in: "team").items.isEmpty)
            }
        }
    }
}

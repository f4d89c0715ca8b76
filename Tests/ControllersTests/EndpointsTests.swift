import KubeClient
import KubeModel
import LabTesting
import Testing

@Suite("Endpoints of a Service", .timeLimit(.minutes(5))) struct EndpointsTests {
    private func makeService(_ fixture: Fixture, _ spec: JSONValue) async throws -> KubeObject {
        var service = KubeObject(.services, namespace: "default", name: "web")
        service.value["spec"] = spec
        service.labels = ["team": "a"]
        return try await fixture.client.create(.services, service)
    }

    private let plain: JSONValue = ["selector": ["app": "web"], "ports": [["port": 80, "targetPort": 8080]]]

    private static func ready(_ endpoints: KubeObject) -> [String] {
        (endpoints.value["subsets"]?.array ?? []).flatMap {
            ($0["addresses"]?.array ?? []).compactMap { $0[["targetRef", "name"]]?.string }
        }
    }

    private static func unready(_ endpoints: KubeObject) -> [String] {
        (endpoints.value["subsets"]?.array ?? []).flatMap {
            ($0["notReadyAddresses"]?.array ?? []).compactMap { $0[["targetRef", "name"]]?.string }
        }
    }

    /// Waits until the one slice of the Service shows these pods as ready.
    private func waitSlice(_ fixture: Fixture, ready: [String]) async throws -> KubeObject {
        try await fixture.waitAll(.endpointSlices, selector: "kubernetes.io/service-name=web") { slices in
            let found = (slices.first?.value["endpoints"]?.array ?? []).filter {
                $0[["conditions", "ready"]] == true
            }
            return slices.count == 1 && found.compactMap { $0[["targetRef", "name"]]?.string } == ready
        }[0]
    }

    @Test("they follow the readiness of the pods")
    func readiness() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            let service = try await makeService(fixture, plain)
            let empty = try await waitSlice(fixture, ready: [])
            #expect(empty.ownerReferences == [OwnerReference(controller: service)])
            #expect(empty.labels["endpointslice.kubernetes.io/managed-by"] == "endpointslice-controller.k8s.io")
            #expect(empty.labels["team"] == "a")
            #expect(empty.value["addressType"] == "IPv4")
            _ = try await fixture.client.create(.pods, MemoryCluster.pod("web"))
            let found = try await fixture.wait(.endpoints, "web") { Self.ready($0) == ["web"] }
            #expect(found.value["subsets"]?.array?.first?["ports"] == [["port": 8080, "protocol": "TCP"]])
            #expect(found.labels["team"] == "a")
            _ = try await waitSlice(fixture, ready: ["web"])
            try await fixture.node.setReady(false, "web")
            try await fixture.wait(.endpoints, "web") { Self.unready($0) == ["web"] && Self.ready($0).isEmpty }
            _ = try await waitSlice(fixture, ready: [])
            try await fixture.node.setReady(true, "web")
            _ = try await waitSlice(fixture, ready: ["web"])
        }
    }

    @Test("they follow the labels of pods and the selector of the Service")
    func labels() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await makeService(fixture, plain)
            _ = try await fixture.client.create(.pods, MemoryCluster.pod("web"))
            _ = try await fixture.client.create(.pods, MemoryCluster.pod("other"))
            _ = try await waitSlice(fixture, ready: ["web"])
            try await fixture.patch(.pods, "other", ["metadata": ["labels": ["app": "web"]]])
            _ = try await waitSlice(fixture, ready: ["other", "web"])
            try await fixture.patch(.pods, "web", ["metadata": ["labels": ["app": "debug"]]])
            _ = try await waitSlice(fixture, ready: ["other"])
            try await fixture.patch(.services, "web", ["spec": ["selector": ["app": "debug"]]])
            _ = try await waitSlice(fixture, ready: ["web"])
        }
    }

    @Test("a pod that is deleted leaves at once, while it is still ending")
    func ending() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await makeService(fixture, plain)
            _ = try await fixture.client.create(.pods, MemoryCluster.pod("web"))
            _ = try await waitSlice(fixture, ready: ["web"])
            fixture.node.cling()
            try await fixture.client.delete(.pods, namespace: "default", name: "web", options: DeleteOptions())
            try await fixture.wait(.endpoints, "web") { $0.value["subsets"] == nil }
            let slice = try await waitSlice(fixture, ready: [])
            #expect(
                slice.value["endpoints"]?.array?.first?["conditions"] == [
                    "ready": false, "serving": true, "terminating": true,
                ])
            try await fixture.node.letGo()
            try await fixture.wait(.endpointSlices, slice.name) { $0.value["endpoints"]?.array?.isEmpty ?? true }
        }
    }

    @Test("a Service with several ports, one by name, lists all of them")
    func ports() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await makeService(
                fixture,
                [
                    "selector": ["app": "web"],
                    "ports": [
                        ["name": "http", "port": 80, "targetPort": "web"],
                        ["name": "admin", "port": 9000],
                    ],
                ])
            let container: JSONValue = [
                "name": "main", "image": "web:1.0", "ports": [["name": "web", "containerPort": 8080]],
            ]
            _ = try await fixture.client.create(.pods, MemoryCluster.pod("web", spec: ["containers": [container]]))
            let slice = try await waitSlice(fixture, ready: ["web"])
            #expect(
                slice.value["ports"] == [
                    ["name": "http", "port": 8080, "protocol": "TCP"],
                    ["name": "admin", "port": 9000, "protocol": "TCP"],
                ])
        }
    }

    @Test("a headless Service is marked, and may publish pods that are not ready")
    func headless() async throws {
        let fixture = try Fixture(nodeIsAutomatic: false)
        try await fixture.running {
            var spec = plain
            spec["clusterIP"] = "None"
            spec["publishNotReadyAddresses"] = true
            _ = try await makeService(fixture, spec)
            _ = try await fixture.client.create(.pods, MemoryCluster.pod("web"))
            let found = try await fixture.wait(.endpoints, "web") { Self.ready($0) == ["web"] }
            #expect(found.labels["service.kubernetes.io/headless"] == "")
            let slice = try await waitSlice(fixture, ready: ["web"])
            #expect(slice.labels["service.kubernetes.io/headless"] == "")
        }
    }

    @Test("Endpoints of a Service without selector are left to their author")
    func withoutSelector() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            var own = KubeObject(.endpoints, namespace: "default", name: "web")
            own.value["subsets"] = [["addresses": [["ip": "192.0.2.1"]], "ports": [["port": 80]]]]
            own = try await fixture.client.create(.endpoints, own)
            _ = try await makeService(fixture, ["ports": [["port": 80]]])
            // A Service that comes later has its slice: the loop has been past the first one.
            var second = KubeObject(.services, namespace: "default", name: "z")
            second.value["spec"] = plain
            _ = try await fixture.client.create(.services, second)
            try await fixture.waitAll(.endpointSlices, selector: "kubernetes.io/service-name=z") { $0.count == 1 }
            #expect(try await fixture.client.get(.endpoints, "web", in: "default") == own)
        }
    }

    @Test("both go with the Service, and come back when somebody else deletes them")
    func removal() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await makeService(fixture, plain)
            let endpoints = try await fixture.wait(.endpoints, "web") { _ in true }
            let slice = try await waitSlice(fixture, ready: [])
            for (resource, name) in [(ResourceType.endpoints, "web"), (.endpointSlices, slice.name)] {
                try await fixture.client.delete(resource, namespace: "default", name: name, options: DeleteOptions())
            }
            try await fixture.wait(.endpoints, "web") { $0.uid != endpoints.uid }
            try await fixture.waitAll(.endpointSlices, selector: "kubernetes.io/service-name=web") {
                $0.count == 1 && $0[0].uid != slice.uid
            }
            try await fixture.client.delete(.services, namespace: "default", name: "web", options: DeleteOptions())
            try await fixture.waitGone(.endpoints, "web")
            try await fixture.waitAll(.endpointSlices, selector: "kubernetes.io/service-name=web") { $0.isEmpty }
        }
    }

    @Test("a changed label of the Service reaches both")
    func serviceLabels() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await makeService(fixture, plain)
            _ = try await waitSlice(fixture, ready: [])
            try await fixture.patch(.services, "web", ["metadata": ["labels": ["team": "b"]]])
            try await fixture.wait(.endpoints, "web") { $0.labels["team"] == "b" }
            try await fixture.waitAll(.endpointSlices, selector: "team=b") { $0.count == 1 }
        }
    }
}

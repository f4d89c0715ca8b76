import APIServer
import KubeClient
import KubeModel
import ObjectStore
import Testing

@Suite("Addresses and ports of Services", .timeLimit(.minutes(5))) struct ServiceTests {
    private func create(_ fixture: Fixture, _ name: String, _ spec: JSONValue) async throws -> KubeObject {
        try await fixture.client.create(.services, Fixture.service(name, spec))
    }

    @Test("one word switches the affinity off, and what was said of it goes")
    func affinityOff() async throws {
        let fixture = try Fixture()
        var service = KubeObject(.services, namespace: "default", name: "web")
        service.value["spec"] = ["ports": [["port": 80]], "sessionAffinity": "ClientIP"]
        service = try await fixture.client.create(.services, service)
        #expect(service.value[["spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds"]] == 10800)
        service.value[["spec", "sessionAffinity"]] = "None"
        service = try await fixture.client.update(.services, service, subresource: nil, options: WriteOptions())
        #expect(service.value[["spec", "sessionAffinityConfig"]] == nil)
    }

    @Test("a Service gets an address of the block")
    func address() async throws {
        let fixture = try Fixture()
        let service = try await create(fixture, "a", [:])
        let address = try #require(service.value[["spec", "clusterIP"]]?.string)
        #expect(address.hasPrefix("10.96."))
        #expect(service.value[["spec", "clusterIPs"]] == [.string(address)])
    }

    @Test("an address is given once, and again when its Service is gone")
    func explicitAddress() async throws {
        let fixture = try Fixture()
        _ = try await create(fixture, "dns", ["clusterIP": "10.96.0.10"])
        let status = try await refusal { _ = try await create(fixture, "other", ["clusterIP": "10.96.0.10"]) }
        #expect(
            status.message
                == "Service \"other\" is invalid: spec.clusterIPs: Invalid value: []string{\"10.96.0.10\"}: "
                + "failed to allocate IP 10.96.0.10: provided IP is already allocated")
        try await fixture.client.delete(.services, namespace: "default", name: "dns", options: DeleteOptions())
        _ = try await create(fixture, "other", ["clusterIP": "10.96.0.10"])
    }

    @Test("a headless Service has no address")
    func headless() async throws {
        let fixture = try Fixture()
        let service = try await create(fixture, "a", ["clusterIP": "None"])
        #expect(service.value[["spec", "clusterIP"]] == "None")
    }

    @Test("node ports are in the range, unique, and kept by updates that do not name them")
    func nodePorts() async throws {
        let fixture = try Fixture()
        let made = try await create(fixture, "a", ["type": "NodePort", "ports": [["port": 80]]])
        let port = try #require(made.value[["spec", "ports"]]?.array?.first?["nodePort"]?.int)
        #expect((30000...32767).contains(port))
        let kept = try await fixture.client.update(
            .services, Fixture.service("a", ["type": "NodePort", "ports": [["port": 80]]]), subresource: nil,
            options: WriteOptions())
        #expect(kept.value[["spec", "ports"]]?.array?.first?["nodePort"]?.int == port)
        #expect(kept.value[["spec", "clusterIP"]] == made.value[["spec", "clusterIP"]])
        let status = try await refusal {
            _ = try await create(
                fixture, "clash", ["type": "NodePort", "ports": [["port": 80, "nodePort": JSONValue(port)]]])
        }
        #expect(
            status.message
                == "Service \"clash\" is invalid: spec.ports[0].nodePort: Invalid value: \(port): "
                + "provided port is already allocated")
    }

    @Test("a node port outside the range is refused")
    func nodePortRange() async throws {
        let fixture = try Fixture()
        let status = try await refusal {
            _ = try await create(fixture, "clash", ["type": "NodePort", "ports": [["port": 80, "nodePort": 80]]])
        }
        #expect(
            status.message
                == "Service \"clash\" is invalid: spec.ports[0].nodePort: Invalid value: 80: "
                + "provided port is not in the valid range. The range of valid ports is 30000-32767")
    }

    @Test("a node port is free again when the type changes, the Service is refused, or it goes")
    func releasedPorts() async throws {
        let fixture = try Fixture()
        let wish: JSONValue = ["type": "NodePort", "ports": [["port": 80, "nodePort": 30080]]]
        _ = try await create(fixture, "a", wish)
        _ = try await fixture.client.patch(
            .services, namespace: "default", name: "a", .merge(["spec": ["type": "ClusterIP"]]), subresource: nil,
            options: WriteOptions())
        _ = try await create(fixture, "b", wish)
        try await fixture.client.delete(.services, namespace: "default", name: "b", options: DeleteOptions())
        var bad = wish
        bad["sessionAffinity"] = "Nonsense"
        _ = try await refusal { _ = try await create(fixture, "c", bad) }
        _ = try await fixture.client.create(
            .services, Fixture.service("d", wish), options: WriteOptions(isDryRun: true))
        _ = try await create(fixture, "e", wish)
    }

    @Test("a server that starts again knows what its Services hold")
    func restart() async throws {
        let fixture = try Fixture()
        _ = try await create(fixture, "a", ["type": "NodePort", "ports": [["port": 80, "nodePort": 30080]]])
        let second = APIServer(store: fixture.store).client(user: "test")
        let status = try await refusal {
            _ = try await second.create(
                .services,
                Fixture.service("b", ["type": "NodePort", "ports": [["port": 80, "nodePort": 30080]]]))
        }
        #expect(status.message.hasSuffix("provided port is already allocated"))
    }
}

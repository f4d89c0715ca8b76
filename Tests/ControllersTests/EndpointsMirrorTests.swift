import KubeClient
import KubeModel
import LabTesting
import Testing

@testable import Controllers

@Suite("Mirrored Endpoints", .timeLimit(.minutes(5))) struct EndpointsMirrorTests {
    private func endpoints(_ subsets: JSONValue, labels: [String: String] = [:]) -> KubeObject {
        var object = KubeObject(.endpoints, namespace: "default", name: "db")
        object.labels = labels
        object.value["subsets"] = subsets
        return object
    }

    private func service(_ spec: JSONValue = ["ports": [["port": 80]]]) -> KubeObject {
        var object = KubeObject(.services, namespace: "default", name: "db")
        object.value["spec"] = spec
        return object
    }

    @Test("addresses behind the same ports are one slice for each family, ready or not")
    func plan() {
        let subset: JSONValue = [
            "addresses": [["ip": "192.0.2.1", "hostname": "a"], ["ip": "2001:db8::1"]],
            "notReadyAddresses": [["ip": "192.0.2.2", "nodeName": "n1"]],
            "ports": [["port": 5432, "appProtocol": "example.com/sql"]],
        ]
        let slices = EndpointsMirror(endpoints([subset])).slices
        let ports: JSONValue = [
            ["name": "", "protocol": "TCP", "port": 5432, "appProtocol": "example.com/sql"]
        ]
        #expect(slices.map(\.addressType) == ["IPv4", "IPv6"])
        #expect(slices.allSatisfy { $0.ports == ports })
        #expect(
            slices[0].endpoints == [
                ["addresses": ["192.0.2.1"], "conditions": ["ready": true], "hostname": "a"],
                ["addresses": ["192.0.2.2"], "conditions": ["ready": false], "nodeName": "n1"],
            ])
    }

    @Test("at most a thousand addresses of a subset are mirrored")
    func limit() {
        let addresses = (0..<1001).map { JSONValue.object(["ip": .string("10.0.\($0 / 256).\($0 % 256)")]) }
        #expect(EndpointsMirror(endpoints([["addresses": .array(addresses)]])).slices[0].endpoints.count == 1000)
    }

    private func waitAddresses(_ fixture: Fixture, _ wanted: [[JSONValue]]) async throws -> [KubeObject] {
        try await fixture.waitAll(.endpointSlices, selector: "kubernetes.io/service-name=db") { slices in
            slices.map { ($0.value["endpoints"]?.array ?? []).compactMap { $0["addresses"] } } == wanted
        }
    }

    @Test("what somebody writes for a Service without a selector is mirrored, changed and taken away")
    func life() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await fixture.client.create(.services, service())
            let subset: JSONValue = ["addresses": [["ip": "192.0.2.1"]], "ports": [["port": 80]]]
            let made = try await fixture.client.create(.endpoints, endpoints([subset], labels: ["team": "a"]))
            let slice = try await waitAddresses(fixture, [[["192.0.2.1"]]])[0]
            #expect(slice.name.hasPrefix("db-"))
            #expect(slice.ownerReferences == [OwnerReference(controller: made)])
            #expect(slice.labels["team"] == "a")
            #expect(
                slice.labels["endpointslice.kubernetes.io/managed-by"]
                    == "endpointslicemirroring-controller.k8s.io")
            try await fixture.patch(
                .endpoints, "db", ["subsets": [["addresses": [["ip": "192.0.2.9"]], "ports": [["port": 80]]]]])
            #expect(try await waitAddresses(fixture, [[["192.0.2.9"]]])[0].uid == slice.uid)
            try await fixture.client.delete(.endpoints, namespace: "default", name: "db", options: DeleteOptions())
            _ = try await waitAddresses(fixture, [])
        }
    }

    @Test("a label says that Endpoints are not to be mirrored")
    func skipped() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await fixture.client.create(.services, service())
            let subset: JSONValue = ["addresses": [["ip": "192.0.2.1"]], "ports": [["port": 80]]]
            _ = try await fixture.client.create(.endpoints, endpoints([subset]))
            _ = try await waitAddresses(fixture, [[["192.0.2.1"]]])
            try await fixture.patch(
                .endpoints, "db", ["metadata": ["labels": ["endpointslice.kubernetes.io/skip-mirror": "true"]]])
            _ = try await waitAddresses(fixture, [])
        }
    }
}

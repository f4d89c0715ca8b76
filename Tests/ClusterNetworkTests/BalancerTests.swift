import ContainerRuntime
import Glibc
import KubeClient
import KubeModel
import LabTesting
import Testing

@testable import ClusterNetwork

@Suite("Load balancers", .timeLimit(.minutes(5)))
struct BalancerTests {
    private func balancer(_ name: String, spec: JSONValue = [:], held: String? = nil) -> KubeService {
        var object = Fixture.service(name, clusterIP: "10.96.0.50", ports: [["port": 80]], type: "LoadBalancer")
        for (key, value) in spec.object ?? [:] { object.value[["spec", key]] = value }
        if let held { object.value["status"] = ["loadBalancer": ["ingress": [["ip": .string(held)]]]] }
        return KubeService(object)
    }

    private func key(_ name: String) -> ObjectKey { ObjectKey(namespace: "shop", name: name) }

    @Test("each load balancer has an address of its own, and keeps it while others come and go")
    func addresses() {
        var ledger = BalancerLedger()
        ledger.update([balancer("a"), balancer("b")])
        #expect(
            ledger.addresses == [key("a"): IPv4Address(127, 88, 0, 1), key("b"): IPv4Address(127, 88, 0, 2)])
        ledger.update([balancer("b"), balancer("c")])
        #expect(
            ledger.addresses == [key("b"): IPv4Address(127, 88, 0, 2), key("c"): IPv4Address(127, 88, 0, 1)])
    }

    @Test("an address that a status names, or a Service asks for, is kept")
    func kept() {
        var ledger = BalancerLedger()
        ledger.update([
            balancer("new"), balancer("old", held: "127.88.0.1"),
            balancer("wish", spec: ["loadBalancerIP": "127.0.0.5"]),
            balancer("foreign", spec: ["loadBalancerClass": "example.com/other"]),
            balancer("cloud", held: "203.0.113.4"),
        ])
        #expect(ledger.addresses[key("old")] == IPv4Address(127, 88, 0, 1))
        #expect(ledger.addresses[key("wish")] == IPv4Address(127, 0, 0, 5))
        #expect(ledger.addresses[key("foreign")] == nil)
        #expect(
            [key("new"), key("cloud")].compactMap { ledger.addresses[$0]?.number }.sorted()
                == [IPv4Address(127, 88, 0, 2).number, IPv4Address(127, 88, 0, 3).number])
    }

    @Test("a Service moves on when its address is taken, over those that look like a network's own")
    func moving() throws {
        var ledger = BalancerLedger()
        let service = balancer("a", held: "127.88.0.254")
        ledger.update([service])
        let hasMoved = ledger.move(service)
        #expect(hasMoved)
        #expect(ledger.addresses[key("a")] == IPv4Address(127, 88, 1, 1))
        let wish = balancer("wish", spec: ["loadBalancerIP": "127.0.0.5"])
        ledger.update([wish])
        let hasMovedAgain = ledger.move(wish)
        #expect(!hasMovedAgain)
    }

    @Test("a load balancer answers at the address in its status, and has none when it is one no more")
    func life() async throws {
        let pod = try await Speaker.start("pod")
        let datapath = LoopbackDatapath()
        datapath.route("10.244.0.2", 8080, to: pod.port)
        let cluster = try MemoryCluster()
        let client = cluster.client
        let network = ClusterNetwork(client: client, datapath: datapath, level: .sandbox)
        let port = UInt16.random(in: 15_000..<30_000)
        try await cluster.running([network]) {
            var service = KubeObject(.services, namespace: "default", name: "web")
            service.value["spec"] = [
                "type": "LoadBalancer", "ports": [["port": JSONValue(Int(port)), "targetPort": 8080]],
            ]
            _ = try await client.create(.services, service)
            let slice = Fixture.slice(
                of: "web", namespace: "default", ports: [["port": 8080]], endpoints: [Fixture.endpoint("10.244.0.2")])
            _ = try await client.create(.endpointSlices, slice)
            let address = try await waitForAddress(client) { $0 != nil }
            #expect(address?.hasPrefix("127.88.") == true)
            // The endpoints may come after the address.
            await datapath.waitForRules { $0.contains { $0.port == Int(port) && !$0.backends.isEmpty } }
            var answer: [UInt8] = []
            while answer.isEmpty {
                answer = (try? await Speaker.ask(address ?? "", Int(port), Array("hi".utf8))) ?? []
            }
            #expect(answer == Array("pod:hi".utf8))
            _ = try await client.patch(
                .services, namespace: "default", name: "web", .merge(["spec": ["type": "ClusterIP"]]),
                subresource: nil, options: WriteOptions())
            #expect(try await waitForAddress(client) { $0 == nil } == nil)
            await #expect(throws: (any Error).self) { try await Speaker.ask(address ?? "", Int(port), []) }
        }
        await pod.stop()
    }

    /// The address in the status of the Service `web`, when it is as wanted.
    private func waitForAddress(
        _ client: any ClusterClient, _ fits: @escaping @Sendable (String?) -> Bool
    ) async throws -> String? {
        @Sendable func address(_ service: KubeObject?) -> String? {
            service?.value[["status", "loadBalancer", "ingress"]]?.array?.first?["ip"]?.string
        }
        let isThere = try await client.waitFor(.services, "web", in: "default", timeout: .seconds(20)) {
            fits(address($0))
        }
        #expect(isThere)
        return address(try await client.get(.services, "web", in: "default"))
    }

    @Test("a port that is for root alone is told with the way around it")
    func privileged() {
        let hostPort = ServicePlan.HostPort(
            kind: .balancer(IPv4Address(127, 88, 0, 1)), addresses: [IPv4Address(127, 88, 0, 1)], port: 80,
            service: key("a"), resourceVersion: "1", backends: []
        )
        let refusal = HostPortListeners.Refusal(hostPort: hostPort, address: "127.88.0.1", reason: .privileged)
        #expect(
            refusal.message
                == "Port 80 on 127.88.0.1 of this machine is for root alone. Use a port from 1024 on, reach the Service "
                + "through its nodePort, or allow low ports: sudo sysctl net.ipv4.ip_unprivileged_port_start=80")
    }
}

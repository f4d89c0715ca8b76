import APIServer
import ContainerRuntime
import Glibc
import KubeClient
import KubeModel
import NIOCore
import NIOPosix
import ObjectStore
import Testing

@testable import ClusterNetwork

@Suite("Cluster network", .timeLimit(.minutes(5)))
struct ClusterNetworkTests {
    private let client: any ClusterClient
    private let datapath = LoopbackDatapath()

    init() throws {
        client = APIServer(store: try ObjectStore(.memory, historyCount: 1000)).client(user: "test")
    }

    /// Runs a network and ends it after `body`.
    private func withNetwork(
        apiHostPort: Int? = nil, _ body: (ClusterNetwork) async throws -> Void
    ) async throws {
        let network = ClusterNetwork(
            client: client, datapath: datapath, level: .sandbox,
            configuration: ClusterNetworkConfiguration(apiHostPort: apiHostPort))
        try await withThrowingTaskGroup { group in
            group.addTask { try? await network.run() }
            await network.waitUntilReady()
            try await body(network)
            group.cancelAll()
        }
    }

    private func createService(_ type: String = "ClusterIP") async throws -> KubeObject {
        var service = KubeObject(.services, namespace: "default", name: "web")
        service.value["spec"] = ["type": .string(type), "ports": [["name": "http", "port": 80, "targetPort": 8080]]]
        return try await client.create(.services, service)
    }

    private func createEndpoints(_ addresses: [String]) async throws -> KubeObject {
        let slice = Fixture.slice(
            of: "web", namespace: "default", ports: [["name": "http", "port": 8080, "protocol": "TCP"]],
            endpoints: addresses.map { Fixture.endpoint($0) })
        return try await client.create(.endpointSlices, slice)
    }

    @Test("a Service gets rules, a name and a node port; they follow its endpoints")
    func life() async throws {
        let pod = try await Speaker.start("pod")
        datapath.route("10.244.0.2", 8080, to: pod.port)
        try await withNetwork { _ in
            let service = try await createService("NodePort")
            let address = try #require(service.value[["spec", "clusterIP"]]?.string)
            let ports = try #require(service.value[["spec", "ports"]]?.array)
            let nodePort = try #require(ports[0]["nodePort"]?.int)
            await datapath.waitForRules { $0.contains { $0.address == address && $0.backends.isEmpty } }
            await #expect(throws: (any Error).self) { try await Speaker.ask(nodePort, "") }
            let slice = try await createEndpoints(["10.244.0.2"])
            await datapath.waitForRules {
                $0.contains { $0.address == address && $0.backends == [.init(address: "10.244.0.2", port: 8080)] }
            }
            #expect(try await Speaker.ask(nodePort, "hi") == "pod:hi")
            let answer = try await askDNS("web.default.svc.cluster.local")
            #expect(Array(answer.suffix(4)) == IPv4Address(parsing: address)?.bytes)
            try await client.delete(
                .endpointSlices, namespace: "default", name: slice.name, options: DeleteOptions())
            await datapath.waitForRules { $0.contains { $0.address == address && $0.backends.isEmpty } }
            await #expect(throws: (any Error).self) { try await Speaker.ask(nodePort, "") }
            try await client.delete(.services, namespace: "default", name: "web", options: DeleteOptions())
            await datapath.waitForRules { !$0.contains { $0.address == address } }
            #expect(try await askDNS("web.default.svc.cluster.local")[3] & 0x0F == 3)
        }
        await pod.stop()
    }

    @Test("DNS answers over TCP, several questions on one connection")
    func dnsOverTCP() async throws {
        try await withNetwork { _ in
            let port = try #require(datapath.hostPort(.tcp, "10.96.0.10", 53))
            let question = DNSCodecTests.packet("nothing.default.svc.cluster.local", type: 28)
            let framed = [UInt8(question.count >> 8), UInt8(question.count & 0xFF)] + question
            let answer = try await Speaker.ask("127.0.0.1", port, framed + framed)
            let length = Int(answer[0]) << 8 | Int(answer[1])
            #expect(answer.count == 2 * (length + 2))
            #expect(answer[2..<4] == [0x12, 0x34] && answer[5] & 0x0F == 3)
        }
    }

    @Test("the API's cluster address leads to its port on the host, and no rule takes its traffic")
    func apiAddress() async throws {
        let api = try await Speaker.start("api")
        try await withNetwork(apiHostPort: api.port) { _ in
            let port = try #require(datapath.hostPort(.tcp, "10.96.0.1", 443))
            #expect(try await Speaker.ask(port, "version") == "api:version")
            _ = try await createService()
            await datapath.waitForRules { !$0.isEmpty && !$0.contains { $0.address == "10.96.0.1" } }
        }
        await api.stop()
    }

    @Test("rules that were refused are tried again")
    func retry() async throws {
        try await withNetwork { _ in
            datapath.failNext(2)
            _ = try await createService()
            await datapath.waitForRules { $0.contains { $0.port == 80 } }
        }
    }

    @Test("a node port that is taken is told in one event on the Service, and in another one when it is free")
    func takenPort() async throws {
        try await withNetwork { _ in
            let service = try await createService("NodePort")
            let port = try #require(service.value[["spec", "ports"]]?.array?[0]["nodePort"]?.int)
            try await client.delete(.services, namespace: "default", name: "web", options: DeleteOptions())
            await datapath.waitForRules { !$0.contains { $0.port == 80 } }
            let other = try HostSocket(.v4, port: UInt16(port))
            var descriptor: Int32? = try other.listen()
            defer { if let descriptor { close(descriptor) } }
            var again = service
            again.value["spec"]?["clusterIPs"] = nil
            again.value["metadata"] = ["namespace": "default", "name": "web"]
            _ = try await client.create(.services, again)
            let events = try await client.watch(.events, namespace: "default", options: WatchOptions())
            for try await event in events {
                guard let object = event.object else { continue }
                #expect(object.value[["involvedObject", "name"]] == "web")
                guard let held = descriptor.take() else {
                    #expect(object.value["reason"] == "NodePortAvailable")
                    break
                }
                #expect(object.value["reason"] == "NodePortUnavailable")
                #expect(object.value["type"] == "Warning")
                close(held)
            }
        }
    }

    @Test("readiness is reported even when the network cannot be made")
    func broken() async throws {
        let network = ClusterNetwork(client: client, datapath: NoDatapath(), level: .sandbox)
        await #expect(throws: RuntimeError.self) { try await network.run() }
        await network.waitUntilReady()
    }

    /// Asks over UDP.
    private func askDNS(_ name: String) async throws -> [UInt8] {
        let port = try #require(datapath.hostPort(.udp, "10.96.0.10", 53))
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<AddressedEnvelope<ByteBuffer>, AddressedEnvelope<ByteBuffer>>(
                        wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(
                AddressedEnvelope(
                    remoteAddress: try SocketAddress(ipAddress: "127.0.0.1", port: port),
                    data: ByteBuffer(bytes: DNSCodecTests.packet(name, type: 1))))
            for try await envelope in inbound { return Array(envelope.data.readableBytesView) }
            return []
        }
    }
}

/// A machine on which no socket can be made.
private struct NoDatapath: NetworkDatapath {
    func apply(_ rules: [ServiceRule]) async throws(RuntimeError) {}

    func listen(_ transport: TransportProtocol, address: String, port: Int) async throws(RuntimeError) -> Int32 {
        throw .system("no sockets here")
    }

    func connect(
        address: String, port: Int, insidePod podUID: String?, timeout: Duration
    ) async throws(ConnectError) -> Int32 {
        throw .unreachable
    }
}

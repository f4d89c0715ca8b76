import ContainerRuntime
import KubeClient
import KubeModel
import NIOPosix
import Synchronization
import Testing

@testable import ClusterNetwork

@Suite("The gateway to the world outside", .serialized, .timeLimit(.minutes(5))) struct EgressGatewayTests {
    /// The answer to a request that a pod makes, or how it fails.
    private func ask(_ runtime: SandboxRuntime, _ address: String, _ port: Int) async throws -> String {
        let socket = try await runtime.connect(address: address, port: port, insidePod: "a", timeout: .seconds(30))
        do throws(HTTPFetch.Failure) {
            return try await HTTPFetch.get(
                connectedSocket: socket, host: "there", path: "/page", timeout: .seconds(30)
            ).text
        } catch {
            return "\(error)"
        }
    }

    @Test(
        "a pod reaches a server of this machine's 127.0.0.1, and with leave for that alone nobody else",
        .enabled(if: RuntimeProbe.run().level == .sandbox, "this machine denies namespaces: pods are outside anyway"))
    func host() async throws {
        let runtime = try SandboxRuntime(images: .ofThisProgram(), logs: ContainerLogs())
        let backend = try await HTTPBackend.start("here")
        let forwarder = StreamForwarder()
        do {
            try await runtime.runPodSandbox(
                PodSandboxConfiguration(
                    podUID: "a", name: "a", namespace: "default", hostName: "a", address: "10.244.0.2",
                    resolverConfiguration: "", hosts: ""))
            let gateway = EgressGateway(egress: .host, address: IPv4Address(169, 254, 1, 1), port: 15001)
            let opened = try await gateway.open(runtime, forwarder)
            let listener = try #require(opened)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await gateway.serve(listener, forwarder) }
                let answer = try await ask(runtime, Egress.hostAddress.description, backend.port)
                #expect(answer.hasPrefix("GET /page\n"))
                // Whether the question was read before the connection was closed is a matter of luck.
                let other = try await ask(runtime, "198.51.100.7", backend.port)
                #expect(other == "closed" || other.contains("reset"), "\(other)")
                group.cancelAll()
            }
        } catch {
            await runtime.shutDown()
            throw error
        }
        await backend.stop()
        await runtime.shutDown()
    }

    private static func question(_ name: String, type: UInt8 = 1) -> [UInt8] {
        let labels = name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        return [0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + labels + [0, 0, type, 0, 1]
    }

    @Test("this machine has a name in pods where they may reach it, and only there", arguments: Egress.allCases)
    func names(egress: Egress) throws {
        let zone = DNSZone(domain: try #require(DNSName("cluster.local")))
        let server = DNSServer(zone: zone, eventLoops: MultiThreadedEventLoopGroup.singleton, egress: egress)
        server.update { $0.set(ObjectKey(namespace: "shop", name: "web"), to: nil) }
        let answer = try #require(server.respond(to: Self.question("host.minikube.internal"), isStream: false))
        #expect(answer[3] & 15 == (egress == .none ? 3 : 0))
        #expect(egress == .none || answer.suffix(4) == [169, 254, 2, 1])
    }

    @Test(
        "addresses of names that are none of the cluster's are asked for outside",
        arguments: [
            ("www.example.com", 1, true), ("www.example.com", 28, true), ("www.example.com", 15, false),
            ("web.default.svc.cluster.local", 1, false), ("nosuch.cluster.local", 1, false), ("single", 1, false),
            ("1.0.244.10.in-addr.arpa", 1, false), ("host.docker.internal", 1, false),
        ] as [(String, UInt8, Bool)])
    func outside(name: String, type: UInt8, isAsked: Bool) throws {
        let zone = DNSZone(domain: try #require(DNSName("cluster.local"))).withHost(.outside)
        #expect((zone.outsideQuery(Self.question(name, type: type)) != nil) == isAsked)
    }

    @Test("this machine's resolver answers with what its hosts file says")
    func resolver() async throws {
        for (type, count) in [(UInt8(1), 1), (28, 0)] {
            let query = try DNSQuery(parsing: Self.question("localhost", type: type))
            let answer = await withCheckedContinuation { done in
                HostResolver().answer(query) { done.resume(returning: $0) }
            }
            #expect(answer.code == .noError && answer.answers.count == count)
            #expect(answer.answers.allSatisfy { $0.content == .a(IPv4Address(127, 0, 0, 1)) })
        }
    }
}

import Glibc
import KubeClient
import Testing

@testable import ContainerRuntime

@Suite("The way out of the cluster", .serialized, .timeLimit(.minutes(5))) struct EgressTests {
    @Test(
        "who may leave reaches this machine by its name, and others only with leave for the world outside",
        arguments: [
            ("169.254.2.1", "127.0.0.1", "127.0.0.1"), ("198.51.100.7", nil, "198.51.100.7"), ("127.0.0.1", nil, nil),
            ("169.254.169.254", nil, nil), ("224.0.0.1", nil, nil), ("0.0.0.0", nil, nil),
            ("192.168.1.1", nil, "192.168.1.1"),
        ] as [(String, String?, String?)])
    func targets(address: String, host: String?, outside: String?) throws {
        let address = try #require(IPv4Address(parsing: address))
        let targets = [Egress.none, .host, .outside].map { $0.target(of: address)?.description }
        #expect(targets == [nil, host, outside])
    }

    @Test(
        "what leaves the cluster arrives at the gateway as far as policies let it, and nothing else does",
        .enabled(if: SandboxBed.isPossible, "this machine denies namespaces, so there are no rules to test"))
    func diverted() async throws {
        try await NetworkBed.run(pods: ["a", "b"]) { bed in
            let (a, b) = (NetworkBed.address("a"), NetworkBed.address("b"))
            let gateway = IPv4Address(169, 254, 1, 1)
            let outside = IPv4Address(198, 51, 100, 7)
            await #expect(throws: ConnectError.unreachable) { try await bed.isReached(from: "a", outside, 4711) }
            let socket = try await bed.runtime.listen(.tcp, address: gateway.description, port: 15001)
            defer { close(socket) }
            let packets = try await bed.runtime.divertOutgoing(to: gateway, port: 15001)
            defer { if let packets { close(packets) } }
            #expect(try await bed.isReached(from: "a", outside, 4711))
            #expect(try await bed.ask(from: "a", b.description) == "b")
            func allow(_ allowed: PolicyRules.Allowance...) async throws {
                try await bed.runtime.apply(
                    PolicyRules(isolations: [.init(pod: a, direction: .egress, allowed: allowed)]))
            }
            try await allow(.init(peer: .pods([b])))
            #expect(try await !bed.isReached(from: "a", outside, 4711))
            #expect(try await bed.isReached(from: "b", outside, 4711))
            #expect(try await bed.ask(from: "a", b.description) == "b")
            let block = try #require(PolicyRules.Block(parsing: "198.51.100.0/24"))
            try await allow(
                .init(peer: .block(block, except: []), ports: PolicyRules.Ports(transport: 6, numbers: 4711...4711)))
            #expect(try await bed.isReached(from: "a", outside, 4711))
            #expect(try await !bed.isReached(from: "a", outside, 4712))
            #expect(try await !bed.isReached(from: "a", IPv4Address(198, 51, 101, 7), 4711))
        }
    }

    @Test("the table is written as the other side reads it")
    func table() {
        let table = EgressTable(
            gateway: IPv4Address(169, 254, 1, 1), port: 15001, inside: [(IPv4Address(10, 96, 0, 0), 16)])
        #expect(
            table.bytes == Array("VEG1".utf8) + [169, 254, 1, 1, 0x3A, 0x99, 1, 10, 96, 0, 0, 16])
    }
}

import ContainerRuntime
import Foundation
import KubeClient
import NIOCore
import NIOPosix
import Testing

@Suite(
    "Service rules in force", .serialized, .timeLimit(.minutes(5)),
    .enabled(if: RuntimeProbe.run().level == .sandbox, "this machine denies namespaces, so there are no rules to test")
)
struct ServiceRuleTests {
    private func rule(
        _ pods: [String], address: String = "10.96.0.50", port: Int = 80, affinitySeconds: Int = 0
    ) -> ServiceRule {
        ServiceRule(
            address: address, port: port, transport: .tcp,
            backends: pods.map { .init(address: NetworkBed.address($0).description, port: 80) },
            affinitySeconds: affinitySeconds)
    }

    @Test("a Service leads to each of its pods, also from one of them, and refuses at once without any")
    func endpoints() async throws {
        try await NetworkBed.run(pods: ["a", "b"]) { bed in
            try await bed.runtime.apply([rule(["a", "b"]), rule([], port: 81)])
            var heard: Set<String> = []
            while heard.count < 2 { heard.insert(try await bed.ask(from: "a", "10.96.0.50")) }
            #expect(heard == ["a", "b"])
            await #expect(throws: ConnectError.refused) { try await bed.ask(from: "a", "10.96.0.50", 81) }
            // A pod reaches itself through its Service, where the answer would otherwise not find its way back.
            try await bed.runtime.apply([rule(["a"])])
            #expect(try await bed.ask(from: "a", "10.96.0.50") == "a")
            try await bed.runtime.apply([rule([])])
            await #expect(throws: ConnectError.refused) { try await bed.ask(from: "b", "10.96.0.50") }
        }
    }

    @Test("rules for networks lead what comes from there, also a client that stays, and nothing else gets through")
    func networks() async throws {
        try await NetworkBed.run(pods: ["a", "b", "c"]) { bed in
            func near(_ pods: [String], _ third: UInt8, affinitySeconds: Int = 0) -> ServiceRule {
                var near = rule(pods, affinitySeconds: affinitySeconds)
                near.source = IPv4Address(10, 244, third, 0)
                return near
            }
            for seconds in [0, 600] {
                try await bed.runtime.apply([near(["b"], 0, affinitySeconds: seconds), near(["c"], 1)])
                for _ in 0..<6 { #expect(try await bed.ask(from: "a", "10.96.0.50") == "b") }
            }
            // Nobody there for this network: dropped, while another has somebody.
            try await bed.runtime.apply([near([], 0), near(["c"], 1)])
            #expect(try await !bed.isReached(from: "a", IPv4Address(10, 96, 0, 50)))
            try await bed.runtime.apply([near(["c"], 1)])
            #expect(try await !bed.isReached(from: "a", IPv4Address(10, 96, 0, 50)))
            // And back to rules for all.
            try await bed.runtime.apply([rule(["c"])])
            #expect(try await bed.ask(from: "a", "10.96.0.50") == "c")
            try await bed.runtime.apply([near(["b"], 0)])
            #expect(try await bed.ask(from: "a", "10.96.0.50") == "b")
            try await bed.runtime.apply([rule([])])
            await #expect(throws: ConnectError.refused) { try await bed.ask(from: "a", "10.96.0.50") }
        }
    }

    @Test("every connection to an address that nobody has fails at once", arguments: ["10.244.0.99", "192.0.2.1"])
    func nobodyThere(address: String) async throws {
        try await NetworkBed.run(pods: ["a"]) { bed in
            try await bed.runtime.apply([])
            // For a route alone, the kernel says so five times, and then once a second.
            for _ in 0..<12 {
                await #expect(throws: ConnectError.unreachable) {
                    _ = try await bed.runtime.connect(
                        address: address, port: 80, insidePod: "a", timeout: .milliseconds(900))
                }
            }
        }
    }

    @Test("a connection keeps its pod when the endpoints change under it")
    func established() async throws {
        try await NetworkBed.run(pods: ["a", "b"]) { bed in
            try await bed.runtime.apply([rule(["b"])])
            let socket = try await bed.runtime.connect(
                address: "10.96.0.50", port: 80, insidePod: "a", timeout: .seconds(2))
            for _ in 0..<3 { try await bed.runtime.apply([rule(["a"])]) }
            #expect(try await bed.ask(from: "a", "10.96.0.50") == "a")
            #expect(try await bed.answer(over: socket) == "b")
        }
    }

    @Test("an address outside the cluster leads pods to the Service that claims it", arguments: ["203.0.113.7", node])
    func externalAddress(address: String) async throws {
        try await NetworkBed.run(pods: ["a", "b"]) { bed in
            try await bed.runtime.apply([rule(["b"], address: address)])
            #expect(try await bed.ask(from: "a", address) == "b")
            try await bed.runtime.apply([rule([], address: address)])
            await #expect(throws: ConnectError.self) { try await bed.ask(from: "a", address) }
        }
    }

    @Test("the node's address and those of load balancers are the node's for pods, and nobody is there without a rule")
    func nodeAddress() async throws {
        try await NetworkBed.run(pods: ["a", "b"]) { bed in
            try await bed.runtime.apply([
                rule(["a"], address: Self.node, port: 30080), rule(["b"], address: "127.88.0.1"),
            ])
            #expect(try await bed.ask(from: "a", Self.node, 30080) == "a")
            #expect(try await bed.ask(from: "a", "127.88.0.1") == "b")
            await #expect(throws: ConnectError.refused) { try await bed.ask(from: "a", Self.node) }
            // So do sockets of the node itself, whose source no pod could answer.
            let socket = try await bed.runtime.connect(
                address: Self.node, port: 30080, insidePod: nil, timeout: .seconds(2))
            #expect(try await bed.answer(over: socket) == "a")
        }
    }

    @Test("a pod in the node's network listens at the node's address, and reaches pods and Services from there")
    func nodeNetwork() async throws {
        try await NetworkBed.run(pods: ["a", "b"], onNode: "b") { bed in
            let onNode = ServiceRule.Backend(address: Self.node, port: 80)
            try await bed.runtime.apply([
                rule(["a"]), rule(["a"], address: Self.node, port: 30080),
                rule(["a"], address: "127.0.0.1", port: 8080),
                ServiceRule(address: "10.96.0.51", port: 80, transport: .tcp, backends: [onNode]),
            ])
            #expect(try await bed.ask(from: "a", Self.node) == "b")
            #expect(try await bed.ask(from: "a", "10.96.0.51") == "b")
            #expect(try await bed.ask(from: "b", NetworkBed.address("a").description) == "a")
            #expect(try await bed.ask(from: "b", "10.96.0.50") == "a")
            #expect(try await bed.ask(from: "b", Self.node, 30080) == "a")
            #expect(try await bed.ask(from: "b", "127.0.0.1", 8080) == "a")
            #expect(try await bed.ask(from: "b", "10.96.0.51") == "b")
            await bed.runtime.removePodSandbox("b")
            await #expect(throws: ConnectError.refused) { try await bed.ask(from: "a", Self.node) }
            #expect(try await bed.ask(from: "a", "10.96.0.50") == "a")
        }
    }

    private static let node = NodeNetwork.address(ofNode: 0).description

    @Test("a client stays with its pod, also over changes elsewhere, and goes to another when its pod has gone")
    func affinity() async throws {
        try await NetworkBed.run(pods: ["a", "b", "c"]) { bed in
            try await bed.runtime.apply([rule(["a", "b", "c"], affinitySeconds: 600)])
            let first = try await bed.ask(from: "a", "10.96.0.50")
            for count in 0..<8 {
                #expect(try await bed.ask(from: "a", "10.96.0.50") == first)
                // The port of another Service comes and goes.
                try await bed.runtime.apply(
                    [rule(["a", "b", "c"], affinitySeconds: 600)]
                        + (count.isMultiple(of: 2) ? [rule([], port: 81)] : []))
            }
            let others = ["a", "b", "c"].filter { $0 != first }
            try await bed.runtime.apply([rule(others, affinitySeconds: 600)])
            let second = try await bed.ask(from: "a", "10.96.0.50")
            #expect(others.contains(second))
            // It is not drawn back when the pod returns.
            try await bed.runtime.apply([rule(["a", "b", "c"], affinitySeconds: 600)])
            for _ in 0..<8 { #expect(try await bed.ask(from: "a", "10.96.0.50") == second) }
        }
    }

    /// Answers every datagram to an address of the cluster with a letter.
    private func answer(_ letter: String, at address: String, _ bed: NetworkBed) async throws -> any Channel {
        let server = try await bed.runtime.listen(.udp, address: address, port: 5300)
        return try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Answer(letter: letter))
                }
            }
            .withBoundSocket(server).get()
    }

    @Test("a flow of datagrams goes to a Service's backend and back, and to another one when that is gone")
    func datagrams() async throws {
        try await NetworkBed.run(pods: ["a"]) { bed in
            func rules(_ address: String) -> [ServiceRule] {
                [
                    ServiceRule(
                        address: "10.96.0.60", port: 53, transport: .udp,
                        backends: [.init(address: address, port: 5300)])
                ]
            }
            let servers = [
                try await answer("1", at: "10.244.255.8", bed), try await answer("2", at: "10.244.255.9", bed),
            ]
            try await bed.runtime.apply(rules("10.244.255.8"))
            let image = try await bed.runtime.pullImage("busybox")
            // The first server goes on answering whoever still comes to it.
            let script = """
                exec 3<>/dev/udp/10.96.0.60/53
                ask() { echo >&3; timeout 1 head -c 1 <&3; }
                until [ "$(ask)" = 1 ]; do :; done; echo first
                until [ "$(ask)" = 2 ]; do :; done
                """
            let log = NSTemporaryDirectory() + "/udp-\(UUID().uuidString).log"
            defer { try? FileManager.default.removeItem(atPath: log) }
            let id = try await bed.runtime.startContainer(
                ContainerConfiguration(
                    podUID: "a", name: "client", image: image, arguments: ["bash", "-c", script], logPath: log))
            while access(log, F_OK) != 0 { await Task.yield() }
            try await bed.runtime.apply(rules("10.244.255.9"))
            #expect(await bed.runtime.waitForExit(id).code == 0)
            for server in servers { try await server.close() }
        }
    }

    @Test("tables that do not fit into one message are put in force whole")
    func large() async throws {
        try await NetworkBed.run(pods: ["a", "b"]) { bed in
            var rules = (0..<600).map { number in
                rule(["a", "b"], address: "10.96.\(1 + number / 200).\(number % 200)")
            }
            rules.append(rule(["b"]))
            try await bed.runtime.apply(rules)
            #expect(try await bed.ask(from: "a", "10.96.0.50") == "b")
            #expect(try await ["a", "b"].contains(bed.ask(from: "a", "10.96.3.199")))
            try await bed.runtime.apply([rule(["a"])])
            #expect(try await bed.ask(from: "b", "10.96.0.50") == "a")
            await #expect(throws: ConnectError.refused) { try await bed.ask(from: "b", "10.96.3.199") }
        }
    }
}

private final class Answer: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    let letter: String

    init(letter: String) { self.letter = letter }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var envelope = unwrapInboundIn(data)
        envelope.data = ByteBuffer(string: letter)
        context.writeAndFlush(wrapOutboundOut(envelope), promise: nil)
    }
}

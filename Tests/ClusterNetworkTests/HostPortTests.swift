import ContainerRuntime
import Glibc
import KubeModel
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import ClusterNetwork

@Suite("Ports of the host", .timeLimit(.minutes(5)))
struct HostPortTests {
    private let datapath = LoopbackDatapath()
    private let key = ObjectKey(namespace: "shop", name: "web")

    /// Runs `body` with node ports whose listeners run in a task group.
    private func withListeners(_ body: (HostPortListeners) async throws -> Void) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            let (jobs, newJobs) = AsyncStream<@Sendable () async -> Void>.makeStream()
            group.addTask {
                await withDiscardingTaskGroup { group in
                    for await job in jobs { group.addTask { await job() } }
                }
            }
            let listeners = HostPortListeners(
                eventLoops: MultiThreadedEventLoopGroup.singleton, datapath: datapath
            ) { newJobs.yield($0) }
            try await body(listeners)
            await listeners.closeAll()
            newJobs.finish()
        }
    }

    private static var hasVersion6: Bool { (try? HostSocket(.v6, port: 0)) != nil }

    /// A free port below those that the kernel gives to outgoing connections, which other tests make all the time.
    private func freePort() throws -> Int {
        while true {
            let port = UInt16.random(in: 15_000..<30_000)
            if (try? HostSocket(.v4, port: port)) != nil { return Int(port) }
        }
    }

    private func nodePort(_ port: Int, _ addresses: [String], version: Int = 1) -> ServicePlan.HostPort {
        ServicePlan.HostPort(
            addresses: [NodeNetwork.address(ofNode: 0)], port: port, service: key, resourceVersion: "\(version)",
            backends: addresses.map { ServiceRule.Backend(address: $0, port: 8080) })
    }

    @Test("a port leads to each of its endpoints, and refuses without any")
    func endpoints() async throws {
        let (first, second) = (try await Speaker.start("one"), try await Speaker.start("two"))
        datapath.route("10.244.0.2", 8080, to: first.port)
        datapath.route("10.244.0.3", 8080, to: second.port)
        let port = try freePort()
        let gone = try freePort()
        let bound = try HostSocket(.v4, port: UInt16(gone))
        defer { withExtendedLifetime(bound) {} }
        try await withListeners { listeners in
            var refusals = await listeners.update(to: [nodePort(port, [])]).refusals
            await #expect(throws: (any Error).self) { try await Speaker.ask(port, "") }
            refusals += await listeners.update(to: [nodePort(port, ["10.244.0.2", "10.244.0.3"])]).refusals
            var heard: Set<String> = []
            while heard.count < 2 { heard.insert(try await Speaker.ask(port, "hi")) }
            #expect(heard == ["one:hi", "two:hi"])
            // An endpoint that has gone is passed over: its port is bound, but nobody listens.
            datapath.route("10.244.0.4", 8080, to: gone)
            refusals += await listeners.update(to: [nodePort(port, ["10.244.0.3", "10.244.0.4"])]).refusals
            for _ in 0..<8 { #expect(try await Speaker.ask(port, "hi") == "two:hi") }
            refusals += await listeners.update(to: [nodePort(port, [])]).refusals
            await #expect(throws: (any Error).self) { try await Speaker.ask(port, "") }
            refusals += await listeners.update(to: [nodePort(port, ["10.244.0.3"])]).refusals
            #expect(try await Speaker.ask(port, "again") == "two:again")
            refusals += await listeners.update(to: []).refusals
            await #expect(throws: (any Error).self) { try await Speaker.ask(port, "") }
            #expect(refusals.isEmpty)
        }
        await first.stop()
        await second.stop()
    }

    @Test("a port leads to its endpoints on ::1 too, where there is one")
    func version6() async throws {
        let server = try await Speaker.start("one")
        datapath.route("10.244.0.2", 8080, to: server.port)
        let port = try freePort()
        let hasVersion6 = Self.hasVersion6
        try await withListeners { listeners in
            #expect(await listeners.update(to: [nodePort(port, ["10.244.0.2"])]) == .init())
            guard hasVersion6 else { return }
            let answer = try await Speaker.ask("::1", port, [])
            #expect(answer == Array("one:".utf8))
        }
        await server.stop()
    }

    @Test("a port that is taken is reported once, and tried again until it is free")
    func taken() async throws {
        let server = try await Speaker.start("one")
        datapath.route("10.244.0.2", 8080, to: server.port)
        let port = try freePort()
        var other: Int32? = try HostSocket(.v4, port: UInt16(port)).listen()
        defer { if let other { close(other) } }
        try await withListeners { listeners in
            let refusals = await listeners.update(to: [nodePort(port, ["10.244.0.2"])]).refusals
            #expect(
                refusals.map(\.message) == [
                    "Port \(port) on 127.0.0.1 of this machine is taken by another program. "
                        + "End that program, or give the Service another nodePort."
                ])
            #expect(await listeners.update(to: [nodePort(port, ["10.244.0.2"])]) == .init())
            #expect(await listeners.update(to: [nodePort(port, [])]) == .init())
            #expect(await listeners.update(to: [nodePort(port, ["10.244.0.2"], version: 2)]).refusals.count == 1)
            #expect(listeners.hasRefusals)
            if let descriptor = other.take() { close(descriptor) }
            let outcome = await listeners.update(to: [nodePort(port, ["10.244.0.2"], version: 2)])
            #expect(outcome.refusals.isEmpty && outcome.recoveries.map(\.port) == [port])
            #expect(!listeners.hasRefusals)
            let answer = try await Speaker.ask(port, "hi")
            #expect(answer == "one:hi")
        }
        await server.stop()
    }

    private func echoServer() async throws -> any Channel {
        try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 65_507))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Echo()) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    @Test("a client that goes on speaking over UDP is heard by another endpoint when its own has gone")
    func lostEndpoint() async throws {
        let servers = [try await echoServer(), try await echoServer()]
        let port = try freePort()
        var hostPort = nodePort(port, [])
        hostPort.transport = .udp
        try await withListeners { listeners in
            for (number, server) in servers.enumerated() {
                datapath.route("10.244.0.\(number)", 53, to: server.localAddress?.port ?? 0)
            }
            hostPort.backends = [.init(address: "10.244.0.0", port: 53)]
            _ = await listeners.update(to: [hostPort])
            var next = hostPort
            next.backends = [.init(address: "10.244.0.1", port: 53)]
            let answers = try await askDatagrams(port, ["one", "two"]) { [next] count in
                guard count == 1 else { return }
                _ = await listeners.update(to: [next])
                try await servers[0].close()
            }
            #expect(answers == ["one", "two"])
        }
        try await servers[1].close()
    }

    @Test("UDP reaches an endpoint and comes back, for each client by itself")
    func datagrams() async throws {
        let server = try await echoServer()
        let port = try freePort()
        var hostPort = nodePort(port, [])
        hostPort.transport = .udp
        datapath.route("10.244.0.2", 53, to: server.localAddress?.port ?? 0)
        hostPort.backends = [.init(address: "10.244.0.2", port: 53)]
        try await withListeners { listeners in
            #expect(await listeners.update(to: [hostPort]) == .init())
            // As large as one can be.
            let large = String(repeating: "x", count: 65_507)
            async let first = askDatagram(port, "one")
            async let second = askDatagram(port, large)
            let answers = try await [first, second]
            #expect(answers == ["one", large])
        }
        try await server.close()
    }

    private func askDatagram(_ port: Int, _ words: String) async throws -> String {
        try await askDatagrams(port, [words]) { _ in }.first ?? ""
    }

    /// Asks a port over UDP, several times from the same socket; returns the answers.
    ///
    /// - Parameter between: Called after each answer with how many there are.
    private func askDatagrams(
        _ port: Int, _ words: [String], between: (_ count: Int) async throws -> Void
    ) async throws -> [String] {
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 65_507))
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<AddressedEnvelope<ByteBuffer>, AddressedEnvelope<ByteBuffer>>(
                        wrappingChannelSynchronously: channel)
                }
            }
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
        return try await channel.executeThenClose { inbound, outbound in
            var answers: [String] = []
            var iterator = inbound.makeAsyncIterator()
            for word in words {
                try await outbound.write(AddressedEnvelope(remoteAddress: address, data: ByteBuffer(string: word)))
                guard let envelope = try await iterator.next() else { break }
                answers.append(String(buffer: envelope.data))
                try await between(answers.count)
            }
            return answers
        }
    }

    @Test("a Service whose clients stay with their pod has one pod at a time, for as long as it says")
    func affinity() {
        let choice = BackendChoice()
        let backends = (2...9).map { ServiceRule.Backend(address: "10.244.0.\($0)", port: 80) }
        choice.update(backends, affinitySeconds: 60)
        let start = ContinuousClock.now
        choice.chose(backends[3], now: start)
        for _ in 0..<20 { #expect(choice.candidates(now: start + .seconds(59)).first == backends[3]) }
        let later = Set((0..<200).map { _ in choice.candidates(now: start + .seconds(61))[0].address })
        #expect(later.count > 1)
        choice.update(backends.filter { $0 != backends[3] }, affinitySeconds: 60)
        #expect(!choice.candidates(now: start).contains(backends[3]))
    }
}

private final class Echo: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.writeAndFlush(data, promise: nil) }
}

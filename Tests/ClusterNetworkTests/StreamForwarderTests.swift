import Glibc
import LabTesting
import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@testable import ClusterNetwork
@testable import ContainerRuntime

@Suite("Forwarded connections", .timeLimit(.minutes(5)))
struct StreamForwarderTests {
    /// Runs `body` with a listener that forwards to `target`; afterwards nothing may be open.
    private func forwarding(to target: Int, _ body: @Sendable (Int, StreamForwarder) async throws -> Void) async throws
    {
        let forwarder = StreamForwarder()
        let socket = try HostSocket(.v4, port: 0)
        let listener = try await forwarder.listen(on: try socket.listen())
        let port = try #require(listener.channel.localAddress?.port)
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask {
                await forwarder.serve(listener) {
                    try await StreamForwarder.dialHost("127.0.0.1", port: target, on: $0)
                }
            }
            try await body(port, forwarder)
            try await listener.channel.close()
        }
        #expect(forwarder.openCount == 0)
    }

    @Test("what one side says reaches the other, and the end of it too", arguments: [0, 1, 1000, 20_000_000])
    func bothWays(count: Int) async throws {
        let server = try await Speaker.start("pod")
        let words = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try await forwarding(to: server.port) { port, _ in
            let answer = try await Speaker.ask("127.0.0.1", port, words)
            let isWhole = answer == Array("pod:".utf8) + words
            #expect(isWhole, "\(answer.count) bytes arrived")
        }
        await server.stop()
    }

    @Test("many connections at a time do not mix")
    func many() async throws {
        let server = try await Speaker.start("pod")
        try await forwarding(to: server.port) { port, _ in
            let answers = try await withThrowingTaskGroup(of: (String, String).self) { group in
                for index in 0..<200 {
                    group.addTask { ("pod:\(index)", try await Speaker.ask(port, "\(index)")) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.count == 200)
            #expect(answers.allSatisfy { $0.0 == $0.1 })
        }
        await server.stop()
    }

    @Test("a connection that leads nowhere is reset, and leaves nothing")
    func nowhere() async throws {
        let unheard = try UnheardPort()
        try await forwarding(to: unheard.number) { port, _ in
            await #expect(throws: (any Error).self) { try await Speaker.ask(port, "hello") }
        }
    }

    @Test("the end of the listener's task ends its connections")
    func cancellation() async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let forwarder = StreamForwarder()
        let socket = try HostSocket(.v4, port: 0)
        let listener = try await forwarder.listen(on: try socket.listen())
        let port = try #require(listener.channel.localAddress?.port)
        let target = try #require(server.localAddress?.port)
        let client = try await withThrowingTaskGroup(of: Void.self) { group in
            let (dialled, dial) = AsyncStream<Void>.makeStream()
            group.addTask {
                await forwarder.serve(listener) { eventLoop in
                    defer { dial.yield() }
                    return try await StreamForwarder.dialHost("127.0.0.1", port: target, on: eventLoop)
                }
            }
            let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: port).get()
            for await _ in dialled { break }
            group.cancelAll()
            return client
        }
        // Ends because the other side has closed it.
        try? await client.closeFuture.get()
        #expect(forwarder.openCount == 0)
        try await server.close()
    }

    @Test("nothing is read from one side while the other cannot take it")
    func backPressure() throws {
        let loop = EmbeddedEventLoop()
        let (left, right) = (EmbeddedChannel(loop: loop), EmbeddedChannel(loop: loop))
        let reads = ReadCounter()
        try left.pipeline.syncOperations.addHandler(reads)
        for channel in [left, right] {
            try channel.pipeline.syncOperations.addHandler(StreamJoint())
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        }
        try StreamJoint.join(left, right)
        let before = reads.count
        right.isWritable = false
        right.pipeline.fireChannelWritabilityChanged()
        left.pipeline.read()
        left.pipeline.read()
        #expect(reads.count == before)
        right.isWritable = true
        right.pipeline.fireChannelWritabilityChanged()
        #expect(reads.count == before + 1)
        left.pipeline.read()
        #expect(reads.count == before + 2)
        _ = try? left.finish()
        _ = try? right.finish()
    }

    @Test("a descriptor that is none is refused, not adopted")
    func noDescriptor() async throws {
        await #expect(throws: (any Error).self) { try await StreamForwarder().listen(on: -1) }
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        await #expect(throws: (any Error).self) { try await StreamForwarder.adopt(-1, on: eventLoop) }
    }
}

/// Counts the reads that reach the channel.
private final class ReadCounter: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    var count = 0

    func read(context: ChannelHandlerContext) {
        count += 1
        context.read()
    }
}

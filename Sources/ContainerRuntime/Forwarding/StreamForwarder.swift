import Glibc
package import NIOCore
import NIOPosix
import Synchronization

/// Forwards TCP connections: accepts them on one socket and joins each to a new connection.
///
/// The API's cluster address and the way out of the cluster go through it; Services have a `StreamPump`.
package final class StreamForwarder: Sendable {
    package let eventLoops: any EventLoopGroup
    private let open = Mutex<[ObjectIdentifier: any Channel]>([:])

    /// Bulk data goes through in large pieces: each turn of an event loop costs as much for 64 KiB as for a megabyte.
    private static let readSizes = AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 16_384, maximum: 1 << 20)
    private static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 256 << 10, high: 1 << 20)

    package init(eventLoops: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton) {
        self.eventLoops = eventLoops
    }

    /// Makes the other connection of a pair.
    ///
    /// Its channel must be on the given event loop and not read by itself.
    package typealias Dial = @Sendable (any EventLoop) async throws -> any Channel

    /// A socket that accepts, and the connections that wait to be joined.
    package struct Listener: Sendable {
        package let channel: any Channel
        fileprivate let clients: AsyncStream<any Channel>
    }

    /// Takes over a listening socket; it is closed with the listener, or at once if this throws.
    package func listen(on descriptor: Int32) async throws -> Listener {
        guard descriptor >= 0 else { throw ConnectError.system("there is no socket to listen on") }
        let (clients, accepted) = AsyncStream<any Channel>.makeStream()
        let channel = try await ServerBootstrap(group: eventLoops)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.recvAllocator, value: Self.readSizes)
            .childChannelOption(.writeBufferWaterMark, value: Self.waterMark)
            .childChannelInitializer { channel in
                self.track(channel)
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        StreamJoint(), Announcer { accepted.yield($0) })
                }
            }
            .withBoundSocket(descriptor).get()
        channel.closeFuture.whenComplete { _ in accepted.finish() }
        return Listener(channel: channel, clients: clients)
    }

    /// Accepts until the listener is closed or the task is cancelled; returns when its last connection has ended.
    package func serve(_ listener: Listener, dial: @escaping Dial) async {
        await serve(listener) { client in try await dial(client.eventLoop) }
    }

    /// The same, where it depends on the accepted connection what it is joined to.
    package func serve(
        _ listener: Listener, dialFor: @escaping @Sendable (_ client: any Channel) async throws -> any Channel
    ) async {
        await withDiscardingTaskGroup { group in
            for await client in listener.clients {
                group.addTask { await self.forward(client, dialFor: dialFor) }
            }
        }
        try? await listener.channel.close()
    }

    /// Joins an accepted connection to a new one and waits until both have ended.
    private func forward(
        _ client: any Channel, dialFor: @Sendable (_ client: any Channel) async throws -> any Channel
    ) async {
        do {
            let server = try await dialFor(client)
            track(server)
            try await withTaskCancellationHandler {
                do {
                    try await client.eventLoop.submit { try StreamJoint.join(client, server) }.get()
                } catch {
                    server.close(promise: nil)
                    throw error
                }
                try? await client.closeFuture.get()
                try? await server.closeFuture.get()
            } onCancel: {
                client.close(promise: nil)
                server.close(promise: nil)
            }
        } catch {
            Self.resetOnClose(client)
            try? await client.close()
        }
    }

    /// Adopts a connected socket for joining.
    ///
    /// It belongs to the channel from here on, also when this throws.
    package static func adopt(_ descriptor: Int32, on eventLoop: any EventLoop) async throws -> any Channel {
        guard descriptor >= 0 else { throw ConnectError.system("there is no socket to adopt") }
        return try await ClientBootstrap(group: eventLoop)
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.recvAllocator, value: readSizes)
            .channelOption(.writeBufferWaterMark, value: waterMark)
            .channelInitializer(Self.addJoint)
            .withConnectedSocket(descriptor).get()
    }

    /// Connects to a server on this host for joining.
    package static func dialHost(_ host: String, port: Int, on eventLoop: any EventLoop) async throws -> any Channel {
        try await ClientBootstrap(group: eventLoop)
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.recvAllocator, value: readSizes)
            .channelOption(.writeBufferWaterMark, value: waterMark)
            .channelInitializer(Self.addJoint)
            .connectTimeout(.seconds(5))
            .connect(host: host, port: port).get()
    }

    @Sendable
    private static func addJoint(_ channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(StreamJoint()) }
    }

    /// Joins two channels of one event loop that spoke a protocol until now.
    ///
    /// - Parameter leave: Removes the protocol's handlers, and says when they are gone; what those hand on when they go belongs
    ///   to the other side.
    package static func join(
        _ first: any Channel, _ second: any Channel, _ leave: () throws -> EventLoopFuture<Void>
    ) throws -> EventLoopFuture<Void> {
        for channel in [first, second] { try channel.pipeline.syncOperations.addHandler(StreamJoint()) }
        return try leave().assumeIsolated().flatMapThrowing { try StreamJoint.join(first, second) }.nonisolated()
    }

    /// The peer will see a reset ("connection reset by peer") instead of an orderly end with nothing in it.
    static func resetOnClose(_ channel: any Channel) {
        (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenFailure { _ in }
    }

    /// Closes every connection that is still open.
    package func closeAll() {
        for channel in open.withLock({ Array($0.values) }) { channel.close(promise: nil) }
    }

    /// How many connections are open, both sides counted.
    package var openCount: Int { open.withLock { $0.count } }

    private func track(_ channel: any Channel) {
        let identity = ObjectIdentifier(channel)
        open.withLock { $0[identity] = channel }
        channel.closeFuture.whenComplete { _ in self.open.withLock { $0[identity] = nil } }
    }
}

/// Tells of a channel when it is ready: before that it cannot be joined.
private final class Announcer: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    private let announce: (any Channel) -> Void

    init(announce: @escaping (any Channel) -> Void) { self.announce = announce }

    func channelActive(context: ChannelHandlerContext) {
        announce(context.channel)
        context.fireChannelActive()
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}

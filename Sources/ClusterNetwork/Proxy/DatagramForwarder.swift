import ContainerRuntime
import NIOCore
import NIOPosix

/// Forwards UDP from a port of the host to pods: each client gets a socket of its own in the cluster's network, for as long as
/// it says something and its pod is there.
final class DatagramForwarder: Sendable {
    private let datapath: any NetworkDatapath
    private let target: BackendChoice
    private let eventLoop: any EventLoop

    init(datapath: any NetworkDatapath, target: BackendChoice, eventLoops: any EventLoopGroup) {
        self.datapath = datapath
        self.target = target
        eventLoop = eventLoops.next()
    }

    /// A socket that receives, and the clients that were not heard before.
    struct Listener: Sendable {
        let channel: any Channel
        fileprivate let clients: AsyncStream<SocketAddress>
    }

    /// Takes over a bound UDP socket of the host.
    func listen(on descriptor: Int32) async throws -> Listener {
        guard descriptor >= 0 else { throw ConnectError.system("there is no socket to listen on") }
        let (clients, newClients) = AsyncStream<SocketAddress>.makeStream()
        let target = target
        let channel = try await DatagramBootstrap(group: eventLoop)
            .channelOption(.recvAllocator, value: DatagramAnswers.room)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        DatagramFrontHandler(target) { newClients.yield($0) })
                }
            }
            .withBoundSocket(descriptor).get()
        channel.closeFuture.whenComplete { _ in newClients.finish() }
        return Listener(channel: channel, clients: clients)
    }

    /// Makes the sockets of new clients, until the listener is closed or the task is cancelled.
    func serve(_ listener: Listener) async {
        for await client in listener.clients {
            let back = try? await connect(client, listener.channel)
            let joined = listener.channel.eventLoop.submit {
                try listener.channel.pipeline.syncOperations.handler(type: DatagramFrontHandler.self)
                    .join(client, back?.channel, back?.address)
            }
            do { try await joined.get() } catch { back?.channel.close(promise: nil) }
        }
        try? await listener.channel.close()
    }

    private func connect(
        _ client: SocketAddress, _ front: any Channel
    ) async throws -> (channel: any Channel, address: SocketAddress)? {
        guard let backend = target.candidates().first else { return nil }
        target.chose(backend)
        let descriptor = try await datapath.listen(.udp, address: "169.254.1.1", port: 0)
        guard descriptor >= 0 else { return nil }
        let bootstrap = DatagramAnswers.bootstrap(
            on: eventLoop,
            hear: { front.writeAndFlush(AddressedEnvelope(remoteAddress: client, data: $0.data), promise: nil) })
        let channel = try await bootstrap.withBoundSocket(descriptor).get()
        return (channel, try SocketAddress(ipAddress: backend.address, port: backend.port))
    }
}

/// The host's side: who sends, and through which socket that goes on.
private final class DatagramFrontHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let sessions = DatagramSessions<SocketAddress>(countMax: 4096)
    private let target: BackendChoice
    private let announce: (SocketAddress) -> Void

    init(_ target: BackendChoice, announce: @escaping (SocketAddress) -> Void) {
        self.target = target
        self.announce = announce
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        let isNew = sessions.pass(envelope.data, of: envelope.remoteAddress) { !target.has($0) }
        if isNew { announce(envelope.remoteAddress) }
    }

    /// The client's socket is there, or there will be none.
    func join(_ client: SocketAddress, _ channel: (any Channel)?, _ address: SocketAddress?) {
        sessions.join(client, channel, address)
    }

    func channelInactive(context: ChannelHandlerContext) {
        sessions.closeAll()
        context.fireChannelInactive()
    }

    /// One packet that could not be sent says nothing about the next one.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

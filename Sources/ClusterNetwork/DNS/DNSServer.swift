import ContainerRuntime
import NIOCore
import NIOPosix
import Synchronization

/// Answers questions on the cluster's DNS address, over UDP and TCP.
final class DNSServer: Sendable {
    private let zone: Mutex<DNSZone>
    private let rotation = Atomic(0)
    private let eventLoops: any EventLoopGroup

    init(zone: DNSZone, eventLoops: any EventLoopGroup) {
        self.zone = Mutex(zone)
        self.eventLoops = eventLoops
    }

    /// Answers from `zone` from now on.
    func replace(with zone: DNSZone) { self.zone.withLock { $0 = zone } }

    func respond(to packet: [UInt8], isStream: Bool) -> [UInt8]? {
        let turn = rotation.wrappingAdd(1, ordering: .relaxed).newValue & 0xFFFF
        return zone.withLock { $0 }.respond(to: packet, isStream: isStream, rotation: turn)
    }

    /// Opens both sockets in the cluster's network; the caller closes the channels.
    func start(on datapath: any NetworkDatapath, address: String, port: Int) async throws -> [any Channel] {
        let datagrams = try await datapath.listen(.udp, address: address, port: port)
        let udp = try await adoptDatagrams(datagrams)
        do {
            let streams = try await datapath.listen(.tcp, address: address, port: port)
            return [udp, try await adoptStreams(streams)]
        } catch {
            try? await udp.close()
            throw error
        }
    }

    func adoptDatagrams(_ descriptor: Int32) async throws -> any Channel {
        guard descriptor >= 0 else { throw RuntimeError.system("there is no socket for DNS over UDP") }
        return try await DatagramBootstrap(group: eventLoops)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DNSDatagramHandler(server: self))
                }
            }
            .withBoundSocket(descriptor).get()
    }

    func adoptStreams(_ descriptor: Int32) async throws -> any Channel {
        guard descriptor >= 0 else { throw RuntimeError.system("there is no socket for DNS over TCP") }
        return try await ServerBootstrap(group: eventLoops)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        IdleStateHandler(readTimeout: .seconds(10)))
                    try channel.pipeline.syncOperations.addHandler(DNSStreamHandler(server: self))
                }
            }
            .withBoundSocket(descriptor).get()
    }
}

private final class DNSDatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let server: DNSServer

    init(server: DNSServer) { self.server = server }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        guard let answer = server.respond(to: Array(envelope.data.readableBytesView), isStream: false) else { return }
        let reply = AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: ByteBuffer(bytes: answer))
        context.writeAndFlush(wrapOutboundOut(reply), promise: nil)
    }

    /// One packet that could not be sent (its receiver has gone) says nothing about the next one.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

/// Messages on a stream have their length in front (RFC 1035, 4.2.2).
private final class DNSStreamHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let server: DNSServer
    private var received = ByteBuffer()

    init(server: DNSServer) { self.server = server }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        received.writeBuffer(&buffer)
        while let message = received.readLengthPrefixedSlice(as: UInt16.self) {
            guard let answer = server.respond(to: Array(message.readableBytesView), isStream: true) else {
                context.close(promise: nil)
                return
            }
            var reply = ByteBuffer()
            reply.writeInteger(UInt16(answer.count))
            reply.writeBytes(answer)
            context.write(wrapOutboundOut(reply), promise: nil)
        }
        received.discardReadBytes()
        context.flush()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

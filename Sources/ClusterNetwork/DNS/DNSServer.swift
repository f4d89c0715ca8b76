import ContainerRuntime
import NIOCore
import NIOPosix
import Synchronization

/// Answers questions on the cluster's DNS address, over UDP and TCP.
final class DNSServer: Sendable {
    private let zone: Mutex<DNSZone>
    private let rotation = Atomic(0)
    private let eventLoops: any EventLoopGroup
    private let egress: Egress

    /// - Parameter egress: With a way out of the cluster there are names beyond it.
    init(zone: DNSZone, eventLoops: any EventLoopGroup, egress: Egress = .none) {
        self.zone = Mutex(zone.withHost(egress))
        self.eventLoops = eventLoops
        self.egress = egress
    }

    /// Changes what there is to answer.
    func update(_ change: (inout DNSZone) -> Void) { zone.withLock { change(&$0) } }

    /// Answers now, or later from another thread where the name is one of the world outside; nil: nothing may be answered.
    func respond(to packet: [UInt8], isStream: Bool, answer: @escaping @Sendable ([UInt8]?) -> Void) {
        guard egress == .outside, let query = zone.withLock({ $0 }).outsideQuery(packet) else {
            return answer(respond(to: packet, isStream: isStream))
        }
        HostResolver().answer(query) { found in
            answer(DNSResponse.bytes(for: query, found, sizeMax: isStream ? 65_535 : query.udpSizeMax))
        }
    }

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
        let (channel, sender) = (context.channel, envelope.remoteAddress)
        server.respond(to: Array(envelope.data.readableBytesView), isStream: false) { answer in
            guard let answer else { return }
            channel.writeAndFlush(
                AddressedEnvelope(remoteAddress: sender, data: ByteBuffer(bytes: answer)), promise: nil)
        }
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
            let channel = context.channel
            server.respond(to: Array(message.readableBytesView), isStream: true) { answer in
                guard let answer else { return channel.close(promise: nil) }
                var reply = ByteBuffer()
                reply.writeInteger(UInt16(answer.count))
                reply.writeBytes(answer)
                channel.writeAndFlush(reply, promise: nil)
            }
        }
        received.discardReadBytes()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

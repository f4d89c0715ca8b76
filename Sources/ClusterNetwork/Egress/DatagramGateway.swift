import ContainerRuntime
import Glibc
import NIOCore
import NIOPosix

/// Brings datagrams of pods out of the cluster, and the answers back: reads at the far end of the link that leads out, and sends
/// from this process.
///
/// Each pair of sockets that speak with each other has a socket of this machine's, for as long as something is said. What may not
/// leave, and what is no UDP, learns so at once.
final class DatagramGateway: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private struct Ends: Hashable {
        var source, destination: IPv4Address
        var sourcePort, destinationPort: Int
    }

    private let egress: Egress
    private let conversations = DatagramSessions<Ends>(countMax: 1024)

    init(egress: Egress) { self.egress = egress }

    /// Takes over the packet socket; it is closed with the channel, or at once if this throws.
    static func open(_ descriptor: Int32, egress: Egress, on eventLoop: any EventLoop) async throws -> any Channel {
        let bootstrap = NIOPipeBootstrap(group: eventLoop)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 65_600))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramGateway(egress: egress))
                }
            }
        do { return try await bootstrap.takingOwnershipOfDescriptor(inputOutput: descriptor).get() } catch {
            close(descriptor)
            throw error
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        guard let frame = IPv4Frame(Array(buffer.readableBytesView)) else { return }
        guard let datagram = frame.datagram, let target = egress.target(of: frame.destination) else {
            // An error about an error would be one too many; a question (ping) is none.
            if frame.transport != 1 || frame.packet.dropFirst(frame.headerLength).first == 8 {
                send(frame.refused(.prohibited), context.channel)
            }
            return
        }
        let ends = Ends(
            source: frame.source, destination: frame.destination, sourcePort: datagram.sourcePort,
            destinationPort: datagram.destinationPort)
        if conversations.pass(ByteBuffer(bytes: datagram.data), of: ends) {
            begin(ends, frame, target, datagram.destinationPort, context.channel)
        }
    }

    private func begin(_ ends: Ends, _ frame: IPv4Frame, _ target: IPv4Address, _ port: Int, _ front: any Channel) {
        guard let address = try? SocketAddress(ipAddress: target.description, port: port) else {
            return conversations.join(ends, nil, nil)
        }
        let handler = NIOLoopBound(AnswerHandler(frame: frame, front: front), eventLoop: front.eventLoop)
        DatagramBootstrap(group: front.eventLoop)
            .channelOption(.recvAllocator, value: DatagramForwarder.room)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        IdleStateHandler(allTimeout: DatagramForwarder.patience), handler.value)
                }
            }
            .connect(to: address).assumeIsolated().whenComplete { outcome in
                switch outcome {
                case .success(let channel): self.conversations.join(ends, channel, front.isActive ? address : nil)
                case .failure:
                    self.conversations.join(ends, nil, nil)
                    self.send(frame.refused(.prohibited), front)
                }
            }
    }

    private func send(_ frame: [UInt8], _ channel: any Channel) {
        channel.writeAndFlush(ByteBuffer(bytes: frame), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        conversations.closeAll()
        context.fireChannelInactive()
    }

    /// One packet that could not be sent says nothing about the next one.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
}

/// This machine's side of one conversation.
private final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    /// The first packet, which every answer answers.
    private let frame: IPv4Frame
    private let front: any Channel

    init(frame: IPv4Frame, front: any Channel) {
        self.frame = frame
        self.front = front
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let answer = frame.answer(unwrapInboundIn(data).data.readableBytesView) else { return }
        front.writeAndFlush(ByteBuffer(bytes: answer), promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    /// Nobody listens there.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        front.writeAndFlush(ByteBuffer(bytes: frame.refused(.port)), promise: nil)
        context.close(promise: nil)
    }
}

import ContainerRuntime
import Glibc
import NIOCore
import NIOPosix

/// Brings datagrams and pings of pods out of the cluster, and the answers back: reads at the far end of the link that leads out,
/// and sends from this process.
///
/// Each pair of sockets that speak with each other has a socket of this machine's, for as long as something is said. What may not
/// leave, and what is neither, learns so at once. That nobody listens is passed on only by this machine itself: a socket that is connected
/// hears of firewalls, too, and NIO does not survive an error on a datagram socket that is not "connection refused".
final class DatagramGateway: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Of a ping, the first port is its number, and there is no second one.
    private struct Ends: Hashable {
        var transport: UInt8
        var source, destination: IPv4Address
        var sourcePort: Int
        var destinationPort = 0
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
        let target = egress.target(of: frame.destination)
        if let target, let datagram = frame.datagram {
            let ends = Ends(
                transport: frame.transport, source: frame.source, destination: frame.destination,
                sourcePort: datagram.sourcePort, destinationPort: datagram.destinationPort)
            if conversations.pass(ByteBuffer(bytes: datagram.data), of: ends) {
                begin(ends, frame, target, context.channel)
            }
        } else if let target, let echo = frame.echo {
            let ends = Ends(
                transport: frame.transport, source: frame.source, destination: frame.destination,
                sourcePort: Int(echo.identifier))
            // Two pods may number theirs alike.
            let own = echo.with(identifier: UInt16(truncatingIfNeeded: ends.hashValue))
            if conversations.pass(ByteBuffer(bytes: own.bytes), of: ends) {
                begin(ends, frame, echo, own, target, context.channel)
            }
        } else if frame.transport != 1 || frame.echo != nil {
            // An error about an error would be one too many; a question (ping) is none.
            send(frame.refused(.prohibited), context.channel)
        }
    }

    private func begin(_ ends: Ends, _ frame: IPv4Frame, _ target: IPv4Address, _ front: any Channel) {
        guard let address = try? SocketAddress(ipAddress: target.description, port: ends.destinationPort),
            Egress.hasWay(to: target)
        else { return refuse(ends, frame, front) }
        let bootstrap = DatagramAnswers.bootstrap(
            on: front.eventLoop,
            hear: { envelope in
                // It may have to go to the pod in pieces.
                let number = UInt16.random(in: .min ... .max)
                guard envelope.remoteAddress == address,
                    let answer = frame.answer(envelope.data.readableBytesView, number: number)
                else { return }
                front.writeAndFlush(ByteBuffer(bytes: answer), promise: nil)
            },
            fail: { front.writeAndFlush(ByteBuffer(bytes: frame.refused(.port)), promise: nil) })
        let isHere = target.bytes[0] == 127
        join(
            ends, isHere ? bootstrap.connect(to: address) : bootstrap.bind(host: "0.0.0.0", port: 0), address, frame,
            front)
    }

    private func begin(
        _ ends: Ends, _ frame: IPv4Frame, _ echo: ICMPEcho, _ own: ICMPEcho, _ target: IPv4Address,
        _ front: any Channel
    ) {
        guard let address = try? SocketAddress(ipAddress: target.description, port: 0),
            Egress.hasWay(to: target), let socket = EchoSocket()
        else { return refuse(ends, frame, front) }
        let bootstrap = DatagramAnswers.bootstrap(
            on: front.eventLoop,
            hear: { envelope in
                let bytes = envelope.data.readableBytesView
                let header = socket.isRaw ? Int((bytes.first ?? 0) & 15) * 4 : 0
                guard let answer = ICMPEcho(Array(bytes).dropFirst(header)), answer.kind == .reply,
                    envelope.remoteAddress.ipAddress == address.ipAddress,
                    !socket.isRaw || answer.identifier == own.identifier
                else { return }
                let number = UInt16.random(in: .min ... .max)
                let back = frame.answer(answer.with(identifier: echo.identifier), number: number)
                front.writeAndFlush(ByteBuffer(bytes: back), promise: nil)
            })
        join(ends, bootstrap.withBoundSocket(socket.descriptor), address, frame, front)
    }

    private func join(
        _ ends: Ends, _ socket: EventLoopFuture<any Channel>, _ address: SocketAddress, _ frame: IPv4Frame,
        _ front: any Channel
    ) {
        socket.assumeIsolated().whenComplete { outcome in
            switch outcome {
            case .success(let channel): self.conversations.join(ends, channel, front.isActive ? address : nil)
            case .failure: self.refuse(ends, frame, front)
            }
        }
    }

    private func refuse(_ ends: Ends, _ frame: IPv4Frame, _ front: any Channel) {
        conversations.join(ends, nil, nil)
        send(frame.refused(.prohibited), front)
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

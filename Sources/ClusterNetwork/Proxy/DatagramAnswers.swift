import NIOCore
import NIOPosix

/// The far end of one session of datagrams: hands on what comes back, and ends when nothing has been said for long.
final class DatagramAnswers: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    /// How long both ends may be silent.
    private static let patience = TimeAmount.seconds(60)
    /// What does not fit into the room for it is cut off: the largest datagram, or packet, has to.
    static let room = FixedSizeRecvByteBufferAllocator(capacity: 65_535)

    private let hear: (AddressedEnvelope<ByteBuffer>) -> Void
    private let fail: (() -> Void)?

    private init(_ hear: @escaping (AddressedEnvelope<ByteBuffer>) -> Void, _ fail: (() -> Void)?) {
        self.hear = hear
        self.fail = fail
    }

    /// Sets up the socket of a session.
    ///
    /// - Parameters:
    ///   - hear: Is given what comes back.
    ///   - fail: Called when the kernel says that nobody is there, which ends the session; nil where it cannot know.
    static func bootstrap(
        on eventLoop: any EventLoop, hear: @escaping @Sendable (AddressedEnvelope<ByteBuffer>) -> Void,
        fail: (@Sendable () -> Void)? = nil
    ) -> DatagramBootstrap {
        DatagramBootstrap(group: eventLoop)
            .channelOption(.recvAllocator, value: room)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        IdleStateHandler(allTimeout: patience), DatagramAnswers(hear, fail))
                }
            }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { hear(unwrapInboundIn(data)) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let fail else { return }
        fail()
        context.close(promise: nil)
    }
}

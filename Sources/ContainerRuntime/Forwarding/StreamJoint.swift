import NIOCore

/// One half of two joined connections: what arrives on its channel leaves on that of its partner.
///
/// Both channels are on one event loop. It reads only while the partner can write (back-pressure), passes the end of input on
/// as the end of output (half-close), and never closes a channel before what was read for it has been written.
///
/// It is in the pipeline from the channel's first moment: NIO reads to the end as soon as the peer has closed its side, asked
/// or not, and what arrives before there is a partner has to be kept for it.
final class StreamJoint: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum End {
        case output, whole, reset
    }

    private var partner: StreamJoint?
    private var context: ChannelHandlerContext?
    private var isReadPending = false
    /// What arrived before there was a partner.
    private var early: [ByteBuffer] = []
    private var earlyEnd: End?

    /// Joins two connected channels that have a joint each and do not read by themselves.
    ///
    /// Call on their event loop.
    static func join(_ first: any Channel, _ second: any Channel) throws {
        precondition(first.eventLoop === second.eventLoop, "joined channels share an event loop")
        let left = try first.pipeline.syncOperations.handler(type: StreamJoint.self)
        let right = try second.pipeline.syncOperations.handler(type: StreamJoint.self)
        (left.partner, right.partner) = (right, left)
        for (channel, joint) in [(first, left), (second, right)] {
            joint.deliverEarly()
            try channel.syncOptions?.setOption(.autoRead, value: true)
        }
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        partner = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let partner else {
            early.append(unwrapInboundIn(data))
            return
        }
        partner.context?.write(data, promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        partner?.context?.flush()
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        if partner?.context?.channel.isWritable ?? true {
            context.read()
        } else {
            isReadPending = true
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { partner?.resumeReading() }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { tell(.output) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        tell(.whole)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Reset by one side: the other side learns it as a reset too, not as a proper end.
        tell(.reset)
        context.close(promise: nil)
    }

    private func deliverEarly() {
        for buffer in early { partner?.context?.write(wrapOutboundOut(buffer), promise: nil) }
        if !early.isEmpty { partner?.context?.flush() }
        early = []
        if let earlyEnd { tell(earlyEnd) }
    }

    private func resumeReading() {
        guard isReadPending else { return }
        isReadPending = false
        context?.read()
    }

    /// Passes an end on to the partner, now or as soon as there is one.
    private func tell(_ end: End) {
        guard let partner else {
            if earlyEnd != .reset { earlyEnd = end }
            return
        }
        switch end {
        case .output: partner.afterWriting { $0.close(mode: .output, promise: nil) }
        case .whole: partner.afterWriting { $0.close(promise: nil) }
        case .reset: partner.reset()
        }
    }

    /// Closing would throw away what is still to be written (also in NIO's escalation of two half-closes to a whole one), so
    /// an empty write goes first and says when everything before it is out.
    ///
    /// The closing waits for the next turn of the loop: from within the write's completion, NIO would see writes pending still.
    private func afterWriting(_ body: @escaping (any Channel) -> Void) {
        guard let context else { return }
        let channel = context.channel
        let written = channel.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in
            channel.eventLoop.assumeIsolated().execute { body(channel) }
        }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
    }

    private func reset() {
        guard let channel = context?.channel else { return }
        StreamForwarder.resetOnClose(channel)
        channel.close(promise: nil)
    }
}

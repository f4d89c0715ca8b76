import NIOCore

/// One half of two joined connections: what arrives on its channel leaves on that of its partner.
///
/// Both channels are on one event loop. It reads only while the partner can write (back-pressure), passes the end of input on
/// as the end of output (half-close), and never closes a channel before what was read for it has been written.
final class StreamJoint: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var partner: StreamJoint?
    private var context: ChannelHandlerContext?
    private var isReadPending = false

    private init() {}

    /// Joins two connected channels that have not read anything yet (`autoRead` is off).
    ///
    /// Call on their event loop.
    static func join(_ first: any Channel, _ second: any Channel) throws {
        precondition(first.eventLoop === second.eventLoop, "joined channels share an event loop")
        let (left, right) = (StreamJoint(), StreamJoint())
        (left.partner, right.partner) = (right, left)
        try first.pipeline.syncOperations.addHandler(left)
        try second.pipeline.syncOperations.addHandler(right)
        for (channel, joint) in [(first, left), (second, right)] {
            if channel.isActive {
                try channel.syncOptions?.setOption(.autoRead, value: true)
            } else {
                joint.partner?.finish()
            }
        }
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        partner = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        partner?.context?.write(data, promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        partner?.context?.flush()
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        if partner?.isWritable ?? true {
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
        if event as? ChannelEvent == .inputClosed { partner?.closeOutput() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        partner?.finish()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Reset by one side: the other side learns it as a reset too, not as a proper end.
        partner?.reset()
        context.close(promise: nil)
    }

    private var isWritable: Bool { context?.channel.isWritable ?? true }

    private func resumeReading() {
        guard isReadPending else { return }
        isReadPending = false
        context?.read()
    }

    private func closeOutput() { afterWriting { $0.close(mode: .output, promise: nil) } }

    private func finish() { afterWriting { $0.close(promise: nil) } }

    /// Closing would throw away what is still to be written (also in NIO's escalation of two half-closes to a whole one), so
    /// an empty write goes first and says when everything before it is out.
    private func afterWriting(_ body: @escaping (any Channel) -> Void) {
        guard let context else { return }
        let channel = context.channel
        let written = channel.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in body(channel) }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
    }

    private func reset() {
        guard let channel = context?.channel else { return }
        StreamForwarder.resetOnClose(channel)
        channel.close(promise: nil)
    }
}

import NIOCore

/// Joins small writes until they are flushed: each write would be a TLS record of its own, with a system call's worth of work.
final class WriteJoiner: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What is longer goes on its own, uncopied.
    private static let joinedBytesMax = 16 * 1024

    private var joined: ByteBuffer?
    private var promises: [EventLoopPromise<Void>] = []

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        var buffer = unwrapOutboundIn(data)
        if buffer.readableBytes > Self.joinedBytesMax {
            pass(context)
            context.write(wrapOutboundOut(buffer), promise: promise)
            return
        }
        if joined == nil {
            joined = context.channel.allocator.buffer(capacity: max(1024, buffer.readableBytes + 256))
        }
        joined?.writeBuffer(&buffer)
        if let promise { promises.append(promise) }
    }

    func flush(context: ChannelHandlerContext) {
        pass(context)
        context.flush()
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        pass(context)
        context.close(mode: mode, promise: promise)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        for promise in promises { promise.fail(ChannelError.ioOnClosedChannel) }
        promises = []
    }

    private func pass(_ context: ChannelHandlerContext) {
        guard let buffer = joined else { return }
        joined = nil
        guard !promises.isEmpty else {
            context.write(wrapOutboundOut(buffer), promise: nil)
            return
        }
        let waiting = promises
        promises = []
        let all = context.eventLoop.makePromise(of: Void.self)
        for promise in waiting { all.futureResult.cascade(to: promise) }
        context.write(wrapOutboundOut(buffer), promise: all)
    }
}

import NIOCore
import NIOHTTP1

/// The backend's side of a proxied request: hands everything to the handler of the client's side, on the same event loop.
final class IngressBackHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    /// Who waits for the response; nil while the connection is kept for later.
    var front: IngressFrontHandler?
    /// The backend closes after this response.
    var isLast = false
    /// HTTP ends here: all that still comes of it is the end of the response.
    var isSwitching = false
    private var context: ChannelHandlerContext?
    private var isReadPending = false

    var channel: (any Channel)? { context?.channel }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func send(_ part: HTTPClientRequestPart) { context?.write(wrapOutboundOut(part), promise: nil) }

    func flush() { context?.flush() }

    func close() { context?.close(promise: nil) }

    func resumeReading() {
        guard isReadPending else { return }
        isReadPending = false
        context?.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let front else {
            // Nobody asked.
            if !isSwitching { context.close(promise: nil) }
            return
        }
        front.receive(unwrapInboundIn(data), from: self)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        front?.flushResponse()
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        if front?.isWritable ?? true { context.read() } else { isReadPending = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { front?.resumeReading() }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            front?.backEnded(self, .gatewayTimeout)
            context.close(promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        front?.backEnded(self, .badGateway)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        front?.backEnded(self, .badGateway)
        context.close(promise: nil)
    }
}

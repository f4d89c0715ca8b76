import ContainerRuntime
import NIOCore
import NIOHTTP1

/// The client's side of the ingress controller: asks the table where each request goes, and passes it on as it comes.
///
/// Only as much is held in memory as one read brought: each side reads when the other one can write.
final class IngressFrontHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum Phase {
        case idle
        /// A connection to the backend is being made; what came meanwhile.
        case dialing([HTTPServerRequestPart])
        case passing(IngressBackHandler)
        /// The answer was ours; the rest of the request is not wanted.
        case answered
    }

    private let ingress: IngressProxy
    private let isTLS: Bool
    private var phase = Phase.idle
    private var context: ChannelHandlerContext?
    private var isReadPending = false
    /// Connections to backends that can be used again.
    private var kept: [ServiceRule.Backend: IngressBackHandler] = [:]

    // The request in progress.
    private var request: HTTPRequestHead?
    private var backend: ServiceRule.Backend?
    private var backends: [ServiceRule.Backend] = []
    private var hasSentBody = false
    private var isRequestComplete = false
    private var hasResponse = false
    private var isReused = false
    private var closesAfter = false

    init(ingress: IngressProxy, isTLS: Bool) {
        self.ingress = ingress
        self.isTLS = isTLS
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    // MARK: The request

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if case .head(let head) = part { return begin(head, context) }
        switch phase {
        case .dialing(let parts): phase = .dialing(parts + [part])
        case .passing(let back): pass(part, to: back)
        case .idle, .answered: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if case .passing(let back) = phase { back.flush() }
        context.fireChannelReadComplete()
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        hasSentBody = false
        isRequestComplete = false
        hasResponse = false
        isReused = false
        // After an offer to change protocols, nothing more is read as HTTP.
        closesAfter = !head.isKeepAlive || IngressHeaders.isUpgrade(head)
        let host = head.headers.first(name: "host") ?? ""
        switch ingress.table.verdict(host: host, uri: head.uri, isTLS: isTLS) {
        case .missing: answer(.notFound, head)
        case .redirect(let location): answer(.permanentRedirect, head, [("Location", location)])
        case .pass(let destination, let uri):
            guard !destination.backends.isEmpty else { return answer(.serviceUnavailable, head) }
            let client = IngressHeaders.Client(
                address: context.remoteAddress?.ipAddress ?? "", isTLS: isTLS, port: isTLS ? 443 : 80)
            request = IngressHeaders.request(head, uri: uri, client: client)
            backends = ingress.turn(destination.backends)
            if head.headers[canonicalForm: "expect"].contains(where: { $0.lowercased() == "100-continue" }) {
                context.writeAndFlush(
                    wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
            }
            if let backend = backends.first, let back = kept.removeValue(forKey: backend) {
                self.backend = backend
                isReused = true
                start(back, [])
            } else {
                dial(context, [])
            }
        }
    }

    private func dial(_ context: ChannelHandlerContext, _ parts: [HTTPServerRequestPart]) {
        phase = .dialing(parts)
        backend = backends.first
        let candidates = backends
        ingress.dialer.dial(candidates, on: context.eventLoop).assumeIsolated().whenComplete { result in
            self.dialed(result)
        }
    }

    private func dialed(_ result: Result<any Channel, any Error>) {
        guard context != nil, case .dialing(let parts) = phase, let request else {
            if case .success(let channel) = result { channel.close(promise: nil) }
            return
        }
        do {
            let channel = try result.get()
            let back = try channel.pipeline.syncOperations.handler(type: IngressBackHandler.self)
            guard channel.isActive else { throw ConnectError.refused }
            start(back, parts)
            resumeReading()
        } catch {
            isRequestComplete = parts.contains { if case .end = $0 { true } else { false } }
            answer(error as? ConnectError == .timedOut ? .gatewayTimeout : .badGateway, request)
            resumeReading()
        }
    }

    private func start(_ back: IngressBackHandler, _ parts: [HTTPServerRequestPart]) {
        guard let request else { return }
        back.front = self
        phase = .passing(back)
        back.send(.head(request))
        for part in parts { pass(part, to: back) }
        back.flush()
    }

    private func pass(_ part: HTTPServerRequestPart, to back: IngressBackHandler) {
        switch part {
        case .head: break
        case .body(let buffer):
            hasSentBody = true
            back.send(.body(.byteBuffer(buffer)))
        case .end(let trailers):
            isRequestComplete = true
            back.send(.end(trailers))
        }
    }

    // MARK: The response

    /// Something came from the backend.
    func receive(_ part: HTTPClientResponsePart, from back: IngressBackHandler) {
        guard let context, case .passing(let current) = phase, current === back else { return back.close() }
        switch part {
        case .head(let head):
            hasResponse = true
            let answer = IngressHeaders.response(head, isTLS: isTLS, closes: closesAfter)
            context.write(wrapOutboundOut(.head(answer)), promise: nil)
            if head.status == .switchingProtocols { switchProtocols(back, context) }
            if !head.isKeepAlive { back.isLast = true }
        case .body(let buffer): context.write(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
        case .end(let trailers):
            keep(back)
            finish(trailers, context)
        }
    }

    func flushResponse() { context?.flush() }

    private func finish(_ trailers: HTTPHeaders?, _ context: ChannelHandlerContext) {
        let closes = closesAfter || !isRequestComplete
        phase = isRequestComplete ? .idle : .answered
        request = nil
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(.end(trailers)), promise: written)
        if closes {
            let channel = context.channel
            written.futureResult.whenComplete { _ in channel.close(promise: nil) }
        }
        resumeReading()
    }

    /// Keeps a connection whose request and response are complete.
    private func keep(_ back: IngressBackHandler) {
        back.front = nil
        guard isRequestComplete, !back.isLast, let backend, kept[backend] == nil, kept.count < 8 else {
            return back.close()
        }
        kept[backend] = back
    }

    /// The backend's connection ended, or nothing was heard for too long.
    func backEnded(_ back: IngressBackHandler, _ status: HTTPResponseStatus) {
        back.front = nil
        kept = kept.filter { $0.value !== back }
        guard let context, let request, case .passing(let current) = phase, current === back else { return }
        if hasResponse {
            // In the middle of it: an orderly end would pass for a complete answer.
            context.close(promise: nil)
        } else if isReused, !hasSentBody {
            // It had been closed before the request came; nothing was done with that.
            isReused = false
            dial(context, isRequestComplete ? [.end(nil)] : [])
        } else {
            answer(status, request)
        }
    }

    /// An answer of our own, in the words of nginx.
    private func answer(
        _ status: HTTPResponseStatus, _ request: HTTPRequestHead, _ headers: [(String, String)] = []
    ) {
        guard let context else { return }
        let reason =
            switch status {
            case .serviceUnavailable: "Service Temporarily Unavailable"
            case .gatewayTimeout: "Gateway Time-out"
            default: status.reasonPhrase
            }
        let title = "\(status.code) \(reason)"
        let page =
            "<html>\r\n<head><title>\(title)</title></head>\r\n<body>\r\n<center><h1>\(title)</h1></center>\r\n"
            + "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
        phase = .answered
        var head = HTTPResponseHead(
            version: .http1_1, status: .custom(code: status.code, reasonPhrase: reason), headers: HTTPHeaders(headers))
        head.headers.add(name: "Content-Type", value: "text/html")
        head.headers.add(name: "Content-Length", value: String(page.utf8.count))
        head = IngressHeaders.response(head, isTLS: isTLS, closes: closesAfter)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: page)))), promise: nil)
        }
        self.request = nil
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
        if closesAfter {
            let channel = context.channel
            written.futureResult.whenComplete { _ in channel.close(promise: nil) }
        }
    }

    // MARK: Another protocol

    /// From here on both sides say what they want: the handlers of HTTP make room.
    private func switchProtocols(_ back: IngressBackHandler, _ context: ChannelHandlerContext) {
        guard let other = back.channel else { return }
        let own = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        phase = .answered
        back.front = nil
        back.isSwitching = true
        // Not from within a decoder that is about to be removed.
        own.eventLoop.assumeIsolated().execute {
            let joined = own.eventLoop.makePromise(of: Void.self)
            do { try joined.completeWith(Self.join(own, other)) } catch { joined.fail(error) }
            joined.futureResult.whenFailure { _ in
                own.close(promise: nil)
                other.close(promise: nil)
            }
        }
    }

    private static func join(_ front: any Channel, _ back: any Channel) throws -> EventLoopFuture<Void> {
        try StreamForwarder.join(front, back) {
            let removed = try front.removeHandlers(
                IngressFrontHandler.self, HTTPServerProtocolErrorHandler.self, HTTPServerPipelineHandler.self,
                HTTPResponseEncoder.self, IdleStateHandler.self, ByteToMessageHandler<HTTPRequestDecoder>.self)
            let removedBehind = try back.removeHandlers(
                IngressBackHandler.self, HTTPRequestEncoder.self, IdleStateHandler.self,
                ByteToMessageHandler<HTTPResponseDecoder>.self)
            return .andAllSucceed(removed + removedBehind, on: front.eventLoop)
        }
    }

    // MARK: Flow

    var isWritable: Bool { context?.channel.isWritable ?? false }

    func read(context: ChannelHandlerContext) {
        let mayRead =
            switch phase {
            case .idle, .answered: true
            case .dialing: false
            case .passing(let back): back.channel?.isWritable ?? true
            }
        if mayRead { context.read() } else { isReadPending = true }
    }

    func resumeReading() {
        guard isReadPending else { return }
        isReadPending = false
        context?.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable, case .passing(let back) = phase { back.resumeReading() }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent, request == nil { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .passing(let back) = phase {
            back.front = nil
            back.close()
        }
        phase = .idle
        for back in kept.values { back.close() }
        kept = [:]
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

extension Channel {
    /// Removes handlers by their types, in this order; decoders take a turn of the event loop for it.
    fileprivate func removeHandlers(
        _ types: any (RemovableChannelHandler).Type...
    ) throws -> [EventLoopFuture<Void>] { try types.map { try remove($0) } }

    private func remove<Handler: RemovableChannelHandler>(_ type: Handler.Type) throws -> EventLoopFuture<Void> {
        let operations = pipeline.syncOperations
        return operations.removeHandler(context: try operations.context(handlerType: type))
    }
}

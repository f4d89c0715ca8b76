import NIOCore
import NIOHTTP1
import NIOSSL

/// A request whose body has arrived whole.
struct CollectedRequest: Sendable {
    let head: HTTPRequestHead
    let body: [UInt8]
    /// The body was larger than is read; it has been thrown away.
    let isTooLarge: Bool
    /// Whom the certificate of the connection names.
    let certificateUser: UserInfo?
}

/// Puts the parts of a request together, within limits of size and time.
final class RequestCollector: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = CollectedRequest
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    struct Limits: Sendable {
        var bodyBytesMax = RequestBody.bytesMax
        /// From the first connection to the end of the first head, TLS included, and from a head to the end of its body.
        var requestTime = TimeAmount.seconds(30)
        /// Between an answer and the next request.
        var idleTime = TimeAmount.seconds(180)
    }

    private let limits: Limits
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var isTooLarge = false
    private var deadline: Scheduled<Void>?
    private var certificateUser: UserInfo?
    private var knowsCertificate = false

    init(limits: Limits) { self.limits = limits }

    func handlerAdded(context: ChannelHandlerContext) { arm(limits.requestTime, context) }

    func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    /// Closes the connection unless something happens in time.
    private func arm(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        deadline?.cancel()
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            arm(limits.requestTime, context)
            self.head = head
            body = []
            let announced = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
            isTooLarge = announced > limits.bodyBytesMax
            if !isTooLarge, head.headers.first(name: "expect")?.lowercased() == "100-continue" {
                context.writeAndFlush(
                    wrapOutboundOut(.head(HTTPResponseHead(version: head.version, status: .continue))), promise: nil)
            }
            // Nobody has to send what will be refused.
            if isTooLarge { finish(context) }
        case .body(let part):
            guard head != nil else { return }
            if body.count + part.readableBytes > limits.bodyBytesMax {
                isTooLarge = true
                finish(context)
            } else {
                body.append(contentsOf: part.readableBytesView)
            }
        case .end: finish(context)
        }
    }

    private func finish(_ context: ChannelHandlerContext) {
        guard let head else { return }
        deadline?.cancel()
        let request = CollectedRequest(
            head: head, body: isTooLarge ? [] : body, isTooLarge: isTooLarge, certificateUser: user(context))
        self.head = nil
        body = []
        context.fireChannelRead(wrapInboundOut(request))
    }

    private func user(_ context: ChannelHandlerContext) -> UserInfo? {
        if !knowsCertificate {
            knowsCertificate = true
            // The handshake is over when a request has arrived, so the certificate is final.
            let certificate = try? context.pipeline.syncOperations.nioSSL_peerCertificate()
            certificateUser = (try? certificate?.toDERBytes()).flatMap { Authenticator.user(ofCertificate: $0) }
        }
        return certificateUser
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { arm(limits.idleTime, context) }
        context.write(data, promise: promise)
    }
}

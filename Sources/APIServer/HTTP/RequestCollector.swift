import KubeModel
import NIOCore
import NIOHTTP1
import NIOSSL

/// A request whose body has arrived whole.
struct CollectedRequest: Sendable {
    let head: HTTPRequestHead
    let body: [UInt8]
    /// Why the body has been thrown away; nil if it has not.
    let refusal: Status?
    /// The body ended before the request was handed on, so that the next one can follow on the same connection.
    let isComplete: Bool
    /// Whom the certificate of the connection names.
    let certificateUser: UserInfo?
    /// The body's part of the memory that there is for bodies.
    let receipt: BodyBudget.Receipt?
}

/// Puts the parts of a request together, within limits of size and time.
final class RequestCollector: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPInput
    typealias OutboundIn = HTTPOutput
    typealias OutboundOut = HTTPServerResponsePart

    struct Limits: Sendable {
        var bodyBytesMax = RequestBody.bytesMax
        /// All bodies that are being received or answered, together.
        var bodiesBytesMax = 256 * 1024 * 1024
        /// Whoever comes when there are so many is told to come again; fewer if the system allows fewer descriptors.
        var connectionsMax = Int.max
        /// All fields of one head, together.
        var headBytesMax = 1024 * 1024
        /// So much is read and thrown away, so that the client, still writing, gets to read why.
        var discardedBytesMax = 64 * 1024 * 1024
        /// From the first connection to the end of the first head, TLS included, and from a head to the end of its body.
        var requestTime = TimeAmount.seconds(30)
        /// Between an answer and the next request.
        var idleTime = TimeAmount.seconds(180)
        /// Without the client reading anything of an answer that waits for it.
        var stallTime = TimeAmount.seconds(120)
    }

    private let limits: Limits
    private let budget: BodyBudget
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var share: BodyBudget.Share?
    private var refusal: Status?
    private var discarded = 0
    /// When the connection is closed unless something happens; nil while a request is being answered.
    private var deadline: NIODeadline?
    /// Goes off at the deadline or before it: what is moved with every request must not cost a timer each time.
    private var alarm: (time: NIODeadline, timer: Scheduled<Void>)?
    private var stall: Scheduled<Void>?
    /// Requests that were handed on and whose answers have not ended.
    private var unansweredCount = 0
    private var certificateUser: UserInfo?
    private var knowsCertificate = false
    /// Called when the client takes more again after it has not.
    var whenWritable: (() -> Void)?

    init(limits: Limits, budget: BodyBudget) {
        self.limits = limits
        self.budget = budget
    }

    func handlerAdded(context: ChannelHandlerContext) { arm(limits.requestTime, context) }

    func handlerRemoved(context: ChannelHandlerContext) {
        alarm?.timer.cancel()
        stall?.cancel()
    }

    func channelInactive(context: ChannelHandlerContext) {
        alarm?.timer.cancel()
        stall?.cancel()
        share = nil
        body = []
        whenWritable = nil
        context.fireChannelInactive()
    }

    /// Somebody who does not read what waits for him is sent away, too.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stall?.cancel()
        let channel = context.channel
        if !channel.isWritable {
            stall = context.eventLoop.scheduleTask(in: limits.stallTime) { channel.close(promise: nil) }
        }
        context.fireChannelWritabilityChanged()
        if channel.isWritable { whenWritable?() }
    }

    /// Closes the connection unless something happens in time.
    private func arm(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        let end = NIODeadline.now() + time
        deadline = end
        if let alarm, alarm.time <= end { return }
        setAlarm(for: end, context.channel)
    }

    private func setAlarm(for time: NIODeadline, _ channel: any Channel) {
        alarm?.timer.cancel()
        let timer = channel.eventLoop.assumeIsolated().scheduleTask(deadline: time) { [weak self] () -> Void in
            self?.passAlarm(channel)
        }
        alarm = (time, timer)
    }

    private func passAlarm(_ channel: any Channel) {
        alarm = nil
        guard let deadline else { return }
        if deadline <= .now() { channel.close(promise: nil) } else { setAlarm(for: deadline, channel) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): begin(head, context)
        case .body(let part): append(part, context)
        case .end: finish(context, isComplete: true)
        }
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        arm(limits.requestTime, context)
        self.head = head
        body = []
        share = BodyBudget.Share(budget)
        discarded = 0
        let announced = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
        refusal = announced > limits.bodyBytesMax ? .tooLarge(bytesMax: limits.bodyBytesMax) : nil
        let isAsking = head.headers.first(name: "expect")?.lowercased() == "100-continue"
        // In the middle of another answer nothing can be said; a client that is not told goes on by itself.
        if isAsking, refusal == nil, unansweredCount == 0 {
            context.writeAndFlush(
                wrapOutboundOut(.head(HTTPResponseHead(version: head.version, status: .continue))), promise: nil)
        }
        // Nobody has to send what will be refused.
        if refusal != nil, isAsking || announced > limits.discardedBytesMax { finish(context, isComplete: false) }
    }

    private func append(_ part: ByteBuffer, _ context: ChannelHandlerContext) {
        guard head != nil else { return }
        let count = part.readableBytes
        if refusal == nil, body.count + count > limits.bodyBytesMax {
            refusal = .tooLarge(bytesMax: limits.bodyBytesMax)
        } else if refusal == nil, share?.take(count) == false {
            refusal = .tooManyRequests
        }
        guard refusal != nil else {
            body.append(contentsOf: part.readableBytesView)
            return
        }
        discarded += body.count + count
        body = []
        share = nil
        if discarded > limits.discardedBytesMax { finish(context, isComplete: false) }
    }

    private func finish(_ context: ChannelHandlerContext, isComplete: Bool) {
        guard let head else { return }
        deadline = nil
        let request = CollectedRequest(
            head: head, body: body, refusal: refusal, isComplete: isComplete, certificateUser: user(context),
            receipt: body.isEmpty ? nil : share?.sealed())
        self.head = nil
        body = []
        share = nil
        unansweredCount += 1
        context.fireChannelRead(wrapInboundOut(.request(request)))
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
        switch unwrapOutboundIn(data) {
        case .part(let part):
            if case .end = part {
                unansweredCount -= 1
                if head == nil { arm(limits.idleTime, context) }
            }
            context.write(wrapOutboundOut(part), promise: promise)
        case .bytes: promise?.fail(ChannelError.operationUnsupported)
        case .upgrade(let head):
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: promise)
            upgrade(context)
        }
    }

    /// Takes HTTP out of the pipeline: what was sent and is not yet parsed, and all that follows, passes as it is.
    private func upgrade(_ context: ChannelHandlerContext) {
        deadline = nil
        stall?.cancel()
        let operations = context.pipeline.syncOperations
        // In this order, because the decoder passes left bytes on to whoever comes after it.
        let handlers: [(any RemovableChannelHandler)?] = [
            try? operations.handler(type: HTTPServerProtocolErrorHandler.self),
            try? operations.handler(type: NIOHTTPResponseHeadersValidator.self),
            try? operations.handler(type: HTTPResponseEncoder.self),
            self,
            try? operations.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self),
        ]
        do {
            try operations.addHandler(ByteRelay(), position: .after(self))
            for handler in handlers {
                if let handler { operations.removeHandler(handler, promise: nil) }
            }
        } catch {
            context.close(promise: nil)
        }
    }
}

/// Stands where HTTP was, after an upgrade.
private final class ByteRelay: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = HTTPInput
    typealias OutboundIn = HTTPOutput
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.fireChannelRead(wrapInboundOut(.bytes(unwrapInboundIn(data))))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .bytes(let bytes) = unwrapOutboundIn(data) else {
            promise?.fail(ChannelError.operationUnsupported)
            return
        }
        context.write(wrapOutboundOut(bytes), promise: promise)
    }
}

import NIOCore
import NIOHTTP1
import NIOPosix

/// One event loop for all client connections of the process; started at first use, idle without cost.
enum ClientEventLoops {
    static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
}

/// What comes back: the head at once, the body as it arrives.
struct HTTPExchangeResponse: Sendable {
    let status: Int
    let headers: [(String, String)]
    let body: AsyncThrowingStream<[UInt8], any Error>

    /// The whole body, at most `limit` bytes.
    func collect(limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await chunk in body {
            guard bytes.count + chunk.count <= limit else { throw HTTPFailure.tooLarge(limit: limit) }
            bytes.append(contentsOf: chunk)
        }
        return bytes
    }
}

/// Why an exchange did not come to its end.
enum HTTPFailure: Error, Sendable {
    case tooLarge(limit: Int)
    /// The connection was of no use before any of the request was on its way.
    indirect case notSent(because: any Error)
    /// The connection was closed while an answer was awaited.
    case closed
    case timedOut
}

/// One HTTP/1.1 connection, used for one exchange at a time.
///
/// All state lives on the channel's event loop, inside the handler.
final class HTTPConnection: Sendable {
    let channel: any Channel
    private let handler: NIOLoopBound<ExchangeHandler>

    private init(channel: any Channel, handler: NIOLoopBound<ExchangeHandler>) {
        self.channel = channel
        self.handler = handler
    }

    /// Puts the HTTP handlers on a channel that is connected (and wrapped in TLS, where wanted).
    static func make(on channel: any Channel) -> EventLoopFuture<HTTPConnection> {
        channel.eventLoop.submit {
            let exchange = ExchangeHandler()
            try channel.pipeline.syncOperations.addHTTPClientHandlers(leftOverBytesStrategy: .dropBytes)
            try channel.pipeline.syncOperations.addHandler(exchange)
            return HTTPConnection(channel: channel, handler: NIOLoopBound(exchange, eventLoop: channel.eventLoop))
        }
    }

    /// How long the head of a response may take: every endpoint sends it before it starts to wait for anything.
    private static let headTimeout = TimeAmount.seconds(60)

    var isOpen: Bool { channel.isActive }

    /// Sends a request and returns when the head of the response is there.
    ///
    /// - Parameter finished: Called on the event loop when the body has ended; true when the connection can be used again.
    func exchange(
        _ head: HTTPRequestHead, body: [UInt8]?, finished: @escaping @Sendable (Bool) -> Void
    ) async throws -> HTTPExchangeResponse {
        let response = channel.eventLoop.makePromise(of: HTTPExchangeResponse.self)
        let handler = handler
        let channel = channel
        channel.eventLoop.execute {
            handler.value.begin(response, finished: finished)
            guard channel.isActive else { return handler.value.fail(HTTPFailure.notSent(because: HTTPFailure.closed)) }
            let timeout = channel.eventLoop.scheduleTask(in: Self.headTimeout) {
                handler.value.fail(HTTPFailure.timedOut)
                channel.close(promise: nil)
            }
            response.futureResult.whenComplete { _ in timeout.cancel() }
            channel.write(HTTPClientRequestPart.head(head), promise: nil)
            if let body, !body.isEmpty {
                channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil)
            }
            channel.writeAndFlush(HTTPClientRequestPart.end(nil)).whenFailure { _ in
                handler.value.fail(HTTPFailure.closed)
                channel.close(promise: nil)
            }
        }
        return try await withTaskCancellationHandler {
            try await response.futureResult.get()
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    func close() { channel.close(promise: nil) }
}

/// Turns the parts of responses into one promise and one stream for each exchange.
final class ExchangeHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private var response: EventLoopPromise<HTTPExchangeResponse>?
    private var body: AsyncThrowingStream<[UInt8], any Error>.Continuation?
    private var finished: ((Bool) -> Void)?
    private var keepsAlive = false
    /// Why the connection is of no use any more; nobody tells twice.
    private var failure: (any Error)?

    func begin(_ response: EventLoopPromise<HTTPExchangeResponse>, finished: @escaping (Bool) -> Void) {
        if let failure {
            response.fail(HTTPFailure.notSent(because: failure))
            finished(false)
            return
        }
        self.response = response
        self.finished = finished
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            keepsAlive = head.isKeepAlive
            let channel = context.channel
            let (stream, continuation) = AsyncThrowingStream<[UInt8], any Error>.makeStream()
            // A reader that stops early has no use for the rest: only closing ends it.
            continuation.onTermination = { termination in
                if case .cancelled = termination { channel.close(promise: nil) }
            }
            body = continuation
            response?.succeed(
                HTTPExchangeResponse(
                    status: Int(head.status.code), headers: head.headers.map { ($0.name, $0.value) }, body: stream))
            response = nil
        case .body(let buffer): body?.yield(Array(buffer.readableBytesView))
        case .end:
            body?.finish()
            body = nil
            finished?(keepsAlive)
            finished = nil
            if !keepsAlive { context.close(promise: nil) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) { fail(HTTPFailure.closed) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(error)
        context.close(promise: nil)
    }

    /// Ends the exchange that goes on, if one does.
    func fail(_ error: any Error) {
        if failure == nil { failure = error }
        response?.fail(error)
        response = nil
        body?.finish(throwing: error)
        body = nil
        finished?(false)
        finished = nil
    }
}

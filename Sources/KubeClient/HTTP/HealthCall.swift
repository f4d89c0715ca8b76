import NIOCore
import NIOPosix

/// Asks a server of gRPC whether it is healthy, without TLS.
public enum HealthCall {
    /// What the server said.
    public enum Answer: Sendable, Hashable {
        /// The number of the `ServingStatus`; 1 is SERVING.
        case serving(Int)
        /// A status of gRPC other than OK.
        case failed(code: Int, message: String)
    }

    public enum Failure: Error, Sendable, Hashable {
        /// Nobody there speaks gRPC.
        case noConnection
        /// The time was over before the answer was there.
        case timedOut
        /// The connection ended before the answer was there.
        case closed
    }

    /// Asks over a connection that exists already, and closes it.
    ///
    /// - Parameters:
    ///   - connectedSocket: A connected TCP socket; this call owns it from now on.
    ///   - host: The authority, `HOST:PORT`.
    ///   - service: The service that is asked about; empty for the server as a whole.
    public static func check(
        connectedSocket: Int32, host: String, service: String, timeout: Duration
    ) async throws(Failure) -> Answer {
        let deadline = ContinuousClock.now + timeout
        let loop = ClientEventLoops.group.next()
        let promise = loop.makePromise(of: HealthExchange.Outcome.self)
        let request = HealthExchange.request(host: host, service: service)
        do {
            let channel = try await ClientBootstrap(group: loop).channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(HealthHandler(request, promise))
                }
            }.withConnectedSocket(connectedSocket).get()
            // One timer closes the connection; what waits on it then ends.
            let timer = loop.scheduleTask(in: timeout.timeAmount) { channel.close(promise: nil) }
            defer {
                timer.cancel()
                channel.close(promise: nil)
            }
            switch try await promise.futureResult.get() {
            case .serving(let status): return .serving(status)
            case .failed(let code, let message): return .failed(code: code, message: message)
            case .broken: throw Failure.noConnection
            }
        } catch let failure as Failure {
            throw failure == .closed && ContinuousClock.now >= deadline ? .timedOut : failure
        } catch {
            promise.fail(error)
            throw .noConnection
        }
    }
}

/// Carries bytes between a connection and the exchange on it.
private final class HealthHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let request: [UInt8]
    private let promise: EventLoopPromise<HealthExchange.Outcome>
    private var exchange = HealthExchange()

    init(_ request: [UInt8], _ promise: EventLoopPromise<HealthExchange.Outcome>) {
        self.request = request
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) { send(request, context) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let (answer, outcome) = exchange.receive(Array(unwrapInboundIn(data).readableBytesView))
        if !answer.isEmpty { send(answer, context) }
        if let outcome { promise.succeed(outcome) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(exchange.isConnected ? HealthCall.Failure.closed : HealthCall.Failure.noConnection)
    }

    private func send(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
    }
}

import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// A connection to a program in a pod, read part by part: nothing is taken from the socket while nobody asks.
///
/// It closes when it is let go of.
final class BackendConnection<Part: Sendable>: Sendable {
    private let channel: any Channel
    private let reader: NIOLoopBound<PullHandler<Part>>

    private init(channel: any Channel, reader: NIOLoopBound<PullHandler<Part>>) {
        self.channel = channel
        self.reader = reader
    }

    deinit { channel.close(promise: nil) }

    typealias Preparation = @Sendable (ChannelPipeline.SynchronousOperations) throws -> Void

    /// Takes a connected socket over, with the handlers that `prepare` adds before the last.
    ///
    /// - Parameter tls: Nil for a connection that is not secured.
    static func adopt(
        _ descriptor: Int32, _ eventLoop: any EventLoop, tls: OutgoingTLS?,
        _ prepare: @escaping Preparation = { _ in }
    ) async throws -> BackendConnection {
        try await bootstrap(eventLoop).withConnectedSocket(descriptor) { setUp($0, tls, prepare) }
    }

    /// Connects to a port of this machine.
    static func open(
        _ address: String, _ port: Int, _ eventLoop: any EventLoop, tls: OutgoingTLS?, _ prepare: @escaping Preparation
    ) async throws -> BackendConnection {
        try await bootstrap(eventLoop).connect(host: address, port: port) { setUp($0, tls, prepare) }
    }

    private static func bootstrap(_ eventLoop: any EventLoop) -> ClientBootstrap {
        ClientBootstrap(group: eventLoop).channelOption(.autoRead, value: false)
    }

    private static func setUp(
        _ channel: any Channel, _ tls: OutgoingTLS?, _ prepare: @escaping Preparation
    ) -> EventLoopFuture<BackendConnection> {
        channel.eventLoop.makeCompletedFuture {
            let operations = channel.pipeline.syncOperations
            if let tls {
                try operations.addHandler(tls.handler())
            }
            try prepare(operations)
            let handler = PullHandler<Part>(shakesHands: tls != nil)
            try operations.addHandler(handler)
            return BackendConnection(channel: channel, reader: NIOLoopBound(handler, eventLoop: channel.eventLoop))
        }
    }

    /// The next part; nil when there will be no more.
    ///
    /// Throws when the connection breaks or the task is cancelled.
    func next() async throws -> Part? {
        try await withTaskCancellationHandler {
            let eventLoop = channel.eventLoop
            return try await eventLoop.flatSubmit { [reader] in reader.value.next(eventLoop) }.get()
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    /// Returns when the bytes are on their way.
    func write(_ parts: [some Sendable]) async throws {
        try await withTaskCancellationHandler {
            for part in parts.dropLast() { channel.write(part, promise: nil) }
            guard let last = parts.last else { return }
            do {
                try await channel.writeAndFlush(last)
            } catch {
                // What broke the connection says more than that it is closed.
                throw (try? await channel.eventLoop.submit { [reader] in reader.value.failure }.get()) ?? error
            }
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    func close() { channel.close(promise: nil) }

    /// Returns when the connection has ended, and whoever was to be told has been.
    func closed() async { try? await channel.closeFuture.get() }

    // MARK: One after the other

    /// Writes the parts of a request on a connection that lay idle.
    ///
    /// - Returns: False when the connection had ended and nobody can have read the request: not even the first part has
    ///   left.
    func writeIfAlive(_ parts: [some Sendable]) async throws -> Bool {
        guard let first = parts.first, parts.count > 1 else { preconditionFailure("a request has a head and an end") }
        let hasLeft = channel.eventLoop.makePromise(of: Void.self)
        channel.write(first, promise: hasLeft)
        do {
            try await write(Array(parts.dropFirst()))
            // Programs that write the head of an answer and then its body wait for the kernel here to confirm the first,
            // which it puts off for 40 ms on a connection that is no longer new.
            try? await channel.setOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_QUICKACK)), value: 1)
            return true
        } catch {
            do { try await hasLeft.futureResult.get() } catch {
                try Task.checkCancellation()
                return false
            }
            throw error
        }
    }

    /// Lets the connection lie idle, unless it has ended or more has come than was asked for.
    ///
    /// - Parameters:
    ///   - time: How long; then it closes.
    ///   - begin: Called on the event loop before anything else can happen to the connection; false closes it.
    ///   - end: Called when it is taken into use again, or ends.
    func rest(
        _ time: TimeAmount, begin: @escaping @Sendable () -> Bool, end: @escaping @Sendable () -> Void
    ) async {
        try? await channel.eventLoop.submit { [channel, reader] in
            guard channel.isActive, reader.value.isQuiet, begin() else { return channel.close(promise: nil) }
            let closing = channel.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
            reader.value.rest {
                closing.cancel()
                end()
            }
        }.get()
    }

    /// Takes the connection back into use; false when it has ended.
    func wake() async -> Bool {
        let isAlive = try? await channel.eventLoop.submit { [channel, reader] in
            reader.value.wake() && channel.isActive
        }.get()
        return isAlive ?? false
    }
}

/// Hands out what arrives when it is asked for; lives on the event loop.
private final class PullHandler<Part: Sendable>: ChannelInboundHandler {
    typealias InboundIn = Part

    private var context: ChannelHandlerContext?
    private var parts: [Part] = []
    private var waiter: EventLoopPromise<Part?>?
    private(set) var failure: (any Error)?
    private var isOver = false
    private let shakesHands: Bool
    /// Called when a connection no longer lies idle; nil for one that is in use.
    private var restEnd: (() -> Void)?

    /// - Parameter shakesHands: A handshake comes first, for which nobody asks.
    init(shakesHands: Bool) { self.shakesHands = shakesHands }

    func channelActive(context: ChannelHandlerContext) {
        if shakesHands { context.read() }
        context.fireChannelActive()
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        end()
    }

    func next(_ eventLoop: any EventLoop) -> EventLoopFuture<Part?> {
        if !parts.isEmpty { return eventLoop.makeSucceededFuture(parts.removeFirst()) }
        if let failure { return eventLoop.makeFailedFuture(failure) }
        guard let context, !isOver else { return eventLoop.makeSucceededFuture(nil) }
        let promise = eventLoop.makePromise(of: Part?.self)
        waiter = promise
        context.read()
        return promise.futureResult
    }

    /// Whether nothing has come that nobody has asked for, and more can come.
    var isQuiet: Bool { parts.isEmpty && failure == nil && !isOver }

    /// Reads on, although nobody asks, to see when the other side closes.
    func rest(_ end: @escaping () -> Void) {
        restEnd = end
        context?.read()
    }

    func wake() -> Bool {
        restEnd.take()?()
        return isQuiet
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        parts.append(unwrapInboundIn(data))
        // An answer to nothing.
        if restEnd != nil { context.close(promise: nil) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if restEnd != nil { return context.read() }
        guard let waiter else { return }
        if parts.isEmpty {
            context.read()
        } else {
            self.waiter = nil
            waiter.succeed(parts.removeFirst())
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        failure = Self.withCertificate(error, context)
        let error = failure ?? error
        if let waiter = self.waiter.take() {
            if parts.isEmpty { waiter.fail(error) } else { waiter.succeed(parts.removeFirst()) }
        }
        context.close(promise: nil)
    }

    /// An error of the handshake with what the other side has shown of itself, while that is still known.
    private static func withCertificate(_ error: any Error, _ context: ChannelHandlerContext) -> any Error {
        guard "\(error)".contains(OutgoingTLS.unbelieved),
            let handler = try? context.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self),
            let certificate = try? handler.peerCertificate?.toDERBytes()
        else { return error }
        return PeerFault(certificate: certificate)
    }

    func channelInactive(context: ChannelHandlerContext) { end() }

    private func end() {
        isOver = true
        restEnd.take()?()
        guard let waiter = self.waiter.take() else { return }
        if !parts.isEmpty { waiter.succeed(parts.removeFirst()) } else { waiter.succeed(nil) }
    }
}

import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// A single plain HTTP request, for probes and checks: connect, ask, read, close.
public enum HTTPFetch {
    public struct Response: Sendable, Hashable {
        public var status: Int
        public var body: [UInt8]
        /// Header fields in the order in which they came.
        public var headers: [Header]

        public struct Header: Sendable, Hashable {
            public var name: String
            public var value: String
        }

        public var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// Why there is no response.
    public enum Failure: Error, Sendable, Hashable {
        case refused
        case timedOut
        /// The connection ended before the response did.
        case closed
        /// The answer is larger than allowed.
        case tooLarge
        case other(String)
    }

    /// Asks a server that this process can reach.
    public static func get(
        host: String, port: Int, path: String, headers: [(String, String)] = [], timeout: Duration
    ) async throws(Failure) -> Response {
        try await send("GET", host: host, port: port, path: path, headers: headers, body: nil, timeout: timeout)
    }

    /// Sends a request of any method, with a body when there is one, to a server that this process can reach.
    public static func send(
        _ method: String, host: String, port: Int, path: String, headers: [(String, String)] = [], body: [UInt8]?,
        timeout: Duration
    ) async throws(Failure) -> Response {
        let deadline = ContinuousClock.now + timeout
        let ask = Request(method: method, host: "\(host):\(port)", path: path, headers: headers, body: body)
        return try await run(ask, deadline: deadline) {
            try await ClientBootstrap(group: ClientEventLoops.group)
                .connectTimeout(timeout.timeAmount)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .connect(host: host, port: port).get()
        }
    }

    /// Asks over a connection that exists already, and closes it.
    ///
    /// - Parameter connectedSocket: A connected TCP socket; this call owns it from now on.
    /// - Parameter isTLS: Whether to speak HTTPS, to whoever answers: as probes do, nobody looks at the certificate.
    /// - Parameter host: The value of the `Host` header.
    public static func get(
        connectedSocket: Int32, isTLS: Bool = false, host: String, path: String, headers: [(String, String)] = [],
        timeout: Duration
    ) async throws(Failure) -> Response {
        let deadline = ContinuousClock.now + timeout
        let ask = Request(method: "GET", host: host, path: path, headers: headers, body: nil)
        return try await run(ask, deadline: deadline) {
            let channel = try await ClientBootstrap(group: ClientEventLoops.group)
                .withConnectedSocket(connectedSocket).get()
            if isTLS { try await secure(channel) }
            return channel
        }
    }

    private static func secure(_ channel: any Channel) async throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        let context = try NIOSSLContext(configuration: configuration)
        try await channel.eventLoop.submit {
            let handler = try NIOSSLClientHandler(context: context, serverHostname: nil)
            try channel.pipeline.syncOperations.addHandler(handler)
        }.get()
    }

    private static let bodyBytesMax = 1024 * 1024

    private struct Request: Sendable {
        let method: String
        let host: String
        let path: String
        let headers: [(String, String)]
        let body: [UInt8]?
    }

    private static func run(
        _ request: Request, deadline: ContinuousClock.Instant, connect: @Sendable () async throws -> any Channel
    ) async throws(Failure) -> Response {
        let patience = Patience()
        do {
            let channel = try await connect()
            // One timer closes the connection; whatever waits on it then ends.
            let remaining = max(.zero, deadline - .now)
            let timer = channel.eventLoop.scheduleTask(in: remaining.timeAmount) {
                patience.isOver.store(true, ordering: .relaxed)
                channel.close(promise: nil)
            }
            defer {
                timer.cancel()
                channel.close(promise: nil)
            }
            let connection = try await HTTPConnection.make(on: channel).get()
            var head = HTTPRequestHead(
                version: .http1_1, method: HTTPMethod(rawValue: request.method), uri: request.path)
            for (name, value) in request.headers { head.headers.add(name: name, value: value) }
            if !head.headers.contains(name: "Host") { head.headers.add(name: "Host", value: request.host) }
            if let body = request.body { head.headers.replaceOrAdd(name: "Content-Length", value: "\(body.count)") }
            if !head.headers.contains(name: "User-Agent") {
                head.headers.add(name: "User-Agent", value: "velocitylab/1")
            }
            head.headers.add(name: "Accept", value: "*/*")
            head.headers.add(name: "Connection", value: "close")
            let response = try await connection.exchange(head, body: request.body) { _ in }
            return Response(
                status: response.status, body: try await response.collect(limit: bodyBytesMax),
                headers: response.headers.map { Response.Header(name: $0.0, value: $0.1) })
        } catch {
            // Not by the clock: on a busy machine an end that came in time is seen late.
            throw failure(error, isLate: patience.isOver.load(ordering: .relaxed))
        }
    }

    /// Whether a request was cut short because its time was over.
    private final class Patience: Sendable {
        let isOver = Atomic(false)
    }

    private static func failure(_ error: any Error, isLate: Bool) -> Failure {
        if isLate { return .timedOut }
        switch error {
        case HTTPFailure.notSent(let cause): return failure(cause, isLate: false)
        case HTTPFailure.closed: return .closed
        case HTTPFailure.tooLarge: return .tooLarge
        case ChannelError.connectTimeout: return .timedOut
        case let error as NIOConnectionError:
            let inner = error.connectionErrors.first?.error
            return inner.map { failure($0, isLate: false) } ?? .other("\(error)")
        case let error as IOError where error.errnoCode == ECONNREFUSED: return .refused
        case let error as IOError where error.errnoCode == ECONNRESET: return .closed
        // It ended before the request was on its way.
        case ChannelError.ioOnClosedChannel, ChannelError.alreadyClosed: return .closed
        default: return .other("\(error)")
        }
    }
}

extension Duration {
    var timeAmount: TimeAmount {
        let parts = components
        return .nanoseconds(parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000)
    }
}

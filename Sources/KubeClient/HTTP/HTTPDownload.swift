import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Gets what a web address has, of any size, over HTTP or HTTPS: the head at once, the body as it comes.
public enum HTTPDownload {
    public struct Answer: Sendable {
        public var status: Int
        public var headers: [(name: String, value: String)]
        public var body: AsyncThrowingStream<[UInt8], any Error>

        public func header(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }

        /// The whole body, at most `limit` bytes.
        public func collect(limit: Int) async throws -> [UInt8] {
            var bytes: [UInt8] = []
            for try await piece in body {
                guard bytes.count + piece.count <= limit else { throw HTTPFailure.tooLarge(limit: limit) }
                bytes += piece
            }
            return bytes
        }
    }

    /// Asks once, and leaves redirections to the caller; the connection ends with the body.
    ///
    /// Who answers over HTTPS is known by the machine's own authorities, or by those in the file that `SSL_CERT_FILE` names.
    ///
    /// - Throws: What the network, the resolver or the certificate said, as a `Failure`.
    public static func get(_ address: WebAddress, headers: [(String, String)] = []) async throws(Failure) -> Answer {
        try await ask(address, .GET, headers, body: nil)
    }

    /// Sends a form that is encoded already (`a=b&c=d`), and gets what comes back.
    public static func post(
        _ address: WebAddress, form: String, headers: [(String, String)] = []
    ) async throws(Failure) -> Answer {
        let own = [
            ("Content-Type", "application/x-www-form-urlencoded"), ("Content-Length", "\(form.utf8.count)"),
        ]
        return try await ask(address, .POST, headers + own, body: Array(form.utf8))
    }

    private static func ask(
        _ address: WebAddress, _ method: HTTPMethod, _ headers: [(String, String)], body: [UInt8]?
    ) async throws(Failure) -> Answer {
        do {
            let connection = try await connect(address)
            var head = HTTPRequestHead(version: .http1_1, method: method, uri: address.path)
            head.headers.add(name: "Host", value: address.authority)
            head.headers.add(name: "User-Agent", value: "velocitylab/1")
            for (name, value) in headers { head.headers.add(name: name, value: value) }
            head.headers.add(name: "Connection", value: "close")
            let response = try await connection.exchange(head, body: body) { _ in }
            return Answer(
                status: response.status, headers: response.headers.map { (name: $0.0, value: $0.1) },
                body: response.body)
        } catch {
            throw Failure(message: sentence(error, address))
        }
    }

    /// Why nothing came, in the words that other clients use.
    public struct Failure: Error, Sendable, Hashable {
        public var message: String
    }

    private static func connect(_ address: WebAddress) async throws -> HTTPConnection {
        let context = address.isSecure ? try secureContext() : nil
        let isNumber = (try? SocketAddress(ipAddress: address.host, port: 0)) != nil
        return try await ClientBootstrap(group: ClientEventLoops.group)
            .connectTimeout(.seconds(10))
            .connect(host: address.host, port: address.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(
                            try NIOSSLClientHandler(context: context, serverHostname: isNumber ? nil : address.host))
                    }
                    try channel.pipeline.syncOperations.addHandlers(
                        IdleStateHandler(readTimeout: .seconds(60)), SilenceEndsIt())
                }.flatMap { HTTPConnection.make(on: channel) }
            }
    }

    private static func secureContext() throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.applicationProtocols = ["http/1.1"]
        if let file = getenv("SSL_CERT_FILE") { configuration.trustRoots = .file(String(cString: file)) }
        return try NIOSSLContext(configuration: configuration)
    }

    private static func sentence(_ error: any Error, _ address: WebAddress) -> String {
        switch error {
        case HTTPFailure.notSent(let cause): return sentence(cause, address)
        case HTTPFailure.closed: return "EOF"
        case HTTPFailure.timedOut, ChannelError.connectTimeout: return "dial tcp \(address.authority): i/o timeout"
        case let error as NIOConnectionError:
            if error.dnsAError != nil || error.dnsAAAAError != nil, error.connectionErrors.isEmpty {
                return "dial tcp: lookup \(address.host): no such host"
            }
            return error.connectionErrors.first.map { sentence($0.error, address) } ?? "no address answers"
        case let error as IOError:
            return "dial tcp \(address.authority): connect: \(String(cString: strerror(error.errnoCode)).lowercased())"
        case let error as NIOSSLError:
            // What BoringSSL says is for those who have its sources.
            guard case .handshakeFailed(let cause) = error else { return "tls: \(error)" }
            return "\(cause)".contains("CERTIFICATE_VERIFY_FAILED")
                ? "tls: failed to verify certificate: x509: certificate signed by unknown authority"
                : "tls: handshake failure"
        default: return "\(error)"
        }
    }

    /// Closes a connection on which nothing comes any more.
    private final class SilenceEndsIt: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
            context.fireUserInboundEventTriggered(event)
        }
    }
}

/// `https://host:port/path?query`.
public struct WebAddress: Sendable, Hashable, CustomStringConvertible {
    public var isSecure: Bool
    public var host: String
    public var port: Int
    /// With the query.
    public var path: String

    /// - Parameter authority: `host` or `host:port`.
    public init?(isSecure: Bool, authority: some StringProtocol, path: String) {
        guard let address = ServerAddress(Substring(authority)), address.path.isEmpty else { return nil }
        self.isSecure = isSecure
        host = address.host
        port = address.port ?? (isSecure ? 443 : 80)
        self.path = path
    }

    /// Nil for what is no web address.
    public init?(_ text: String) {
        let isSecure = text.hasPrefix("https://")
        guard isSecure || text.hasPrefix("http://") else { return nil }
        let rest = text.dropFirst(isSecure ? 8 : 7)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let path = rest[end...]
        self.init(isSecure: isSecure, authority: rest[..<end], path: path.hasPrefix("/") ? String(path) : "/\(path)")
    }

    /// The host, and the port where it is not the usual one.
    public var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    public var description: String { "\(isSecure ? "https" : "http")://\(authority)\(path)" }
}

import KubeModel
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// A cluster reached over HTTPS with a kubeconfig: the embedded one from another process, or any real Kubernetes.
public final class HTTPSClient: ClusterClient {
    private let host: String
    private let port: Int
    private let prefix: String
    private let context: NIOSSLContext?
    private let token: String?
    private let verifiesHostName: Bool
    /// Connections that wait for their next exchange.
    private let idle = Mutex<[HTTPConnection]>([])

    static let bodyBytesMax = 256 * 1024 * 1024

    /// - Parameter context: The kubeconfig's context; nil takes the current one.
    public init(kubeconfig: Kubeconfig, context name: String?) throws(Kubeconfig.Failure) {
        let (cluster, user) = try kubeconfig.resolve(name)
        guard let scheme = cluster.server.firstRange(of: "://"),
            let url = ServerAddress(cluster.server[scheme.upperBound...])
        else { throw Kubeconfig.Failure(message: "The server address '\(cluster.server)' is not a URL.") }
        let isPlain = cluster.server.hasPrefix("http://")
        host = url.host
        port = url.port ?? (isPlain ? 80 : 443)
        prefix = url.path
        token = user.token
        verifiesHostName = !cluster.skipsVerification
        guard !isPlain else {
            context = nil
            return
        }
        do {
            var configuration = TLSConfiguration.makeClientConfiguration()
            if let authority = cluster.certificateAuthority {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(authority))
            }
            if let certificate = user.certificate, let key = user.key {
                configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(certificate).map {
                    .certificate($0)
                }
                configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem))
            }
            if cluster.skipsVerification { configuration.certificateVerification = .none }
            configuration.applicationProtocols = ["http/1.1"]
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw Kubeconfig.Failure(message: "The certificates of the kubeconfig cannot be used: \(error).")
        }
    }

    deinit { for connection in idle.withLock({ $0 }) { connection.close() } }

    // MARK: Connections

    private func connect() async throws -> HTTPConnection { try await connect(HTTPConnection.make) }

    /// A connection, wrapped in TLS where wanted, with the handlers that `make` puts on it.
    func connect<Connection: Sendable>(
        _ make: @escaping @Sendable (any Channel) -> EventLoopFuture<Connection>
    ) async throws -> Connection {
        let context = context
        let name = SocketAddress.isIPAddress(host) ? nil : host
        // All handlers are there before the first byte, so that the reason of a handshake that fails is not lost.
        return try await ClientBootstrap(group: ClientEventLoops.group)
            .connectTimeout(.seconds(10))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let context else { return }
                    try channel.pipeline.syncOperations.addHandler(
                        try NIOSSLClientHandler(context: context, serverHostname: name))
                }.flatMap { make(channel) }
            }
    }

    /// One request.
    ///
    /// An idle connection that the server has closed meanwhile is replaced, unless the server may have acted already.
    func send(
        _ method: HTTPMethod, _ path: String, query: [(String, String)] = [], contentType: String? = nil,
        body: [UInt8]? = nil
    ) async throws(Status) -> HTTPExchangeResponse {
        var head = head(method, path, query)
        if let contentType { head.headers.add(name: "Content-Type", value: contentType) }
        if let body { head.headers.add(name: "Content-Length", value: String(body.count)) }
        do {
            if let connection = takeIdle() {
                do {
                    return try await exchange(connection, head, body)
                } catch HTTPFailure.notSent {
                } catch HTTPFailure.closed where method == .GET && !Task.isCancelled {}
            }
            return try await exchange(try await connect(), head, body)
        } catch {
            throw unreachable(error)
        }
    }

    /// What every request begins with.
    func head(_ method: HTTPMethod, _ path: String, _ query: [(String, String)]) -> HTTPRequestHead {
        var head = HTTPRequestHead(version: .http1_1, method: method, uri: prefix + path + Self.text(of: query))
        head.headers.add(name: "Host", value: "\(host):\(port)")
        head.headers.add(name: "Accept", value: "application/json")
        head.headers.add(name: "User-Agent", value: "velocity")
        if let token { head.headers.add(name: "Authorization", value: "Bearer \(token)") }
        return head
    }

    func unreachable(_ error: any Error) -> Status {
        Status(
            code: 0, reason: "Unreachable",
            message: "The cluster at \(host):\(port) cannot be reached: \(Self.reason(error)).")
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case is CancellationError: "the request was cancelled"
        case HTTPFailure.notSent(let cause): reason(cause)
        case HTTPFailure.closed: "the connection was closed"
        case HTTPFailure.timedOut: "it does not answer"
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { "\($0.error)" } ?? "no address answers"
        default: "\(error)"
        }
    }

    private func takeIdle() -> HTTPConnection? {
        idle.withLock { idle in
            while let connection = idle.popLast() { if connection.isOpen { return connection } }
            return nil
        }
    }

    private func exchange(
        _ connection: HTTPConnection, _ head: HTTPRequestHead, _ body: [UInt8]?
    ) async throws -> HTTPExchangeResponse {
        try await connection.exchange(head, body: body) { [weak self] isReusable in
            guard let self, isReusable else { return connection.close() }
            self.idle.withLock { $0.append(connection) }
        }
    }

    private static func text(of query: [(String, String)]) -> String {
        query.isEmpty ? "" : "?" + query.map { "\($0.0)=\(percentEncoded($0.1))" }.joined(separator: "&")
    }

    private static func percentEncoded(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            let character = Character(UnicodeScalar(byte))
            if character.isASCII, character.isLetter || character.isNumber || "-._~".contains(character) {
                encoded.append(character)
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return encoded
    }

    /// Sends, and reads a JSON answer; anything but success becomes the `Status` in it.
    func json(
        _ method: HTTPMethod, _ path: String, query: [(String, String)] = [], contentType: String? = nil,
        body: JSONValue? = nil
    ) async throws(Status) -> JSONValue {
        let response = try await send(
            method, path, query: query, contentType: body == nil ? nil : contentType ?? "application/json",
            body: body?.encoded)
        return try await Self.value(of: response)
    }

    static func value(of response: HTTPExchangeResponse) async throws(Status) -> JSONValue {
        let bytes: [UInt8]
        do { bytes = try await response.collect(limit: bodyBytesMax) } catch {
            throw Status(code: 0, reason: "Unreachable", message: "The answer of the cluster broke off: \(error).")
        }
        let value = try? JSONValue(parsing: bytes)
        guard 200..<300 ~= response.status else {
            let text = String(decoding: bytes.prefix(500), as: UTF8.self)
            throw value.flatMap(Status.init) ?? Status(code: response.status, reason: "Unknown", message: text)
        }
        guard let value else {
            throw Status(code: response.status, reason: "Unknown", message: "The cluster's answer is not JSON.")
        }
        return value
    }
}

/// `host:port/path`, with IPv6 in brackets.
struct ServerAddress {
    var host: String
    var port: Int?
    var path: String

    init?(_ text: Substring) {
        let slash = text.firstIndex(of: "/") ?? text.endIndex
        var authority = text[..<slash]
        path = String(text[slash...])
        while path.hasSuffix("/") { path.removeLast() }
        if authority.first == "[", let end = authority.firstIndex(of: "]") {
            host = String(authority[authority.index(after: authority.startIndex)..<end])
            authority = authority[authority.index(after: end)...]
            port = authority.first == ":" ? Int(authority.dropFirst()) : nil
        } else {
            let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
            host = parts.first.map(String.init) ?? ""
            port = parts.count == 2 ? Int(parts[1]) : nil
            if parts.count > 2 || (parts.count == 2 && port == nil) { return nil }
        }
        if host.isEmpty { return nil }
    }
}

extension SocketAddress {
    fileprivate static func isIPAddress(_ host: String) -> Bool {
        (try? SocketAddress(ipAddress: host, port: 0)) != nil
    }
}

import Glibc
import KubeModel
import NIOCore
import NIOHTTP1
import NIOPosix

/// Why a call did not come to an answer, in the words of the real server's HTTP library.
struct CallFailure: Error, Equatable { let message: String }

/// One HTTPS request that the server itself makes, to a program in the cluster or on this machine.
struct OutgoingCall: Sendable {
    let registry: Registry
    let client: WebhookClient
    var trust = Trust.verified
    var identity: ClientIdentity?
    var method = HTTPMethod.POST
    var headers: [(name: String, value: String)] = []
    let timeout: Duration
    /// Whether the connection is kept for the next call.
    var keepsConnection = true

    enum Trust: Sendable { case verified, anybody }

    struct Answer: Sendable {
        let code: Int
        let contentType: String
        /// `ETag`; nil for an answer without one.
        let tag: String?
        let body: [UInt8]
    }

    /// An answer that is longer than any object can be is none.
    private static let answerBytesMax = 16 * 1024 * 1024

    /// - Parameter url: As messages show it.
    func send(_ body: [UInt8], url: String) async throws(CallFailure) -> Answer {
        let verb = method == .GET ? "Get" : "Post"
        func failure(_ why: String) -> CallFailure { CallFailure(message: "\(verb) \(GoText.quote(url)): \(why)") }
        do {
            guard let answer = try await withDeadline({ try await exchange(body, url) }) else {
                throw failure("context deadline exceeded")
            }
            return answer
        } catch let error as CallFailure {
            throw error
        } catch let error as Status {
            throw failure(error.message)
        } catch is CancellationError {
            throw failure("context canceled")
        } catch let error as NIOConnectionError {
            let isRefused = (error.connectionErrors.first?.error as? IOError)?.errnoCode == ECONNREFUSED
            throw failure(
                "dial tcp \(error.host):\(error.port): connect: \(isRefused ? "connection refused" : "\(error)")")
        } catch {
            throw failure(OutgoingTLS.explain(error, serverName: OutgoingURL(url)?.host ?? ""))
        }
    }

    /// Nil when the time is over first.
    private func withDeadline(_ body: @escaping @Sendable () async throws -> Answer) async throws -> Answer? {
        let timeout = timeout
        return try await withThrowingTaskGroup(of: Answer?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await ContinuousClock().sleep(for: timeout)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }

    private typealias Connection = OutgoingConnections.Connection

    private func exchange(_ body: [UInt8], _ url: String) async throws -> Answer {
        guard let parts = OutgoingURL(url) else { throw Status.plainError("the URL cannot be read") }
        let request = request(body, parts)
        let purpose = OutgoingConnections.Purpose(self, parts)
        let connection: Connection
        // One that lay idle may end at any time; while nothing has been sent, another one will do.
        if keepsConnection, let idle = await registry.connections.take(for: purpose),
            try await idle.writeIfAlive(request)
        {
            connection = idle
        } else {
            connection = try await connect(parts)
            try await connection.write(request)
        }
        var isReusable = false
        defer { if !isReusable { connection.close() } }
        guard case .head(let head) = try await connection.next() else { throw Status.plainError("EOF") }
        let answer = Answer(
            code: Int(head.status.code), contentType: head.headers.first(name: "content-type") ?? "",
            tag: head.headers.first(name: "etag"), body: try await rest(of: connection))
        isReusable = keepsConnection && head.isKeepAlive
        if isReusable { await registry.connections.keep(connection, for: purpose) }
        return answer
    }

    private func request(_ body: [UInt8], _ url: OutgoingURL) -> [HTTPClientRequestPart] {
        var fields = HTTPHeaders(headers.map { ($0.name, $0.value) })
        fields.add(name: "Host", value: "\(url.host):\(url.port)")
        fields.add(name: "User-Agent", value: "kube-apiserver-admission")
        fields.add(name: "Accept", value: "application/json, */*")
        if !keepsConnection { fields.add(name: "Connection", value: "close") }
        if !body.isEmpty {
            fields.add(name: "Content-Type", value: "application/json")
            fields.add(name: "Content-Length", value: "\(body.count)")
        }
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: url.target, headers: fields)
        let piece = body.isEmpty ? [] : [HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: body)))]
        return [.head(head)] + piece + [.end(nil)]
    }

    /// The body of an answer to its end.
    private func rest(of connection: Connection) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let part = try await connection.next() {
            guard case .body(let piece) = part else { return bytes }
            bytes += piece.readableBytesView
            guard bytes.count <= Self.answerBytesMax else { throw Status.plainError("the answer is too long") }
        }
        throw CallFailure(
            message: "unexpected error when reading response body. Please retry. Original error: unexpected EOF")
    }

    private func connect(_ url: OutgoingURL) async throws -> Connection {
        let eventLoop = NIOSingletons.posixEventLoopGroup.any()
        let secured =
            trust == .anybody
            ? try OutgoingTLS.unverified(identity)
            : try OutgoingTLS.verified(authorities: client.authorities, serverName: url.host, identity)
        switch client.place {
        case .service(let service, _):
            let backend = try await registry.backend(behind: service)
            let descriptor = try await backend.connect()
            return try await Connection.adopt(descriptor, eventLoop, tls: secured) { try $0.addHTTPClientHandlers() }
        case .url:
            guard let address = url.loopbackAddress else {
                throw Status.plainError("\(url.host) is not this machine: only loopback addresses are called")
            }
            return try await Connection.open(address, url.port, eventLoop, tls: secured) {
                try $0.addHTTPClientHandlers()
            }
        }
    }
}

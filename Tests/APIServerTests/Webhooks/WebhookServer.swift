import APIServer
import FoundationEssentials
import KubeModel
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// A webhook on 127.0.0.1 that speaks TLS, with an authority of its own.
final class WebhookServer: Sendable {
    struct Answer: Sendable {
        var code = 200
        var contentType = "application/json"
        var body: [UInt8]
        var end = End.open

        /// What becomes of the connection after the answer.
        enum End: Sendable {
            case open
            /// The answer says that it closes.
            case announced
            /// It closes without a word.
            case sudden
            /// It stays, and the answer never comes.
            case silence
        }

        static func json(_ value: JSONValue) -> Answer { Answer(body: value.encoded) }
        static func text(_ code: Int, _ text: String) -> Answer {
            Answer(code: code, contentType: "text/plain", body: Array(text.utf8))
        }
    }

    /// A request that came: where it went, and its body.
    struct Request: Sendable {
        let uri: String
        let headers: [String: String]
        let body: JSONValue
        /// Counts the connections: the number of the one by which it came.
        let connection: Int
    }

    let port: Int
    /// PEM of its authority, in Base64, as `caBundle` wants it.
    let bundle: String
    private let seen: Mutex<[Request]>

    private init(port: Int, bundle: String, seen: consuming Mutex<[Request]> = Mutex([])) {
        self.port = port
        self.bundle = bundle
        self.seen = seen
    }

    var requests: [Request] { seen.withLock { $0 } }

    var url: String { "https://127.0.0.1:\(port)" }

    /// The `clientConfig` of a webhook that is here.
    func client(_ path: String = "") -> JSONValue {
        ["url": .string(url + path), "caBundle": .string(bundle)]
    }

    /// Runs an action beside a server that answers every request with what `answer` makes of it.
    static func with<Result: Sendable>(
        answer: @escaping @Sendable (Request) -> Answer, _ action: @Sendable (WebhookServer) async throws -> Result
    ) async throws -> Result {
        let pki = try PKI.make()
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(pki.serverCertificate.utf8))
        let key = try NIOSSLPrivateKey(bytes: Array(pki.serverKey.utf8), format: .pem)
        let tls = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key)))
        let log = Log()
        let listener = try await ServerBootstrap(group: NIOSingletons.posixEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let operations = channel.pipeline.syncOperations
                    try operations.addHandler(NIOSSLServerHandler(context: tls))
                    try operations.configureHTTPServerPipeline()
                    try operations.addHandler(
                        Answerer(log.nextConnection()) { request in
                            log.note(request)
                            return answer(request)
                        })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        defer { listener.close(promise: nil) }
        let bundle = Data(pki.authorityCertificate.utf8).base64EncodedString()
        let server = WebhookServer(port: listener.localAddress?.port ?? 0, bundle: bundle)
        log.server.withLock { $0 = server }
        return try await action(server)
    }

    private final class Log: Sendable {
        let server = Mutex<WebhookServer?>(nil)
        private let connections = Mutex(0)

        func nextConnection() -> Int {
            connections.withLock {
                $0 += 1
                return $0
            }
        }

        func note(_ request: Request) { server.withLock { $0 }?.seen.withLock { $0.append(request) } }
    }

    private final class Answerer: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let connection: Int
        private let answer: @Sendable (Request) -> Answer
        private var head: HTTPRequestHead?
        private var body: [UInt8] = []

        init(_ connection: Int, _ answer: @escaping @Sendable (Request) -> Answer) {
            self.connection = connection
            self.answer = answer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): self.head = head
            case .body(let bytes): body += bytes.readableBytesView
            case .end: respond(context)
            }
        }

        private func respond(_ context: ChannelHandlerContext) {
            guard let head else { return }
            let headers = Dictionary(head.headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first }
            let request = Request(
                uri: head.uri, headers: headers, body: (try? JSONValue(parsing: body)) ?? .null, connection: connection)
            let answer = answer(request)
            if answer.end == .silence { return }
            var response = HTTPResponseHead(
                version: .http1_1, status: HTTPResponseStatus(statusCode: answer.code))
            response.headers.add(name: "Content-Type", value: answer.contentType)
            response.headers.add(name: "Content-Length", value: "\(answer.body.count)")
            if answer.end == .announced { response.headers.add(name: "Connection", value: "close") }
            context.write(wrapOutboundOut(.head(response)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: answer.body)))), promise: nil)
            let isWritten = context.eventLoop.makePromise(of: Void.self)
            if answer.end == .sudden {
                let channel = context.channel
                isWritten.futureResult.whenComplete { _ in channel.close(promise: nil) }
            }
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: isWritten)
            body = []
        }
    }
}

extension WebhookServer.Request {
    /// The answer of an `AdmissionReview` to this one.
    func review(_ response: JSONValue) -> WebhookServer.Answer {
        var answer: JSONValue = [
            "apiVersion": body["apiVersion"] ?? "", "kind": "AdmissionReview", "response": response,
        ]
        answer[["response", "uid"]] = body[["request", "uid"]]
        return .json(answer)
    }

    var object: KubeObject { KubeObject(body[["request", "object"]] ?? .null) }

    static func patch(_ operations: JSONValue) -> JSONValue {
        [
            "allowed": true, "patchType": "JSONPatch",
            "patch": .string(Data(operations.encoded).base64EncodedString()),
        ]
    }
}

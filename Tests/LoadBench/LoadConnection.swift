import KubeClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Where the load goes, and as whom.
struct LoadTarget: Sendable {
    private let host: String
    private let port: Int
    private let context: NIOSSLContext
    private let group: MultiThreadedEventLoopGroup

    init(_ kubeconfig: Kubeconfig, group: MultiThreadedEventLoopGroup) throws {
        guard let chosen = kubeconfig.contexts[kubeconfig.currentContext],
            let cluster = kubeconfig.clusters[chosen.cluster], let user = kubeconfig.users[chosen.user],
            let address = cluster.server.split(separator: "/").last,
            let colon = address.lastIndex(of: ":"), let port = Int(address[address.index(after: colon)...])
        else { throw LoadFailure(message: "The kubeconfig names no server with a port.") }
        host = String(address[..<colon])
        self.port = port
        self.group = group
        var tls = TLSConfiguration.makeClientConfiguration()
        if let authority = cluster.certificateAuthority {
            tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(authority))
        }
        if let certificate = user.certificate, let key = user.key {
            tls.certificateChain = try NIOSSLCertificate.fromPEMBytes(certificate).map { .certificate($0) }
            tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem))
        }
        tls.applicationProtocols = ["http/1.1"]
        context = try NIOSSLContext(configuration: tls)
    }

    /// Opens a connection whose answers go to a handler, and sends a GET.
    ///
    /// The handler works on the event loop: a crowd of watchers is not to cost the client more than the server.
    func get(_ uri: String, _ handler: sending some ChannelInboundHandler) async throws -> any Channel {
        let context = context
        let handler = NIOLoopBoundBox.makeBoxSendingValue(handler, eventLoop: group.next())
        let loop = handler.eventLoop
        let channel = try await ClientBootstrap(group: loop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(try NIOSSLClientHandler(context: context, serverHostname: nil))
                    try pipeline.addHTTPClientHandlers()
                    try pipeline.addHandler(handler.value)
                }
            }
            .connect(host: host, port: port).get()
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: uri)
        head.headers.add(name: "Host", value: "load")
        head.headers.add(name: "Accept", value: "application/json")
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        try await channel.writeAndFlush(HTTPClientRequestPart.end(nil)).get()
        return channel
    }

    /// Runs `body` with a connection of its own, kept alive between requests.
    func withConnection<Result: Sendable>(
        _ body: (LoadConnection) async throws -> Result
    ) async throws -> Result {
        let context = context
        let channel = try await ClientBootstrap(group: group)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(try NIOSSLClientHandler(context: context, serverHostname: nil))
                    try pipeline.addHTTPClientHandlers()
                    return try LoadConnection.Channel(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await body(LoadConnection(inbound: inbound.makeAsyncIterator(), outbound: outbound))
        }
    }
}

struct LoadFailure: Error, CustomStringConvertible {
    let message: String
    var description: String { message }
}

/// One HTTP/1.1 connection that asks and waits, in turn.
final class LoadConnection {
    typealias Channel = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

    private var inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<HTTPClientRequestPart>

    init(
        inbound: NIOAsyncChannelInboundStream<HTTPClientResponsePart>.AsyncIterator,
        outbound: NIOAsyncChannelOutboundWriter<HTTPClientRequestPart>
    ) {
        self.inbound = inbound
        self.outbound = outbound
    }

    struct Answer {
        var code: UInt = 0
        var byteCount = 0
        var start = ByteBuffer()
    }

    private func send(_ method: HTTPMethod, _ uri: String, _ body: String?, accept: String) async throws {
        var head = HTTPRequestHead(version: .http1_1, method: method, uri: uri)
        head.headers.add(name: "Host", value: "load")
        head.headers.add(name: "Accept", value: accept)
        var parts: [HTTPClientRequestPart] = []
        if let body {
            head.headers.add(name: "Content-Type", value: "application/json")
            head.headers.add(name: "Content-Length", value: "\(body.utf8.count)")
            parts.append(.body(.byteBuffer(ByteBuffer(string: body))))
        }
        try await outbound.write(contentsOf: [.head(head)] + parts + [.end(nil)])
    }

    /// Asks, and reads the answer to its end; what is longer than 64 KiB is only counted.
    func ask(
        _ method: HTTPMethod, _ uri: String, _ body: String? = nil, accept: String = "application/json"
    ) async throws -> Answer {
        try await send(method, uri, body, accept: accept)
        var answer = Answer()
        while let part = try await inbound.next(isolation: #isolation) {
            switch part {
            case .head(let head): answer.code = head.status.code
            case .body(var piece):
                answer.byteCount += piece.readableBytes
                if answer.start.readableBytes < 64 * 1024 { answer.start.writeBuffer(&piece) }
            case .end: return answer
            }
        }
        throw LoadFailure(message: "The server closed the connection in the middle of \(method) \(uri).")
    }
}

import KubeClient
import KubeModel
import NIOCore
import NIOPosix
import Synchronization

/// A server on 127.0.0.1 that answers request after request with the steps of a script, whatever is asked.
final class ScriptedServer: Sendable {
    /// One answer, written as it goes over the wire.
    struct Step: Sendable {
        var text: String
        var closes = false

        static let hangUp = Step(text: "", closes: true)

        static func json(_ value: JSONValue, code: Int = 200) -> Step {
            let text = value.text
            return Step(text: "HTTP/1.1 \(code) x\r\nContent-Length: \(text.utf8.count)\r\n\r\n\(text)")
        }

        /// A watch that tells of these events; it stays open unless it ends or is cut.
        static func watch(_ events: [JSONValue], ends: Bool = false, closes: Bool = false) -> Step {
            let chunks = events.map { event in
                let line = event.text + "\n"
                return "\(String(line.utf8.count, radix: 16))\r\n\(line)\r\n"
            }
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            return Step(text: head + chunks.joined() + (ends ? "0\r\n\r\n" : ""), closes: closes)
        }
    }

    private struct State {
        var steps: [Step]
        var requests: [String] = []
    }

    private let state: Mutex<State>

    private init(_ steps: [Step]) { state = Mutex(State(steps: steps)) }

    /// The heads of the requests so far.
    var requests: [String] { state.withLock { $0.requests } }

    /// Runs `body` while the server listens.
    static func running(
        _ steps: [Step], _ body: (_ server: ScriptedServer, _ port: Int) async throws -> Void
    ) async throws {
        let server = ScriptedServer(steps)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ScriptHandler(server: server))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            try await body(server, channel.localAddress?.port ?? 0)
        } catch {
            try? await channel.close()
            throw error
        }
        try await channel.close()
    }

    /// A client that talks to such a server.
    static func client(_ port: Int) throws -> HTTPSClient {
        let yaml = """
            clusters: [{name: c, cluster: {server: "http://127.0.0.1:\(port)"}}]
            contexts: [{name: c, context: {cluster: c}}]
            current-context: c
            """
        return try HTTPSClient(kubeconfig: Kubeconfig(yaml: yaml), context: nil)
    }

    fileprivate func step(after request: String) -> Step {
        state.withLock { state in
            state.requests.append(request)
            return state.steps.isEmpty ? .hangUp : state.steps.removeFirst()
        }
    }
}

/// Takes the head of each request for the whole of it, so bodies have no place here.
private final class ScriptHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let server: ScriptedServer
    private var received: [UInt8] = []

    init(server: ScriptedServer) { self.server = server }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received += Array(unwrapInboundIn(data).readableBytesView)
        while let end = received.firstRange(of: Array("\r\n\r\n".utf8)) {
            let request = String(decoding: received[..<end.lowerBound], as: UTF8.self)
            received.removeSubrange(..<end.upperBound)
            let step = server.step(after: request)
            let written = context.eventLoop.makePromise(of: Void.self)
            if step.closes {
                let channel = context.channel
                written.futureResult.whenComplete { _ in channel.close(promise: nil) }
            }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: step.text)), promise: written)
        }
    }
}

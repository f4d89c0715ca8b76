public import KubeModel
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

extension HTTPSClient {
    /// Over a WebSocket of its own, which ends with the command.
    public func exec(
        namespace: String, pod: String, _ asked: ExecRequest, timeout: Duration
    ) async throws(Status) -> ExecResult {
        var query = asked.command.map { ("command", $0) }
        if !asked.container.isEmpty { query.append(("container", asked.container)) }
        query += [("stdout", "true"), ("stderr", "true")]
        var head = head(.GET, ResourceType.pods.path(namespace: namespace, name: pod, subresource: "exec"), query)
        // The key of RFC 6455 proves that nobody else answers from a cache; over a connection of one's own any will do.
        for (name, value) in [
            ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dmVsb2NpdHlsYWIgZXhlYw=="),
            ("Sec-WebSocket-Protocol", "v5.channel.k8s.io, v4.channel.k8s.io"),
        ] { head.headers.add(name: name, value: value) }
        let request = head
        do {
            let conversation = try await connect { channel in
                channel.eventLoop.makeCompletedFuture { try ExecConversation.begin(on: channel, request, timeout) }
            }
            return try await conversation.end()
        } catch let status as Status {
            throw status
        } catch {
            throw unreachable(error)
        }
    }
}

/// A command in a container, seen from the client's end of the WebSocket.
private struct ExecConversation: Sendable {
    let channel: any Channel
    let result: EventLoopFuture<ExecResult>

    static func begin(on channel: any Channel, _ head: HTTPRequestHead, _ timeout: Duration) throws -> ExecConversation
    {
        let result = channel.eventLoop.makePromise(of: ExecResult.self)
        try channel.pipeline.syncOperations.addHandler(ExecHandler(head, result, timeout: timeout))
        return ExecConversation(channel: channel, result: result.futureResult)
    }

    func end() async throws -> ExecResult {
        try await withTaskCancellationHandler {
            try await result.get()
        } onCancel: {
            channel.close(promise: nil)
        }
    }
}

/// Asks for the upgrade, and takes in what comes.
private final class ExecHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let head: HTTPRequestHead
    private let result: EventLoopPromise<ExecResult>
    private let timeout: Duration
    private var answer = ExecAnswer()

    init(_ head: HTTPRequestHead, _ result: EventLoopPromise<ExecResult>, timeout: Duration) {
        self.timeout = timeout
        self.head = head
        self.result = result
    }

    func channelActive(context: ChannelHandlerContext) {
        var text = "\(head.method.rawValue) \(head.uri) HTTP/1.1\r\n"
        for (name, value) in head.headers { text += "\(name): \(value)\r\n" }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text + "\r\n")), promise: nil)
        let (channel, result) = (context.channel, result)
        let bell = context.eventLoop.scheduleTask(in: timeout.timeAmount) {
            result.fail(Status(code: 0, reason: "Timeout", message: "the command did not end in time"))
            channel.close(promise: nil)
        }
        result.futureResult.whenComplete { _ in bell.cancel() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do throws(Status) {
            for reply in try answer.take(Array(unwrapInboundIn(data).readableBytesView)) {
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: reply)), promise: nil)
            }
            guard let found = answer.result else { return }
            result.succeed(found)
        } catch {
            result.fail(error)
        }
        context.close(promise: nil)
    }

    /// The end of every connection, also of one that never came about.
    func handlerRemoved(context: ChannelHandlerContext) {
        result.fail(answer.failure ?? Status(code: 0, reason: "Unreachable", message: "the connection was closed"))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        result.fail(error)
        context.close(promise: nil)
    }
}

import NIOCore
import NIOHTTP1
import NIOPosix

/// A web server on a free port of 127.0.0.1 that answers with what it was asked.
///
/// The body of its answer is the request line, its headers (sorted, names in lower case), an empty line and the request's body.
/// `/hangup` closes the connection in the middle of a response; an offer to speak `echo` is taken.
struct HTTPBackend {
    let channel: any Channel
    var port: Int { channel.localAddress?.port ?? 0 }

    static func start(_ name: String) async throws -> HTTPBackend {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        HTTPResponseEncoder(),
                        ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes)),
                        HTTPBackendHandler(name: name))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return HTTPBackend(channel: channel)
    }

    func stop() async { try? await channel.close() }
}

private final class HTTPBackendHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart
    private let name: String
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()

    init(name: String) { self.name = name }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = ByteBuffer()
        case .body(var part): body.writeBuffer(&part)
        case .end: if let head { answer(head, context) }
        }
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        if head.headers.first(name: "upgrade") == "echo" { return upgrade(context) }
        var text = "\(head.method) \(head.uri)\n"
        for (name, value) in head.headers.map({ ($0.name.lowercased(), $0.value) }).sorted(by: { $0 < $1 }) {
            text += "\(name): \(value)\n"
        }
        var answer = ByteBuffer(string: text + "\n")
        answer.writeBuffer(&body)
        let headers: HTTPHeaders = ["X-Backend": name, "Keep-Alive": "timeout=5"]
        context.write(wrapOutboundOut(.head(.init(version: .http1_1, status: .ok, headers: headers))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(answer))), promise: nil)
        guard head.uri != "/hangup" else { return context.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    /// Speaks `echo` from here on: everything comes back.
    private func upgrade(_ context: ChannelHandlerContext) {
        let headers: HTTPHeaders = ["Connection": "upgrade", "Upgrade": "echo"]
        context.write(
            wrapOutboundOut(.head(.init(version: .http1_1, status: .switchingProtocols, headers: headers))),
            promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        let operations = context.channel.pipeline.syncOperations
        do {
            try operations.addHandler(EchoHandler())
            _ = operations.removeHandler(self)
            _ = operations.removeHandler(
                context: try operations.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self))
            _ = operations.removeHandler(context: try operations.context(handlerType: HTTPResponseEncoder.self))
        } catch { context.close(promise: nil) }
    }
}

private final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.writeAndFlush(data, promise: nil) }
}

/// A connection that says what it is told to, and hears until it has what it waits for.
struct RawConnection {
    private let channel: any Channel
    private let heard: AsyncThrowingStream<ByteBuffer, any Error>

    init(port: Int) async throws {
        let (heard, news) = AsyncThrowingStream<ByteBuffer, any Error>.makeStream()
        self.heard = heard
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Listener(news: news))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
    }

    func say(_ text: String) async throws { try await channel.writeAndFlush(ByteBuffer(string: text)) }

    /// Everything up to and with `end`, or up to the end of the connection.
    func hear(until end: String? = nil) async throws -> String {
        var text = ""
        for try await buffer in heard {
            text += String(buffer: buffer)
            if let end, text.hasSuffix(end) { return text }
        }
        return text
    }

    func close() async { try? await channel.close() }

    private final class Listener: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let news: AsyncThrowingStream<ByteBuffer, any Error>.Continuation

        init(news: AsyncThrowingStream<ByteBuffer, any Error>.Continuation) { self.news = news }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { news.yield(unwrapInboundIn(data)) }
        func channelInactive(context: ChannelHandlerContext) { news.finish() }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { news.finish(throwing: error) }
    }
}

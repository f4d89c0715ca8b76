import NIOCore
import NIOPosix

/// A server on a free port of 127.0.0.1 that reads until its client has said everything, then answers.
struct Speaker {
    let channel: any Channel
    var port: Int { channel.localAddress?.port ?? 0 }

    /// Answers with `name`, a colon and what it has heard.
    static func start(_ name: String) async throws -> Speaker {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(SpeakerHandler(name: name))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return Speaker(channel: channel)
    }

    func stop() async { try? await channel.close() }

    /// Says something to a port of the host, and listens until the other side has ended.
    static func ask(_ host: String = "127.0.0.1", _ port: Int, _ words: [UInt8]) async throws -> [UInt8] {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let answer = eventLoop.makePromise(of: [UInt8].self)
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: eventLoop)
                .channelOption(.allowRemoteHalfClosure, value: false)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(ListenerHandler(answer: answer))
                    }
                }
                .connect(host: host, port: port).get()
        } catch {
            answer.fail(error)
            _ = try? await answer.futureResult.get()
            throw error
        }
        try await channel.writeAndFlush(ByteBuffer(bytes: words))
        try await channel.close(mode: .output)
        return try await answer.futureResult.get()
    }

    static func ask(_ port: Int, _ words: String) async throws -> String {
        String(decoding: try await ask("127.0.0.1", port, Array(words.utf8)), as: UTF8.self)
    }
}

private final class SpeakerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let name: String
    private var heard = ByteBuffer()

    init(name: String) { self.name = name }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        heard.writeBuffer(&buffer)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event as? ChannelEvent == .inputClosed else { return }
        let channel = context.channel
        context.write(wrapOutboundOut(ByteBuffer(string: name + ":")), promise: nil)
        context.writeAndFlush(wrapOutboundOut(heard)).assumeIsolated().whenComplete { _ in
            channel.close(promise: nil)
        }
    }
}

private final class ListenerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let answer: EventLoopPromise<[UInt8]>
    private var heard = ByteBuffer()

    init(answer: EventLoopPromise<[UInt8]>) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        heard.writeBuffer(&buffer)
    }

    func channelInactive(context: ChannelHandlerContext) { answer.succeed(Array(heard.readableBytesView)) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.fail(error)
        context.close(promise: nil)
    }
}

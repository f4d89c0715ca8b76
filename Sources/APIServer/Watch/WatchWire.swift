import NIOCore
import NIOHTTP1

/// The way of a watch's lines to its client, past the parts of the pipeline that would copy and frame them once more for each.
///
/// Lives on the loop of its connection only.
struct WatchWire {
    /// Whether the body goes in chunks; the other way, that of HTTP/1.0, it goes as it is.
    let isChunked: Bool
    private let channel: any Channel
    private let exit: ChannelHandlerContext
    private let collector: RequestCollector

    /// - Throws: When the connection is gone.
    init(_ channel: any Channel, isChunked: Bool) throws {
        self.channel = channel
        self.isChunked = isChunked
        let operations = channel.pipeline.syncOperations
        // Behind it there is only TLS; what went through it before has been flushed.
        exit = try operations.context(handlerType: WriteJoiner.self)
        collector = try operations.handler(type: RequestCollector.self)
    }

    var isWritable: Bool { channel.isWritable }

    /// Calls `body` whenever the client takes more again.
    func whenWritable(_ body: (() -> Void)?) { collector.whenWritable = body }

    func send(_ lines: ByteBuffer) { sendFramed(isChunked ? lines.asChunk : lines) }

    /// - Parameter bytes: Framed as `isChunked` says.
    func sendFramed(_ bytes: ByteBuffer) { exit.writeAndFlush(NIOAny(bytes), promise: nil) }
}

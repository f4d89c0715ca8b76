import NIOCore
import NIOHTTP1

/// Reads the answer to a watch and counts its events: each is a line.
final class WatchReader: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    /// What a watch tells.
    enum Sign: Sendable {
        case opened
        /// So many more events have come.
        case events(Int)
        case refused(Int)
        case ended
    }

    private let tell: @Sendable (Sign) -> Void

    init(_ tell: @escaping @Sendable (Sign) -> Void) { self.tell = tell }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): tell(head.status == .ok ? .opened : .refused(Int(head.status.code)))
        case .body(let piece):
            let count = piece.withUnsafeReadableBytes { bytes in
                var count = 0
                for byte in bytes where byte == UInt8(ascii: "\n") { count += 1 }
                return count
            }
            if count > 0 { tell(.events(count)) }
        case .end: tell(.ended)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

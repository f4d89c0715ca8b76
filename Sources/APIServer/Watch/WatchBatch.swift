import NIOCore
import ObjectStore

/// Some changes as all watchers of one shape are told them, encoded when the first of them needs it.
final class WatchBatch {
    let first: Revision
    let last: Revision
    private let items: [WatchItem]
    private let presenter: Presenter
    private var plain: ByteBuffer?
    private var chunk: ByteBuffer?

    /// - Parameter events: At least one.
    init(_ events: [StoreEvent], _ stream: WatchStream) {
        precondition(!events.isEmpty, "a batch of no changes is told to nobody")
        first = events[0].revision
        last = events[events.count - 1].revision
        items = stream.cursor.items(events)
        presenter = stream.presenter
    }

    var isEmpty: Bool { items.isEmpty }

    /// Longer ones are not told to all at once, because each would hold his own copy until it is sent.
    var isLong: Bool { items.count > WatchCursor.batchMax }

    /// The lines as the body of an answer; framed for HTTP/1.1, which sends what has no length in chunks.
    func bytes(isChunked: Bool) -> ByteBuffer {
        let lines = plain ?? presenter.lines(items, isFirst: false)
        plain = lines
        guard isChunked else { return lines }
        let framed = chunk ?? lines.asChunk
        chunk = framed
        return framed
    }
}

extension ByteBuffer {
    /// The bytes as one chunk of a body with `Transfer-Encoding: chunked`.
    var asChunk: ByteBuffer {
        var chunk = ByteBuffer()
        chunk.reserveCapacity(readableBytes + 20)
        chunk.writeString(String(readableBytes, radix: 16) + "\r\n")
        chunk.writeImmutableBuffer(self)
        chunk.writeString("\r\n")
        return chunk
    }
}

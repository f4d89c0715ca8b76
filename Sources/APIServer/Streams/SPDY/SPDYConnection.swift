import NIOCore

/// The server's side of one SPDY/3.1 connection as a value: bytes in, events out.
///
/// It owns no socket and no task. What it wants written comes out as events too.
struct SPDYConnection {
    enum Event {
        /// The client opens a stream; `accept` or `refuse` it.
        case opened(id: UInt32, headers: SPDYHeaders)
        /// Bytes on a stream, perhaps none; with `isLast` the client writes no more on it.
        case data(id: UInt32, bytes: [UInt8], isLast: Bool)
        case reset(id: UInt32)
        case write(ByteBuffer)
        /// The client opens no more streams.
        case goAway
    }

    private enum Half { case open, ended }

    private var parser = SPDYParser()
    private let reader = SPDYHeaderReader()
    private var writer = SPDYHeaderWriter()
    /// The streams on which the client may still write, or whose end it has said.
    private var streams: [UInt32: Half] = [:]
    private(set) var lastStream: UInt32 = 0

    /// More than any client opens at once.
    private static let streamsMax = 2000

    mutating func feed(_ bytes: ByteBuffer) { parser.feed(bytes) }

    /// The next event; nil when more bytes are needed.
    mutating func next() throws(StreamProtocolError) -> Event? {
        while let frame = try parser.next() {
            switch frame {
            case .synStream(let id, let block, let isLast): return try open(id, block, isLast: isLast)
            case .synReply(_, let block, _): _ = try reader.read(block)
            case .headers(let id, let block, let isLast):
                _ = try reader.read(block)
                if isLast, let event = receive(id, [], isLast: true) { return event }
            case .data(let id, let bytes, let isLast):
                if let event = receive(id, bytes, isLast: isLast) { return event }
            case .reset(let id):
                if streams.removeValue(forKey: id) != nil { return .reset(id: id) }
            case .ping(let id):
                // Even numbers are answers to pings of ours, which we do not send.
                if id & 1 == 1 { return .write(SPDYFrame.encodePing(id)) }
            case .goAway: return .goAway
            case .other: continue
            }
        }
        return nil
    }

    private mutating func open(
        _ id: UInt32, _ block: [UInt8], isLast: Bool
    ) throws(StreamProtocolError) -> Event {
        // Refused streams are unpacked as well, because all headers are one compressed stream.
        let headers = try reader.read(block)
        guard id & 1 == 1, id > lastStream else {
            throw StreamProtocolError("a stream number that is out of order")
        }
        lastStream = id
        guard streams.count < Self.streamsMax else { return .write(SPDYFrame.encodeReset(id, .refusedStream)) }
        streams[id] = isLast ? .ended : .open
        return .opened(id: id, headers: headers)
    }

    /// Whether the client has said at its opening that it writes nothing on a stream.
    func hasEnded(_ id: UInt32) -> Bool { streams[id] == .ended }

    private mutating func receive(_ id: UInt32, _ bytes: [UInt8], isLast: Bool) -> Event? {
        guard streams[id] == .open else {
            // Bytes that were under way when the stream was closed are no offence.
            return nil
        }
        if isLast { streams[id] = .ended }
        return isLast || !bytes.isEmpty ? .data(id: id, bytes: bytes, isLast: isLast) : nil
    }

    /// Answers the opening of a stream.
    mutating func accept(_ id: UInt32) -> ByteBuffer { SPDYFrame.encodeReply(id, block: writer.write([])) }

    mutating func refuse(_ id: UInt32, _ reason: SPDYFrame.ResetReason = .refusedStream) -> ByteBuffer {
        streams[id] = nil
        return SPDYFrame.encodeReset(id, reason)
    }

    /// Forgets a stream that both sides have ended.
    mutating func forget(_ id: UInt32) { streams[id] = nil }
}

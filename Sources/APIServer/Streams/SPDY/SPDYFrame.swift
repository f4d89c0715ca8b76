import NIOCore

/// What a client sends over SPDY/3.1, as far as it matters here (SPDY draft 3.1, 2.6).
enum SPDYFrame: Equatable {
    case synStream(id: UInt32, block: [UInt8], isLast: Bool)
    case synReply(id: UInt32, block: [UInt8], isLast: Bool)
    case reset(id: UInt32)
    case ping(id: UInt32)
    case goAway
    /// More headers for a stream; they have to be unpacked even if nobody wants them.
    case headers(id: UInt32, block: [UInt8], isLast: Bool)
    /// A piece of a data frame; the last piece of a frame that ends its stream says so.
    case data(id: UInt32, bytes: [UInt8], isLast: Bool)
    /// Settings, windows, credentials: read and dropped.
    case other
}

/// Cuts the bytes of a client into frames; data is handed out as it arrives, control frames are bounded.
struct SPDYParser {
    private var buffer = ByteBuffer()
    /// The data frame that is being read.
    private var data: (id: UInt32, remaining: Int, isLast: Bool)?

    static let controlBytesMax = 32 * 1024

    mutating func feed(_ bytes: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = bytes
        } else {
            var bytes = bytes
            buffer.writeBuffer(&bytes)
        }
    }

    /// The next frame; nil when more bytes are needed.
    mutating func next() throws(StreamProtocolError) -> SPDYFrame? {
        if let data { return readData(data) }
        let start = buffer.readerIndex
        guard let word = buffer.getInteger(at: start, as: UInt32.self),
            let second = buffer.getInteger(at: start + 4, as: UInt32.self)
        else { return nil }
        let flags = UInt8(second >> 24)
        let length = Int(second & 0xFF_FFFF)
        if word & 0x8000_0000 == 0 {
            buffer.moveReaderIndex(forwardBy: 8)
            let frame = (id: word, remaining: length, isLast: flags & 1 != 0)
            data = frame
            return readData(frame)
        }
        guard word >> 16 == 0x8003 else { throw StreamProtocolError("a frame of another version than SPDY/3") }
        guard length <= Self.controlBytesMax else { throw StreamProtocolError("a control frame that is too long") }
        guard buffer.readableBytes >= 8 + length else { return nil }
        buffer.moveReaderIndex(forwardBy: 8)
        guard let body = buffer.readBytes(length: length) else { return nil }
        return try Self.control(type: UInt16(word & 0xFFFF), isLast: flags & 1 != 0, body)
    }

    private mutating func readData(_ frame: (id: UInt32, remaining: Int, isLast: Bool)) -> SPDYFrame? {
        let count = min(frame.remaining, buffer.readableBytes)
        guard count > 0 || frame.remaining == 0, let bytes = buffer.readBytes(length: count) else { return nil }
        let isDone = count == frame.remaining
        data = isDone ? nil : (frame.id, frame.remaining - count, frame.isLast)
        return .data(id: frame.id, bytes: bytes, isLast: isDone && frame.isLast)
    }

    private static func control(
        type: UInt16, isLast: Bool, _ body: [UInt8]
    ) throws(StreamProtocolError) -> SPDYFrame {
        func number() throws(StreamProtocolError) -> UInt32 {
            guard body.count >= 4 else { throw StreamProtocolError("a control frame that is too short") }
            return body.prefix(4).reduce(0) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
        }
        switch type {
        case 1:
            guard body.count >= 10 else { throw StreamProtocolError("a stream frame that is too short") }
            return .synStream(id: try number(), block: Array(body[10...]), isLast: isLast)
        case 2: return .synReply(id: try number(), block: Array(body.dropFirst(4)), isLast: isLast)
        case 3: return .reset(id: try number())
        case 6:
            guard body.count == 4 else { throw StreamProtocolError("a ping of another length than four bytes") }
            return .ping(id: body.reduce(0) { $0 << 8 | UInt32($1) })
        case 7: return .goAway
        case 8: return .headers(id: try number(), block: Array(body.dropFirst(4)), isLast: isLast)
        default: return .other
        }
    }
}

/// The frames that a server writes.
extension SPDYFrame {
    enum ResetReason: UInt32 {
        case protocolError = 1
        case invalidStream = 2
        case refusedStream = 3
        case cancel = 5
        case streamInUse = 8
        case streamAlreadyClosed = 9
    }

    static func encodeData(_ id: UInt32, _ bytes: [UInt8], isLast: Bool = false) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: bytes.count + 8)
        buffer.writeInteger(id)
        buffer.writeInteger(UInt32(bytes.count) & 0xFF_FFFF | (isLast ? 0x0100_0000 : 0))
        buffer.writeBytes(bytes)
        return buffer
    }

    static func encodeReply(_ id: UInt32, block: [UInt8]) -> ByteBuffer { control(2, [id], block) }

    static func encodeReset(_ id: UInt32, _ reason: ResetReason) -> ByteBuffer { control(3, [id, reason.rawValue]) }

    static func encodePing(_ id: UInt32) -> ByteBuffer { control(6, [id]) }

    /// Tells the client that no more streams are taken; `reason` 0 is normal, 1 a protocol error.
    static func encodeGoAway(lastStream: UInt32, reason: UInt32) -> ByteBuffer { control(7, [lastStream, reason]) }

    private static func control(_ type: UInt16, _ numbers: [UInt32], _ rest: [UInt8] = []) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(0x8003 as UInt16)
        buffer.writeInteger(type)
        buffer.writeInteger(UInt32(numbers.count * 4 + rest.count))
        for number in numbers { buffer.writeInteger(number) }
        buffer.writeBytes(rest)
        return buffer
    }
}

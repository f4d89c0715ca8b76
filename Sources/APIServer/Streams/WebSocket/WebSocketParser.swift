import NIOCore

/// Why a conversation cannot go on; the text is for the client where the protocol can carry it.
struct StreamProtocolError: Error, Equatable {
    var message: String

    init(_ message: String) { self.message = message }
}

/// Reads the frames that a client sends (RFC 6455), piece by piece: a frame of any size needs no more memory than what has arrived.
struct WebSocketParser {
    enum Event: Equatable {
        case piece(Piece)
        case ping([UInt8])
        case pong
        /// The client closes, with its code if it gave one.
        case close(code: UInt16?)
    }

    /// Some bytes of a message, which may come in several frames, and each frame in several pieces.
    struct Piece: Equatable {
        var bytes: [UInt8]
        var isText: Bool
        var isStart: Bool
        var isEnd: Bool
    }

    private struct Frame {
        let isLast: Bool
        let opcode: UInt8
        let mask: [UInt8]
        var remaining: Int
        /// How many bytes have been unmasked.
        var position = 0
    }

    private var buffer = ByteBuffer()
    private var frame: Frame?
    /// Whether the message that has begun is text; nil between messages.
    private var messageIsText: Bool?
    private var isAtStart = false

    private static let controlBytesMax = 125
    private static let frameBytesMax = 1 << 40

    mutating func feed(_ bytes: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = bytes
        } else {
            var bytes = bytes
            buffer.writeBuffer(&bytes)
        }
    }

    /// The next event that is complete; nil when more bytes are needed.
    mutating func next() throws(StreamProtocolError) -> Event? {
        while true {
            if frame == nil, try !readHeader() { return nil }
            guard let current = frame else { return nil }
            if current.opcode >= 8 { return try readControl(current) }
            if let piece = readPiece(current) { return .piece(piece) }
            return nil
        }
    }

    private mutating func readPiece(_ current: Frame) -> Piece? {
        guard let isText = messageIsText else { return nil }
        let count = min(current.remaining, buffer.readableBytes)
        guard count > 0 || current.remaining == 0 else { return nil }
        let bytes = unmask(count, current)
        frame?.remaining -= count
        frame?.position += count
        let endsFrame = current.remaining == count
        let piece = Piece(
            bytes: bytes, isText: isText, isStart: isAtStart, isEnd: endsFrame && current.isLast)
        isAtStart = false
        if endsFrame { frame = nil }
        if piece.isEnd { messageIsText = nil }
        return piece
    }

    private mutating func readControl(_ current: Frame) throws(StreamProtocolError) -> Event? {
        guard buffer.readableBytes >= current.remaining else { return nil }
        let bytes = unmask(current.remaining, current)
        frame = nil
        switch current.opcode {
        case 9: return .ping(bytes)
        case 10: return .pong
        default:
            guard bytes.count != 1 else { throw StreamProtocolError("a close frame of one byte") }
            return .close(code: bytes.isEmpty ? nil : UInt16(bytes[0]) << 8 | UInt16(bytes[1]))
        }
    }

    private mutating func unmask(_ count: Int, _ frame: Frame) -> [UInt8] {
        guard var bytes = buffer.readBytes(length: count) else { return [] }
        for index in bytes.indices { bytes[index] ^= frame.mask[(frame.position + index) & 3] }
        return bytes
    }

    /// - Returns: Whether a whole header has arrived.
    private mutating func readHeader() throws(StreamProtocolError) -> Bool {
        let start = buffer.readerIndex
        guard let first = buffer.getInteger(at: start, as: UInt8.self),
            let second = buffer.getInteger(at: start + 1, as: UInt8.self)
        else { return false }
        guard first & 0x70 == 0 else { throw StreamProtocolError("a frame with reserved bits") }
        guard second & 0x80 != 0 else { throw StreamProtocolError("a frame of a client without a mask") }
        let opcode = first & 15
        let isLast = first & 0x80 != 0
        let short = Int(second & 0x7F)
        var count = short
        var header = 2
        if short == 126 {
            guard let length = buffer.getInteger(at: start + 2, as: UInt16.self) else { return false }
            count = Int(length)
            header = 4
        } else if short == 127 {
            guard let length = buffer.getInteger(at: start + 2, as: UInt64.self) else { return false }
            guard length < Self.frameBytesMax else { throw StreamProtocolError("a frame without measure") }
            count = Int(length)
            header = 10
        }
        try check(opcode, isLast: isLast, count: count)
        guard let mask = buffer.getBytes(at: start + header, length: 4) else { return false }
        buffer.moveReaderIndex(forwardBy: header + 4)
        frame = Frame(isLast: isLast, opcode: opcode, mask: mask, remaining: count)
        if opcode == 1 || opcode == 2 {
            messageIsText = opcode == 1
            isAtStart = true
        }
        return true
    }

    private func check(_ opcode: UInt8, isLast: Bool, count: Int) throws(StreamProtocolError) {
        switch opcode {
        case 0:
            if messageIsText == nil { throw StreamProtocolError("a continuation of nothing") }
        case 1, 2:
            if messageIsText != nil { throw StreamProtocolError("a message inside a message") }
        case 8, 9, 10:
            guard isLast, count <= Self.controlBytesMax else {
                throw StreamProtocolError("a control frame that is too long or in parts")
            }
        default: throw StreamProtocolError("an unknown opcode \(opcode)")
        }
    }
}

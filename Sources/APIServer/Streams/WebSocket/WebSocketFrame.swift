import Crypto
import KubeModel
import NIOCore

/// What a server writes over WebSocket (RFC 6455), and the handshake.
enum WebSocketFrame {
    static func binary(_ parts: [UInt8]...) -> ByteBuffer { frame(2, parts) }

    static func text(_ bytes: [UInt8]) -> ByteBuffer { frame(1, [bytes]) }

    static func pong(_ bytes: [UInt8]) -> ByteBuffer { frame(10, [bytes]) }

    static func close(_ code: UInt16) -> ByteBuffer { frame(8, [[UInt8(code >> 8), UInt8(code & 0xFF)]]) }

    /// Codes of close frames.
    static let normal: UInt16 = 1000
    static let protocolError: UInt16 = 1002

    private static func frame(_ opcode: UInt8, _ parts: [[UInt8]]) -> ByteBuffer {
        let count = parts.reduce(0) { $0 + $1.count }
        var buffer = ByteBufferAllocator().buffer(capacity: count + 10)
        buffer.writeInteger(0x80 | opcode)
        if count < 126 {
            buffer.writeInteger(UInt8(count))
        } else if count <= UInt16.max {
            buffer.writeInteger(126 as UInt8)
            buffer.writeInteger(UInt16(count))
        } else {
            buffer.writeInteger(127 as UInt8)
            buffer.writeInteger(UInt64(count))
        }
        for part in parts { buffer.writeBytes(part) }
        return buffer
    }

    /// The headers of the 101 answer.
    static func acceptHeaders(key: String, chosen: String?) -> [(name: String, value: String)] {
        let digest = Insecure.SHA1.hash(data: Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
        var headers = [
            (name: "Upgrade", value: "websocket"), ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", Base64.encode(Array(digest))),
        ]
        if let chosen, !chosen.isEmpty { headers.append(("Sec-WebSocket-Protocol", chosen)) }
        return headers
    }
}

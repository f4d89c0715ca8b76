/// One call of `grpc.health.v1.Health/Check` on a connection of its own: what is sent, and what the answer means.
///
/// It owns no socket: bytes come in, bytes go out. Of HTTP/2 it knows what one short call needs. Sources: RFC 9113; gRPC over
/// HTTP/2; GRPC Health Checking Protocol.
struct HealthExchange: Sendable {
    enum Outcome: Sendable, Hashable {
        /// `ServingStatus` as a number: 1 is SERVING.
        case serving(Int)
        /// The call failed with a status of gRPC.
        case failed(code: Int, message: String)
        /// This is no HTTP/2, or it broke off.
        case broken
    }

    private enum Kind {
        static let data: UInt8 = 0
        static let headers: UInt8 = 1
        static let reset: UInt8 = 3
        static let settings: UInt8 = 4
        static let ping: UInt8 = 6
        static let goAway: UInt8 = 7
        static let continuation: UInt8 = 9
    }

    private static let endsStream: UInt8 = 0x1
    private static let endsHeaders: UInt8 = 0x4
    private static let bytesMax = 64 * 1024

    private var input: [UInt8] = []
    private var block: [UInt8] = []
    private var endsWithBlock = false
    private var fields: [String: String] = [:]
    private var body: [UInt8] = []
    /// The other side has introduced itself, so that it does speak HTTP/2.
    private(set) var isConnected = false

    /// All that the client says of its own accord.
    static func request(host: String, service: String) -> [UInt8] {
        let fields = [
            (":method", "POST"), (":scheme", "http"), (":path", "/grpc.health.v1.Health/Check"), (":authority", host),
            ("content-type", "application/grpc"), ("te", "trailers"), ("user-agent", "kube-probe/1.32"),
        ]
        let name = Array(service.utf8)
        let message = name.isEmpty ? [] : [0x0A] + varint(name.count) + name
        let length = UInt32(message.count)
        let prefix: [UInt8] = [0] + stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: length >> $0) }
        return Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(Kind.settings, 0, stream: 0, [])
            + frame(Kind.headers, endsHeaders, stream: 1, HeaderBlock.encode(fields))
            + frame(Kind.data, endsStream, stream: 1, prefix + message)
    }

    /// Takes in what has come; says what to answer, and what it all means once that is known.
    mutating func receive(_ bytes: [UInt8]) -> (answer: [UInt8], outcome: Outcome?) {
        input += bytes
        var answer: [UInt8] = []
        while input.count >= 9 {
            let count = Int(input[0]) << 16 | Int(input[1]) << 8 | Int(input[2])
            guard count + body.count + block.count <= Self.bytesMax else { return (answer, .broken) }
            guard input.count >= 9 + count else { break }
            let (kind, flags) = (input[3], input[4])
            let payload = Array(input[9..<(9 + count)])
            input.removeFirst(9 + count)
            // A server begins with its settings.
            guard isConnected || kind == Kind.settings else { return (answer, .broken) }
            isConnected = true
            if let outcome = take(kind, flags, payload, &answer) { return (answer, outcome) }
        }
        return (answer, nil)
    }

    private mutating func take(
        _ kind: UInt8, _ flags: UInt8, _ payload: [UInt8], _ answer: inout [UInt8]
    ) -> Outcome? {
        switch kind {
        case Kind.settings:
            if flags & 1 == 0 { answer += Self.frame(Kind.settings, 1, stream: 0, []) }
        case Kind.ping:
            if flags & 1 == 0 { answer += Self.frame(Kind.ping, 1, stream: 0, payload) }
        case Kind.headers:
            guard let content = Self.content(payload, flags) else { return .broken }
            block = content
            endsWithBlock = flags & Self.endsStream != 0
            if flags & Self.endsHeaders != 0 { return endBlock() }
        case Kind.continuation:
            block += payload
            if flags & Self.endsHeaders != 0 { return endBlock() }
        case Kind.data:
            guard let content = Self.content(payload, flags) else { return .broken }
            body += content
            if flags & Self.endsStream != 0 { return end() }
        case Kind.reset, Kind.goAway: return .broken
        default: break
        }
        return nil
    }

    private mutating func endBlock() -> Outcome? {
        guard let parsed = HeaderBlock(block) else { return .broken }
        block = []
        fields.merge(parsed.fields) { $1 }
        return endsWithBlock ? end() : nil
    }

    private func end() -> Outcome {
        if let code = fields["grpc-status"].flatMap({ Int($0) }), code != 0 {
            return .failed(code: code, message: Self.unescaped(fields["grpc-message"] ?? ""))
        }
        // One message: a byte that says that it is not compressed, its length, and what it says.
        guard body.count >= 5, body[0] == 0 else { return .broken }
        return .serving(Self.status(body.dropFirst(5)))
    }

    // MARK: Bytes

    /// The payload without padding and priority.
    private static func content(_ payload: [UInt8], _ flags: UInt8) -> [UInt8]? {
        var content = payload[...]
        if flags & 0x8 != 0 {
            guard let padding = content.popFirst(), Int(padding) <= content.count else { return nil }
            content = content.dropLast(Int(padding))
        }
        if flags & 0x20 != 0 { content = content.dropFirst(5) }
        return Array(content)
    }

    static func frame(_ kind: UInt8, _ flags: UInt8, stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let count = payload.count
        return [UInt8(count >> 16), UInt8(count >> 8 & 0xFF), UInt8(count & 0xFF), kind, flags, 0, 0, 0, stream]
            + payload
    }

    private static func varint(_ number: Int) -> [UInt8] {
        var (rest, bytes): (Int, [UInt8]) = (number, [])
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    /// Field 1 of the message; absent, it is 0.
    private static func status(_ message: ArraySlice<UInt8>) -> Int {
        guard message.first == 0x08, let value = message.dropFirst().first else { return 0 }
        return Int(value)
    }

    private static func unescaped(_ text: String) -> String {
        var (bytes, rest): ([UInt8], ArraySlice<UInt8>) = ([], Array(text.utf8)[...])
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            if byte == UInt8(ascii: "%"), let value = UInt8(digits, radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A question from the wire (RFC 1035, 4.1), read with every length checked.
struct DNSQuery: Equatable, Sendable {
    var id: UInt16
    var isRecursionDesired: Bool
    var name: DNSName
    /// The name as it was written: resolvers that mix upper and lower case compare it with the answer.
    var wireName: [UInt8]
    var type: UInt16
    var recordClass: UInt16
    /// How long an answer over UDP may be; more than 512 only if the resolver speaks EDNS (RFC 6891).
    var udpSizeMax: Int
    var hasEDNS: Bool

    /// Why there is no query in a packet.
    enum Failure: Error, Equatable {
        /// Not a question at all: no answer, so that two servers cannot keep each other busy.
        case ignored
        /// A question that cannot be answered; `id` and flags go back with the response code.
        case refused(id: UInt16, isRecursionDesired: Bool, code: DNSResponseCode)
    }

    init(parsing bytes: [UInt8]) throws(Failure) {
        guard bytes.count >= 12 else { throw .ignored }
        var reader = DNSReader(bytes: bytes)
        id = reader.header(0)
        let flags = reader.header(2)
        guard flags & 0x8000 == 0 else { throw .ignored }
        isRecursionDesired = flags & 0x0100 != 0
        let (id, isRecursionDesired) = (id, isRecursionDesired)
        func refusal(_ code: DNSResponseCode) -> Failure {
            .refused(id: id, isRecursionDesired: isRecursionDesired, code: code)
        }
        guard flags & 0x7800 == 0 else { throw refusal(.notImplemented) }
        guard reader.header(4) == 1 else { throw refusal(.formatError) }
        guard let question = reader.name(), let type = reader.uint16(), let recordClass = reader.uint16() else {
            throw refusal(.formatError)
        }
        name = question.name
        wireName = question.wire
        self.type = type
        self.recordClass = recordClass
        var size = 512
        var hasEDNS = false
        let records = Int(reader.header(6)) + Int(reader.header(8)) + Int(reader.header(10))
        for _ in 0..<records {
            guard reader.name() != nil, let type = reader.uint16(), let payload = reader.uint16(),
                reader.skip(4), let length = reader.uint16(), reader.skip(Int(length))
            else { throw refusal(.formatError) }
            if type == 41 {
                hasEDNS = true
                size = min(max(512, Int(payload)), 4096)
            }
        }
        udpSizeMax = size
        self.hasEDNS = hasEDNS
    }
}

/// Reads a message front to back; nil means that it ends too early or lies about a length.
struct DNSReader {
    let bytes: [UInt8]
    private var offset = 12

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// A field of the header, which the caller has checked to be there.
    func header(_ at: Int) -> UInt16 { UInt16(bytes[at]) << 8 | UInt16(bytes[at + 1]) }

    mutating func uint16() -> UInt16? {
        guard bytes.count - offset >= 2 else { return nil }
        defer { offset += 2 }
        return header(offset)
    }

    mutating func skip(_ count: Int) -> Bool {
        guard bytes.count - offset >= count else { return false }
        offset += count
        return true
    }

    /// A name, with compression.
    ///
    /// Pointers must lead backwards, so that none can lead in a circle.
    mutating func name() -> (name: DNSName, wire: [UInt8])? {
        var labels: [[UInt8]] = []
        var wire: [UInt8] = []
        var at = offset
        var limit = offset
        var end: Int?
        while at < bytes.count {
            let length = Int(bytes[at])
            switch length {
            case 0:
                offset = end ?? at + 1
                return (DNSName(labels: labels), wire + [0])
            case 1...63:
                guard bytes.count - at > length, wire.count + length + 2 <= 255 else { return nil }
                wire += bytes[at...at + length]
                labels.append(Array(bytes[at + 1...at + length]))
                at += length + 1
            case 0xC0...0xFF:
                guard bytes.count - at >= 2 else { return nil }
                let target = (length & 0x3F) << 8 | Int(bytes[at + 1])
                guard target >= 12, target < limit else { return nil }
                end = end ?? at + 2
                limit = target
                at = target
            default:
                return nil
            }
        }
        return nil
    }
}

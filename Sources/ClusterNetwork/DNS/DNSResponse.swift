import ContainerRuntime

/// RCODE (RFC 1035, 4.1.1).
enum DNSResponseCode: UInt16, Sendable {
    case noError = 0
    case formatError = 1
    case serverFailure = 2
    case nameError = 3
    case notImplemented = 4
    case refused = 5
}

/// TYPE numbers that we answer.
enum DNSType {
    static let a: UInt16 = 1
    static let ns: UInt16 = 2
    static let cname: UInt16 = 5
    static let soa: UInt16 = 6
    static let ptr: UInt16 = 12
    static let txt: UInt16 = 16
    static let aaaa: UInt16 = 28
    static let srv: UInt16 = 33
    static let any: UInt16 = 255
}

struct DNSRecord: Hashable, Sendable {
    enum Content: Hashable, Sendable {
        case a(IPv4Address)
        case cname(DNSName)
        case ptr(DNSName)
        case ns(DNSName)
        case srv(weight: UInt16, port: UInt16, target: DNSName)
        case soa(DNSName)
        /// At most 255 bytes.
        case txt(String)
    }

    var name: DNSName
    var content: Content

    var type: UInt16 {
        switch content {
        case .a: DNSType.a
        case .cname: DNSType.cname
        case .ptr: DNSType.ptr
        case .ns: DNSType.ns
        case .srv: DNSType.srv
        case .soa: DNSType.soa
        case .txt: DNSType.txt
        }
    }
}

/// What there is to say to a question.
struct DNSAnswer: Equatable, Sendable {
    var code: DNSResponseCode = .noError
    var answers: [DNSRecord] = []
    /// The start of authority, when the answer is "no such name" or "no such record": it says how long that holds.
    var authority: [DNSRecord] = []
    var additional: [DNSRecord] = []
    var isAuthoritative = true
}

/// Writes answers to the wire.
enum DNSResponse {
    /// Seconds for which resolvers may keep an answer, and the absence of one: as long as CoreDNS says for cluster names.
    static let timeToLive: UInt32 = 5

    /// The response to `query`; if it is longer than `sizeMax`, it holds as many answers as fit and says "truncated": ask over TCP.
    ///
    /// Resolvers that do not ask again (musl's, before 1.2.4) make do with those.
    static func bytes(for query: DNSQuery, _ answer: DNSAnswer, sizeMax: Int) -> [UInt8] {
        let whole = message(for: query, answer, isTruncated: false)
        guard whole.count > sizeMax else { return whole }
        var lean = answer
        lean.additional = []
        let withoutAdditional = message(for: query, lean, isTruncated: false)
        guard withoutAdditional.count > sizeMax else { return withoutAdditional }
        lean.authority = []
        func beginning(_ count: Int) -> [UInt8] {
            lean.answers = Array(answer.answers.prefix(count))
            return message(for: query, lean, isTruncated: true)
        }
        // Each answer makes the message longer.
        var (fitting, tooMany) = (0, answer.answers.count + 1)
        while tooMany - fitting > 1 {
            let count = (fitting + tooMany) / 2
            if beginning(count).count <= sizeMax { fitting = count } else { tooMany = count }
        }
        return beginning(fitting)
    }

    /// The response to something that was no proper question: a header alone.
    static func refusal(id: UInt16, isRecursionDesired: Bool, code: DNSResponseCode) -> [UInt8] {
        var writer = DNSWriter()
        writer.uint16(id)
        writer.uint16(0x8080 | (isRecursionDesired ? 0x0100 : 0) | code.rawValue)
        for _ in 0..<4 { writer.uint16(0) }
        return writer.bytes
    }

    private static func message(for query: DNSQuery, _ answer: DNSAnswer, isTruncated: Bool) -> [UInt8] {
        var writer = DNSWriter()
        writer.uint16(query.id)
        var flags: UInt16 = 0x8080 | answer.code.rawValue
        if answer.isAuthoritative { flags |= 0x0400 }
        if isTruncated { flags |= 0x0200 }
        if query.isRecursionDesired { flags |= 0x0100 }
        writer.uint16(flags)
        writer.uint16(1)
        writer.uint16(UInt16(answer.answers.count))
        writer.uint16(UInt16(answer.authority.count))
        writer.uint16(UInt16(answer.additional.count + (query.hasEDNS ? 1 : 0)))
        writer.question(query)
        for record in answer.answers + answer.authority + answer.additional { writer.record(record) }
        if query.hasEDNS { writer.edns() }
        return writer.bytes
    }
}

/// Builds a message; names that were written before become pointers to them.
struct DNSWriter {
    private(set) var bytes: [UInt8] = []
    private var offsets: [DNSName: Int] = [:]

    mutating func uint16(_ value: UInt16) {
        bytes.append(UInt8(value >> 8))
        bytes.append(UInt8(truncatingIfNeeded: value))
    }

    private mutating func uint32(_ value: UInt32) {
        uint16(UInt16(value >> 16))
        uint16(UInt16(truncatingIfNeeded: value))
    }

    mutating func question(_ query: DNSQuery) {
        var name: DNSName? = query.name
        var offset = bytes.count
        while let present = name, let label = present.labels.first {
            offsets[present] = offset
            offset += label.count + 1
            name = present.parent
        }
        bytes += query.wireName
        uint16(query.type)
        uint16(query.recordClass)
    }

    /// Writes a name; not compressed in SRV targets (RFC 2782), where old resolvers do not follow pointers.
    private mutating func name(_ name: DNSName, isCompressed: Bool = true) {
        var rest: DNSName? = name
        while let present = rest, let label = present.labels.first {
            if isCompressed, let offset = offsets[present] {
                uint16(0xC000 | UInt16(offset))
                return
            }
            if bytes.count < 0x4000, offsets[present] == nil { offsets[present] = bytes.count }
            bytes.append(UInt8(label.count))
            bytes += label
            rest = present.parent
        }
        bytes.append(0)
    }

    mutating func record(_ record: DNSRecord) {
        name(record.name)
        uint16(record.type)
        uint16(1)
        uint32(DNSResponse.timeToLive)
        let length = bytes.count
        uint16(0)
        switch record.content {
        case .a(let address): bytes += address.bytes
        case .cname(let target), .ptr(let target), .ns(let target): name(target)
        case .srv(let weight, let port, let target):
            uint16(0)
            uint16(weight)
            uint16(port)
            name(target, isCompressed: false)
        case .txt(let text):
            let bytes = text.utf8.prefix(255)
            self.bytes.append(UInt8(bytes.count))
            self.bytes += bytes
        case .soa(let zone):
            name(zone.prefixed("ns", "dns"))
            name(zone.prefixed("hostmaster"))
            uint32(1)
            uint32(7200)
            uint32(1800)
            uint32(86400)
            uint32(DNSResponse.timeToLive)
        }
        let count = UInt16(bytes.count - length - 2)
        bytes[length] = UInt8(count >> 8)
        bytes[length + 1] = UInt8(truncatingIfNeeded: count)
    }

    /// The pseudo-record that says we speak EDNS version 0 too.
    mutating func edns() {
        bytes.append(0)
        uint16(41)
        uint16(4096)
        uint32(0)
        uint16(0)
    }
}

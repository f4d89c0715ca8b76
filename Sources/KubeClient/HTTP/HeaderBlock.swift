/// Header fields of HTTP/2 that are spelled out.
///
/// What a block says by reference to a table is skipped: the fields in which an answer differs from every other are never said
/// that way on a new connection. Source: RFC 7541, section 6.
struct HeaderBlock: Sendable {
    private var rest: ArraySlice<UInt8>
    /// Values by their lower-case names.
    private(set) var fields: [String: String] = [:]

    /// Nil when the block is cut off or not well formed.
    init?(_ bytes: [UInt8]) {
        rest = bytes[...]
        while let first = rest.first {
            let isRead: Bool
            if first & 0x80 != 0 {
                isRead = number(bits: 7) != nil
            } else if first & 0xC0 == 0x40 {
                isRead = literal(bits: 6)
            } else if first & 0xE0 == 0x20 {
                isRead = number(bits: 5) != nil
            } else {
                isRead = literal(bits: 4)
            }
            guard isRead else { return nil }
        }
    }

    private mutating func literal(bits: Int) -> Bool {
        guard let index = number(bits: bits) else { return false }
        var name: String?
        if index == 0 {
            guard let text = text() else { return false }
            name = text
        }
        guard let value = text() else { return false }
        if let name { fields[name] = value }
        return true
    }

    private mutating func number(bits: Int) -> Int? {
        guard let first = rest.popFirst() else { return nil }
        let most = 1 << bits - 1
        var value = Int(first) & most
        guard value == most else { return value }
        for shift in stride(from: 0, through: 21, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value += Int(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }

    private mutating func text() -> String? {
        guard let first = rest.first, let count = number(bits: 7), count <= rest.count else { return nil }
        let bytes = rest.prefix(count)
        rest = rest.dropFirst(count)
        return String(decoding: first & 0x80 == 0 ? Array(bytes) : HuffmanCode.decode(bytes), as: UTF8.self)
    }

    /// A block of these fields, each spelled out.
    static func encode(_ fields: [(name: String, value: String)]) -> [UInt8] {
        fields.flatMap { [0x00] + text($0.name) + text($0.value) }
    }

    private static func text(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
        var rest = bytes.count - 127
        var length: [UInt8] = [127]
        while rest >= 128 {
            length.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return length + [UInt8(rest)] + bytes
    }
}

/// A range of IP addresses, written `10.244.0.0/16` (CIDR notation, RFC 4632).
public struct AddressRange: Sendable, Hashable {
    /// The first address, bits beyond the prefix cleared: 4 or 16 bytes.
    public let bytes: [UInt8]
    /// How many leading bits all addresses share.
    public let prefixLength: Int

    /// Nil for anything else than an address, a slash and a prefix length.
    public init?(parsing text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let bytes = Self.bytes(ofAddress: String(parts[0])),
            (1...3).contains(parts[1].utf8.count), parts[1].allSatisfy(\.isWholeNumber), let length = Int(parts[1]),
            length <= bytes.count * 8
        else { return nil }
        prefixLength = length
        self.bytes = bytes.indices.map { bytes[$0] & Self.mask(length, ofByte: $0) }
    }

    private static func mask(_ length: Int, ofByte index: Int) -> UInt8 {
        let bits = min(max(length - index * 8, 0), 8)
        return bits == 0 ? 0 : UInt8(truncatingIfNeeded: 0xFF << (8 - bits))
    }

    /// Whether an address, as its bytes, lies in the range.
    public func contains(_ address: [UInt8]) -> Bool {
        address.count == bytes.count
            && bytes.indices.allSatisfy { address[$0] & Self.mask(prefixLength, ofByte: $0) == bytes[$0] }
    }

    /// Whether the range lies in `other`, and is smaller.
    public func isStrictlyInside(_ other: AddressRange) -> Bool {
        other.contains(bytes) && other.prefixLength < prefixLength
    }

    /// The 4 or 16 bytes of an address in text form; nil if it is none.
    public static func bytes(ofAddress text: String) -> [UInt8]? {
        if NameSyntax.isIPv4(text) { return text.split(separator: ".").compactMap { UInt8($0) } }
        guard NameSyntax.isIPv6(text) else { return nil }
        let halves = text.split(separator: "::", omittingEmptySubsequences: false).map { groups(String($0)) }
        let head = halves[0]
        let tail = halves.count > 1 ? halves[1] : []
        return head + Array(repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func groups(_ text: String) -> [UInt8] {
        text.split(separator: ":").flatMap { group -> [UInt8] in
            if group.contains(".") { return group.split(separator: ".").compactMap { UInt8($0) } }
            let number = UInt16(group, radix: 16) ?? 0
            return [UInt8(number >> 8), UInt8(number & 0xFF)]
        }
    }
}

import CEL

/// IP addresses: `ip('192.168.0.1').family()` (Kubernetes docs, "Common Expression Language", IP addresses).
struct AddressValue: OpaqueValue {
    let bytes: [UInt8]

    /// Nil for text that is no address, and for IPv4 addresses in the form of IPv6 ones.
    init?(parsing text: String) {
        guard let bytes = AddressRange.bytes(ofAddress: text) else { return nil }
        if bytes.count == 16, bytes.prefix(10).allSatisfy({ $0 == 0 }), bytes[10...11].allSatisfy({ $0 == 255 }) {
            return nil
        }
        self.bytes = bytes
    }

    init(bytes: [UInt8]) { self.bytes = bytes }

    var typeName: String { "net.IP" }
    var size: Int { bytes.count }
    static let type = ValueType.opaque("net.IP")

    func isEqual(to other: any OpaqueValue) -> Bool { (other as? AddressValue)?.bytes == bytes }

    /// The canonical text (RFC 5952).
    var text: String {
        guard bytes.count == 16 else { return bytes.map(String.init).joined(separator: ".") }
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        var longest = 0..<0
        var start = 0
        for index in 0...8 where index == 8 || groups[index] != 0 {
            if index - start > max(longest.count, 1) { longest = start..<index }
            start = index + 1
        }
        func join(_ range: Range<Int>) -> String {
            groups[range].map { String($0, radix: 16) }.joined(separator: ":")
        }
        return longest.isEmpty ? join(0..<8) : join(0..<longest.lowerBound) + "::" + join(longest.upperBound..<8)
    }

    var isUnspecified: Bool { bytes.allSatisfy { $0 == 0 } }
    var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
    }
    var isLinkLocalUnicast: Bool {
        bytes.count == 4 ? bytes[0] == 169 && bytes[1] == 254 : bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80
    }
    var isMulticast: Bool { bytes.count == 4 ? bytes[0] & 0xF0 == 0xE0 : bytes[0] == 0xFF }
    var isLinkLocalMulticast: Bool {
        bytes.count == 4
            ? bytes[0] == 224 && bytes[1] == 0 && bytes[2] == 0 : bytes[0] == 0xFF && bytes[1] & 0x0F == 2
    }
    var isGlobalUnicast: Bool {
        !isUnspecified && !isLoopback && !isMulticast && !isLinkLocalUnicast && bytes != [255, 255, 255, 255]
    }
}

/// Blocks of addresses: `cidr('10.0.0.0/8').containsIP('10.1.2.3')`.
struct BlockValue: OpaqueValue {
    let address: AddressValue
    let prefixLength: Int

    init?(parsing text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = AddressValue(parsing: String(parts[0])), let length = Int(parts[1]),
            String(length) == parts[1], (0...address.bytes.count * 8).contains(length)
        else { return nil }
        self.init(address, length)
    }

    init(_ address: AddressValue, _ prefixLength: Int) {
        self.address = address
        self.prefixLength = prefixLength
    }

    var typeName: String { "net.CIDR" }
    var size: Int { (prefixLength + 7) / 8 }
    static let type = ValueType.opaque("net.CIDR")

    func isEqual(to other: any OpaqueValue) -> Bool {
        guard let other = other as? BlockValue else { return false }
        return other.address.bytes == address.bytes && other.prefixLength == prefixLength
    }

    var text: String { "\(address.text)/\(prefixLength)" }

    private static func masked(_ bytes: [UInt8], _ length: Int) -> [UInt8] {
        bytes.enumerated().map { index, byte in
            let bits = min(max(length - index * 8, 0), 8)
            return byte & UInt8(truncatingIfNeeded: 0xFF00 >> bits)
        }
    }

    /// The block by its first address.
    var masked: BlockValue {
        BlockValue(AddressValue(bytes: Self.masked(address.bytes, prefixLength)), prefixLength)
    }

    func contains(_ other: AddressValue) -> Bool {
        other.bytes.count == address.bytes.count
            && Self.masked(other.bytes, prefixLength) == Self.masked(address.bytes, prefixLength)
    }

    func contains(_ other: BlockValue) -> Bool { prefixLength <= other.prefixLength && contains(other.address) }
}

enum AddressFunctions {
    static let all: [Function] = addresses + blocks

    private static let addresses: [Function] = [
        Function(
            "ip",
            [
                .global("string_to_ip", [.string], AddressValue.type) { arguments throws(EvaluationError) in
                    .opaque(try parse(arguments[0]))
                },
                .member("cidr_ip", [BlockValue.type], AddressValue.type) { .opaque(block($0[0]).address) },
            ]),
        Function(
            "isIP",
            [
                .global("is_ip", [.string], .bool) {
                    .bool(AddressValue(parsing: $0[0].string ?? "") != nil)
                }
            ]),
        Function(
            "ip.isCanonical",
            [
                .global("ip_is_canonical", [.string], .bool) { arguments throws(EvaluationError) in
                    .bool(try parse(arguments[0]).text == arguments[0].string)
                }
            ]),
        Function(
            "family",
            [
                .member("ip_family", [AddressValue.type], .int) {
                    .int(address($0[0]).bytes.count == 4 ? 4 : 6)
                }
            ]),
        test("isUnspecified") { $0.isUnspecified }, test("isLoopback") { $0.isLoopback },
        test("isLinkLocalMulticast") { $0.isLinkLocalMulticast },
        test("isLinkLocalUnicast") { $0.isLinkLocalUnicast }, test("isGlobalUnicast") { $0.isGlobalUnicast },
        Function(
            "string",
            [
                .global("ip_to_string", [AddressValue.type], .string) { .string(address($0[0]).text) },
                .global("cidr_to_string", [BlockValue.type], .string) { .string(block($0[0]).text) },
            ]),
    ]

    private static let blocks: [Function] = [
        Function(
            "cidr",
            [
                .global("string_to_cidr", [.string], BlockValue.type) { arguments throws(EvaluationError) in
                    .opaque(try parseBlock(arguments[0]))
                }
            ]),
        Function(
            "isCIDR",
            [
                .global("is_cidr", [.string], .bool) {
                    .bool(BlockValue(parsing: $0[0].string ?? "") != nil)
                }
            ]),
        Function(
            "containsIP",
            [
                .member("cidr_contains_ip_ip", [BlockValue.type, AddressValue.type], .bool) {
                    .bool(block($0[0]).contains(address($0[1])))
                },
                .member("cidr_contains_ip_string", [BlockValue.type, .string], .bool) {
                    arguments throws(EvaluationError) in
                    .bool(block(arguments[0]).contains(try parse(arguments[1])))
                },
            ]),
        Function(
            "containsCIDR",
            [
                .member("cidr_contains_cidr", [BlockValue.type, BlockValue.type], .bool) {
                    .bool(block($0[0]).contains(block($0[1])))
                },
                .member("cidr_contains_cidr_string", [BlockValue.type, .string], .bool) {
                    arguments throws(EvaluationError) in
                    .bool(block(arguments[0]).contains(try parseBlock(arguments[1])))
                },
            ]),
        Function(
            "prefixLength",
            [
                .member("cidr_prefix_length", [BlockValue.type], .int) {
                    .int(Int64(block($0[0]).prefixLength))
                }
            ]),
        Function(
            "masked", [.member("cidr_masked", [BlockValue.type], BlockValue.type) { .opaque(block($0[0]).masked) }]),
    ]

    private static func test(_ name: String, _ holds: @escaping @Sendable (AddressValue) -> Bool) -> Function {
        Function(name, [.member("ip_\(name)", [AddressValue.type], .bool) { .bool(holds(address($0[0]))) }])
    }

    private static func address(_ value: Value) -> AddressValue {
        value.opaque(AddressValue.self) ?? AddressValue(bytes: [0, 0, 0, 0])
    }

    private static func block(_ value: Value) -> BlockValue {
        value.opaque(BlockValue.self) ?? BlockValue(AddressValue(bytes: [0, 0, 0, 0]), 0)
    }

    private static func parse(_ value: Value) throws(EvaluationError) -> AddressValue {
        let text = value.string ?? ""
        guard let address = AddressValue(parsing: text) else {
            throw EvaluationError(
                "IP Address \(GoText.quote(text)) parse error during conversion from string: "
                    + "ParseAddr(\(GoText.quote(text))): unable to parse IP")
        }
        return address
    }

    private static func parseBlock(_ value: Value) throws(EvaluationError) -> BlockValue {
        let text = value.string ?? ""
        guard let block = BlockValue(parsing: text) else {
            throw EvaluationError(
                "network address parse error during conversion from string: "
                    + "netip.ParsePrefix(\(GoText.quote(text))): no '/'")
        }
        return block
    }
}

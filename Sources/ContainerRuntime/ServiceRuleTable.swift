/// Service rules as the bytes that `vs_nft_apply` reads (the format is described in `nft.h`).
public struct ServiceRuleTable: Sendable, Hashable {
    public let bytes: [UInt8]

    /// Encodes `rules`; addresses that are not IPv4 and ports out of range are left out, and of rules for one socket all but the first.
    ///
    /// Packets carry `gateway` as their source when a pod reaches itself through its own service. `network` is that of the
    /// cluster IPs, a /16.
    public init(
        _ rules: [ServiceRule], gateway: IPv4Address = IPv4Address(169, 254, 1, 1),
        network: IPv4Address = IPv4Address(10, 96, 0, 0)
    ) {
        var body: [UInt8] = []
        var count: UInt16 = 0
        var seen: Set<[TransportProtocol: [UInt8]]> = []
        for rule in rules where count < .max {
            guard let socket = Self.socket(rule.address, rule.port), seen.insert([rule.transport: socket]).inserted
            else {
                continue
            }
            let backends = rule.backends.compactMap { Self.socket($0.address, $0.port) }.prefix(Int(UInt16.max))
            count += 1
            body += socket
            body.append(rule.transport == .tcp ? 6 : 17)
            body += Self.bigEndian(UInt32(clamping: rule.affinitySeconds))
            body += Self.bigEndian(UInt16(backends.count))
            for backend in backends { body += backend }
        }
        bytes = Array("VSR2".utf8) + gateway.bytes + network.bytes.prefix(2) + Self.bigEndian(count) + body
    }

    private static func socket(_ address: String, _ port: Int) -> [UInt8]? {
        guard let address = IPv4Address(parsing: address), let port = UInt16(exactly: port) else { return nil }
        return address.bytes + bigEndian(port)
    }

    private static func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
}

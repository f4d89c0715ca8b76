/// Service rules as the bytes that `vs_nft_apply` reads (the format is described in `nft.h`).
public struct ServiceRuleTable: Sendable, Hashable {
    public let bytes: [UInt8]

    /// Encodes `rules`; addresses that are not IPv4 and ports out of range are left out, and of rules for one socket
    /// and source all but the first.
    ///
    /// Packets carry `gateway` as their source when a pod reaches itself through its own service. `network` is that of the
    /// cluster IPs, a /16.
    public init(
        _ rules: [ServiceRule], gateway: IPv4Address = IPv4Address(169, 254, 1, 1),
        network: IPv4Address = IPv4Address(10, 96, 0, 0)
    ) {
        var body: [UInt8] = []
        body.reserveCapacity(rules.count * 32)
        var count: UInt16 = 0
        var seen: Set<Place> = []
        for rule in rules where count < .max - 1 {
            guard let socket = Self.socket(rule.address, rule.port) else { continue }
            let source = rule.source?.number ?? 0
            var place = Place(socket: socket, transport: rule.transport, source: source)
            guard seen.insert(place).inserted else { continue }
            // A socket has one rule for all, or some for networks, and then what says so.
            place.source = source == 0 ? .max : 0
            if seen.contains(place) { continue }
            place.source = .max
            if source != 0, seen.insert(place).inserted {
                count += 1
                Self.add(rule, socket, source: .max, [], to: &body)
            }
            let backends = rule.backends.prefix(Int(UInt16.max)).compactMap { Self.socket($0.address, $0.port) }
            count += 1
            Self.add(rule, socket, source: source, backends, to: &body)
        }
        bytes = Array("VSR3".utf8) + gateway.bytes + network.bytes.prefix(2) + Self.bigEndian(count) + body
    }

    private struct Place: Hashable {
        var socket: UInt64
        var transport: TransportProtocol
        var source: UInt32
    }

    private static func add(
        _ rule: ServiceRule, _ socket: UInt64, source: UInt32, _ backends: [UInt64], to body: inout [UInt8]
    ) {
        add(socket, 6, to: &body)
        body.append(rule.transport == .tcp ? 6 : 17)
        add(UInt64(UInt32(clamping: rule.affinitySeconds)), 4, to: &body)
        add(UInt64(source), 4, to: &body)
        add(UInt64(backends.count), 2, to: &body)
        for backend in backends { add(backend, 6, to: &body) }
    }

    /// An address and a port as one number of six bytes.
    private static func socket(_ address: String, _ port: Int) -> UInt64? {
        guard let address = IPv4Address(parsing: address), let port = UInt16(exactly: port) else { return nil }
        return UInt64(address.number) << 16 | UInt64(port)
    }

    private static func add(_ value: UInt64, _ count: Int, to body: inout [UInt8]) {
        for byte in (0..<count).reversed() { body.append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(byte)))) }
    }

    private static func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
}

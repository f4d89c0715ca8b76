/// Where a cluster without namespaces lives in 127.0.0.0/8; the other half of this mapping is in `supervisor.c`.
///
/// Pods are shown with their loopback addresses. Cluster IPs keep their look, and traffic to 10.96.a.b goes to 127.96.a.b. Another cluster on the
/// same machine takes the next block: 127.129 and 127.97, then 127.130 and 127.98, and so on.
struct LoopbackBlock: Sendable, Hashable {
    static let count = 32

    /// 0 up to `count - 1`.
    let number: UInt8

    var pods: IPv4Address { IPv4Address(127, number == 0 ? 244 : 128 + number, 0, 0) }
    var services: IPv4Address { IPv4Address(127, 96 + number, 0, 0) }
    /// Bound by the cluster that has the block, so that no other takes it.
    var claim: IPv4Address { IPv4Address(services.number | 0xFFFE) }

    /// The real place of an address and port of the cluster; nil for what is outside of it.
    func place(_ address: IPv4Address, _ port: UInt16) -> (address: IPv4Address, port: UInt16)? {
        let real: IPv4Address
        switch address.number >> 16 {
        case 10 << 8 | 96: real = IPv4Address(services.number | address.number & 0xFFFF)
        case 10 << 8 | 244: real = IPv4Address(pods.number | address.number & 0xFFFF)
        case pods.number >> 16, services.number >> 16: real = address
        // The node, which speaks with pods; 127.0.0.1 is each pod's own.
        case 169 << 8 | 254: real = claim
        default: return nil
        }
        return (real, Self.shifted(port))
    }

    /// Nobody may listen below 1024.
    static func shifted(_ port: UInt16) -> UInt16 { (1..<1024).contains(port) ? port + 20_000 : port }
}

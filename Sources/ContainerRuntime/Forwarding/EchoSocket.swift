import Glibc

/// A socket of this machine's that pings one address.
///
/// The kernel lets those ping whose group is in `net.ipv4.ping_group_range`, and numbers what they send itself; root may besides
/// send what it likes, and hears what others are answered, too.
package struct EchoSocket: Sendable {
    /// Non-blocking and close-on-exec; the caller owns it.
    package let descriptor: Int32
    /// What is read starts with the packet's header, and may be meant for others.
    package let isRaw: Bool

    /// Nil where this machine does not let this user ping, or has no way to the address.
    package init?(to address: IPv4Address) {
        let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let plain = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | flags, Int32(IPPROTO_ICMP))
        isRaw = plain < 0
        descriptor = plain < 0 ? socket(AF_INET, Int32(SOCK_RAW.rawValue) | flags, Int32(IPPROTO_ICMP)) : plain
        guard descriptor >= 0 else { return nil }
        // A router that knows no way says so; without this, only that there is no such protocol would be heard.
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_IP), IP_RECVERR, &on, socklen_t(MemoryLayout<Int32>.size))
        // A `sockaddr_in`; no port.
        let place =
            withUnsafeBytes(of: UInt16(AF_INET)) { Array($0) } + [0, 0] + address.bytes
            + [UInt8](repeating: 0, count: 8)
        let outcome = place.withUnsafeBytes { bytes in
            bytes.bindMemory(to: sockaddr.self).baseAddress.map { connect(descriptor, $0, socklen_t(bytes.count)) }
        }
        if outcome != 0 {
            Glibc.close(descriptor)
            return nil
        }
    }

    /// Whether this machine lets this user ping.
    static var isAllowed: Bool {
        guard let socket = EchoSocket(to: IPv4Address(127, 0, 0, 1)) else { return false }
        Glibc.close(socket.descriptor)
        return true
    }
}

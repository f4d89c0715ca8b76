import Glibc

/// A socket of this machine's that pings.
///
/// The kernel lets those ping whose group is in `net.ipv4.ping_group_range`, and numbers what they send itself; root may besides
/// send what it likes, and hears what others are answered, too.
package struct EchoSocket: Sendable {
    /// Non-blocking and close-on-exec; the caller owns it.
    package let descriptor: Int32
    /// What is read starts with the packet's header, and may be meant for others.
    package let isRaw: Bool

    /// Nil where this machine does not let this user ping.
    package init?() {
        let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let plain = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | flags, Int32(IPPROTO_ICMP))
        isRaw = plain < 0
        descriptor = plain < 0 ? socket(AF_INET, Int32(SOCK_RAW.rawValue) | flags, Int32(IPPROTO_ICMP)) : plain
        if descriptor < 0 { return nil }
    }

    /// Whether this machine lets this user ping.
    static var isAllowed: Bool {
        guard let socket = EchoSocket() else { return false }
        Glibc.close(socket.descriptor)
        return true
    }
}

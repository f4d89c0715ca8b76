import Glibc

/// A socket of the host, bound to a loopback address but not listening yet.
///
/// It is closed with the object, unless `listen()` handed it over. A socket that is bound and does
/// not listen keeps its port and refuses connections: just what a Service without endpoints does.
final class HostSocket {
    enum Loopback: Hashable, Sendable, CustomStringConvertible {
        /// 127.0.0.1 and others in its network.
        case v4(number: UInt32)
        case v6

        static let v4 = Loopback.v4(number: 0x7F00_0001)

        var description: String {
            switch self {
            case .v4(let number):
                stride(from: 24, through: 0, by: -8).map { String(number >> $0 & 255) }.joined(separator: ".")
            case .v6: "[::1]"
            }
        }
    }

    enum Failure: Error, Equatable {
        /// Another program has the port.
        case taken
        /// The kernel has no such address (no IPv6, say).
        case unavailable
        /// Ports this low are for root on this machine.
        case privileged
        case system(String)
    }

    private var descriptor: Int32

    /// Binds to `port`; 0 lets the kernel choose.
    init(_ loopback: Loopback, port: UInt16, isStream: Bool = true) throws(Failure) {
        let kind = isStream ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue
        let flags = Int32(kind) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(loopback == .v6 ? AF_INET6 : AF_INET, flags, 0)
        self.descriptor = descriptor
        guard descriptor >= 0 else { throw Self.failure(errno) }
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        // With it, two programs could have the same UDP port.
        if isStream { setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, size) }
        let result: Int32
        switch loopback {
        case .v4(let number):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = number.bigEndian
            result = Self.bind(descriptor, &address)
        case .v6:
            setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, size)
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_addr = in6addr_loopback
            result = Self.bind(descriptor, &address)
        }
        if result != 0 {
            let code = errno
            throw Self.failure(code)
        }
    }

    deinit {
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    /// Starts to listen and hands the descriptor over to the caller.
    func listen() throws(Failure) -> Int32 {
        guard Glibc.listen(descriptor, 128) == 0 else { throw Self.failure(errno) }
        return handOver()
    }

    /// Hands the descriptor over to the caller as it is.
    func handOver() -> Int32 {
        defer { descriptor = -1 }
        return descriptor
    }

    private static func bind<Address>(_ descriptor: Int32, _ address: inout Address) -> Int32 {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }

    private static func failure(_ code: Int32) -> Failure {
        switch code {
        case EADDRINUSE: .taken
        case EACCES: .privileged
        case EADDRNOTAVAIL, EAFNOSUPPORT: .unavailable
        default: .system(String(cString: strerror(code)))
        }
    }
}

import Glibc

/// A TCP socket of the host, bound to a loopback address but not listening yet.
///
/// It is closed with the object, unless `listen()` handed it over. A socket that is bound and does
/// not listen keeps its port and refuses connections: just what a Service without endpoints does.
final class HostSocket {
    enum Loopback: String, CaseIterable, Sendable {
        case v4 = "127.0.0.1"
        case v6 = "[::1]"
    }

    enum Failure: Error, Equatable {
        /// Another program has the port.
        case taken
        /// The kernel has no such address (no IPv6, say).
        case unavailable
        case system(String)
    }

    private var descriptor: Int32

    /// Binds to `port`; 0 lets the kernel choose.
    init(_ loopback: Loopback, port: UInt16) throws(Failure) {
        let descriptor = socket(loopback == .v4 ? AF_INET : AF_INET6, Self.kind, 0)
        self.descriptor = descriptor
        guard descriptor >= 0 else { throw Self.failure(errno) }
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, size)
        let result: Int32
        switch loopback {
        case .v4:
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
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
        let handed = descriptor
        descriptor = -1
        return handed
    }

    private static let kind =
        Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)

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
        case EADDRNOTAVAIL, EAFNOSUPPORT: .unavailable
        default: .system(String(cString: strerror(code)))
        }
    }
}

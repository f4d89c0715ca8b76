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
        let place: [UInt8]
        switch loopback {
        case .v4(let number):
            place = Self.bytes(UInt16(AF_INET)) + Self.bytes(port.bigEndian) + Self.bytes(number.bigEndian)
        case .v6:
            setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &on, size)
            // Flow label, address, scope.
            let address = [UInt8](repeating: 0, count: 4 + 15) + [1, 0, 0, 0, 0]
            place = Self.bytes(UInt16(AF_INET6)) + Self.bytes(port.bigEndian) + address
        }
        let result = Self.bind(descriptor, loopback == .v6 ? place : place + [UInt8](repeating: 0, count: 8))
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
        // Whoever finds the line full tries again a second later.
        guard Glibc.listen(descriptor, 1024) == 0 else { throw Self.failure(errno) }
        return handOver()
    }

    /// Hands the descriptor over to the caller as it is.
    func handOver() -> Int32 {
        defer { descriptor = -1 }
        return descriptor
    }

    /// Binds to a `sockaddr_in` or `sockaddr_in6`, written byte by byte: which module the fields of the C types belong to depends
    /// on what else is compiled along.
    private static func bind(_ descriptor: Int32, _ place: [UInt8]) -> Int32 {
        place.withUnsafeBytes { bytes in
            guard let address = bytes.bindMemory(to: sockaddr.self).baseAddress else { return -1 }
            return Glibc.bind(descriptor, address, socklen_t(bytes.count))
        }
    }

    private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

    private static func failure(_ code: Int32) -> Failure {
        switch code {
        case EADDRINUSE: .taken
        case EACCES: .privileged
        case EADDRNOTAVAIL, EAFNOSUPPORT: .unavailable
        default: .system(String(cString: strerror(code)))
        }
    }
}

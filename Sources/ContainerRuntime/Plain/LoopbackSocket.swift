import Glibc

/// Sockets on loopback addresses, without NIO.
enum LoopbackSocket {
    /// A bound socket, not blocking and closed on exec; a TCP socket does not listen yet.
    static func bound(_ transport: TransportProtocol, _ address: IPv4Address, _ port: UInt16) throws(Errno) -> Int32 {
        let descriptor = try make(transport)
        if transport == .tcp {
            var on: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        }
        guard call(address, port, { bind(descriptor, $0, $1) }) == 0 else { throw failure(descriptor) }
        return descriptor
    }

    static func listening(_ address: IPv4Address, _ port: UInt16) throws(Errno) -> Int32 {
        let descriptor = try bound(.tcp, address, port)
        guard Glibc.listen(descriptor, 512) == 0 else { throw failure(descriptor) }
        return descriptor
    }

    /// A TCP socket for a small request, as for a large answer: nothing waits to be sent together.
    static func unconnected() throws(Errno) -> Int32 {
        let descriptor = try make(.tcp)
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        return descriptor
    }

    /// A socket whose connect has begun; `isDone` when it has been made already.
    static func connecting(_ address: IPv4Address, _ port: UInt16) throws(Errno) -> (descriptor: Int32, isDone: Bool) {
        let descriptor = try make(.tcp)
        if call(address, port, { Glibc.connect(descriptor, $0, $1) }) == 0 { return (descriptor, true) }
        guard errno == EINPROGRESS else { throw failure(descriptor) }
        return (descriptor, false)
    }

    /// Waits for a connect, on a thread that may block.
    ///
    /// Closes the socket and throws if it fails.
    static func finishConnecting(_ descriptor: Int32, timeoutMilliseconds: Int32) throws(Errno) {
        var watched = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        var code: Int32 = ETIMEDOUT
        if poll(&watched, 1, timeoutMilliseconds) == 1 {
            var size = socklen_t(MemoryLayout<Int32>.size)
            if getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size) != 0 { code = errno }
        }
        guard code == 0 else {
            close(descriptor)
            throw Errno(code: code)
        }
    }

    /// A number of a failed system call.
    struct Errno: Error, Sendable, Hashable, CustomStringConvertible {
        let code: Int32
        var description: String { String(cString: strerror(code)) }
    }

    private static func make(_ transport: TransportProtocol) throws(Errno) -> Int32 {
        let kind = Int32((transport == .tcp ? SOCK_STREAM : SOCK_DGRAM).rawValue)
        let descriptor = socket(AF_INET, kind | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw Errno(code: errno) }
        return descriptor
    }

    private static func failure(_ descriptor: Int32) -> Errno {
        let code = errno
        close(descriptor)
        return Errno(code: code)
    }

    private static func call(
        _ address: IPv4Address, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = address.number.bigEndian
        return withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}

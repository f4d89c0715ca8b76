import Glibc

/// A connection to another service: bytes in, bytes out, each wait limited.
final class SocketStream {
    private let descriptor: Int32
    private var input: [UInt8] = []

    /// - Parameter patienceMilliseconds: For connecting, and for each read and write.
    init(host: String, port: UInt16, patienceMilliseconds: Int) throws(SocketError) {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let failure = getaddrinfo(host, "\(port)", &hints, &list)
        guard failure == 0, let first = list else {
            throw SocketError(reason: "the name '\(host)' does not resolve: \(String(cString: gai_strerror(failure)))")
        }
        defer { freeaddrinfo(first) }
        var reason = "it has no address"
        for address in sequence(first: first, next: \.pointee.ai_next) {
            let descriptor = socket(address.pointee.ai_family, Int32(SOCK_STREAM.rawValue), 0)
            guard descriptor >= 0 else { continue }
            Self.limit(descriptor, patienceMilliseconds)
            if connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 {
                var on: Int32 = 1
                setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
                self.descriptor = descriptor
                return
            }
            reason = errno == EINPROGRESS ? "it does not answer" : String(cString: strerror(errno)).lowercased()
            close(descriptor)
        }
        throw SocketError(reason: "\(host):\(port): \(reason)")
    }

    deinit { close(descriptor) }

    private static func limit(_ descriptor: Int32, _ milliseconds: Int) {
        var limit = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    func write(_ bytes: [UInt8]) throws(SocketError) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure() }
            sent += count
        }
    }

    /// Exactly so many bytes.
    func read(_ count: Int) throws(SocketError) -> [UInt8] {
        while input.count < count { try fill() }
        defer { input.removeFirst(count) }
        return Array(input.prefix(count))
    }

    /// A line, without the CRLF at its end.
    func readLine() throws(SocketError) -> String {
        while true {
            if let end = input.firstIndex(of: 10) {
                defer { input.removeFirst(end + 1) }
                let line = input[..<end]
                return String(decoding: line.last == 13 ? line.dropLast() : line, as: UTF8.self)
            }
            try fill()
        }
    }

    private func fill() throws(SocketError) {
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        if count < 0, errno == EINTR { return }
        guard count != 0 else { throw SocketError(reason: "the connection was closed") }
        guard count > 0 else { throw failure() }
        input.append(contentsOf: chunk[..<count])
    }

    private func failure() -> SocketError {
        errno == EAGAIN ? SocketError(reason: "it does not answer in time") : SocketError()
    }
}

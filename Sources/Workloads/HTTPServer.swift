import Glibc

struct HTTPRequest {
    var method: String
    var path: String
    var remoteAddress: String
    var keepsAlive: Bool
}

struct HTTPResponse {
    var status: Int
    var body: String

    static func json(_ status: Int, _ members: [(String, String)]) -> HTTPResponse {
        HTTPResponse(status: status, body: JSONText.object(members) + "\n")
    }

    func bytes(for request: HTTPRequest) -> [UInt8] {
        let reasons = [200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed"]
        var text = "HTTP/1.1 \(status) \(reasons[status] ?? "")\r\nContent-Type: application/json\r\n"
        text +=
            "Content-Length: \(body.utf8.count)\r\nConnection: \(request.keepsAlive ? "keep-alive" : "close")\r\n\r\n"
        return Array((request.method == "HEAD" ? text : text + body).utf8)
    }
}

struct SocketError: Error {
    let reason: String
    init() { reason = String(cString: strerror(errno)) }
}

/// An HTTP/1.1 server on one thread: `poll` over the listener, the connections and a pipe that SIGTERM writes to.
final class HTTPServer {
    private static let headBytesMax = 16 * 1024
    private static let bodyBytesMax = 1024 * 1024

    private var listener: Int32
    private var connections: [Int32: Connection] = [:]

    private struct Connection {
        var remoteAddress: String
        var input: [UInt8] = []
        var output: [UInt8] = []
        var isClosing = false
    }

    init(port: UInt16) throws(SocketError) {
        listener = socket(AF_INET6, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard listener >= 0 else {
            // No IPv6 on this machine.
            listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            guard listener >= 0 else { throw SocketError() }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            try bindAndListen(&address)
            return
        }
        var off: Int32 = 0
        setsockopt(listener, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &off, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        try bindAndListen(&address)
    }

    private func bindAndListen<Address>(_ address: inout Address) throws(SocketError) {
        var on: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        let length = socklen_t(MemoryLayout<Address>.size)
        let outcome = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, length) }
        }
        guard outcome == 0, listen(listener, 256) == 0 else { throw SocketError() }
    }

    /// Serves until SIGTERM or SIGINT, then answers what has been asked and returns.
    func serve(_ answer: (HTTPRequest) -> HTTPResponse) {
        StopSignal.install()
        signal(SIGPIPE, SIG_IGN)
        var isStopping = false
        while !isStopping || !connections.isEmpty {
            var watched = [pollfd(fd: StopSignal.pipe.read, events: Int16(POLLIN), revents: 0)]
            if !isStopping { watched.append(pollfd(fd: listener, events: Int16(POLLIN), revents: 0)) }
            for (descriptor, connection) in connections {
                let wanted = connection.output.isEmpty ? POLLIN : POLLOUT
                watched.append(pollfd(fd: descriptor, events: Int16(wanted), revents: 0))
            }
            guard poll(&watched, nfds_t(watched.count), -1) >= 0 else { continue }
            for ready in watched where ready.revents != 0 {
                switch ready.fd {
                case StopSignal.pipe.read:
                    isStopping = true
                    close(listener)
                    drainStopPipe()
                    for (descriptor, connection) in connections where connection.output.isEmpty { drop(descriptor) }
                case listener where !isStopping: accept()
                default: advance(ready.fd, answer, isStopping: isStopping)
                }
            }
        }
    }

    private func drainStopPipe() {
        var byte: UInt8 = 0
        _ = read(StopSignal.pipe.read, &byte, 1)
    }

    private func drop(_ descriptor: Int32) {
        close(descriptor)
        connections[descriptor] = nil
    }

    private func accept() {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let descriptor = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.accept(listener, $0, &length)
            }
        }
        guard descriptor >= 0 else { return }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        var host = [CChar](repeating: 0, count: 64)
        withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = getnameinfo($0, length, &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST)
            }
        }
        var remote = String(decoding: host.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        if remote.hasPrefix("::ffff:") { remote.removeFirst(7) }
        connections[descriptor] = Connection(remoteAddress: remote)
    }

    private func advance(_ descriptor: Int32, _ answer: (HTTPRequest) -> HTTPResponse, isStopping: Bool) {
        guard var connection = connections[descriptor] else { return }
        if connection.output.isEmpty {
            var chunk = [UInt8](repeating: 0, count: 16 * 1024)
            let count = read(descriptor, &chunk, chunk.count)
            guard count > 0 else {
                if count < 0, errno == EAGAIN || errno == EINTR { return }
                return drop(descriptor)
            }
            connection.input.append(contentsOf: chunk[..<count])
        }
        // A client may have sent several requests at once: answer until the input or the socket's room is used up.
        repeat {
            if connection.output.isEmpty { respond(&connection, answer, isStopping: isStopping) }
            guard !connection.output.isEmpty else { break }
            let count = write(descriptor, connection.output, connection.output.count)
            if count < 0, errno != EAGAIN, errno != EINTR { return drop(descriptor) }
            connection.output.removeFirst(max(0, count))
            if connection.output.isEmpty, connection.isClosing { return drop(descriptor) }
        } while connection.output.isEmpty
        connections[descriptor] = connection
    }

    /// Answers the first whole request of the input, if there is one.
    private func respond(
        _ connection: inout Connection, _ answer: (HTTPRequest) -> HTTPResponse, isStopping: Bool
    ) {
        switch takeRequest(&connection) {
        case .incomplete: break
        case .bad:
            let refusal = HTTPResponse.json(400, [("error", "this is not an HTTP request")])
            let request = HTTPRequest(method: "GET", path: "", remoteAddress: "", keepsAlive: false)
            connection.output = refusal.bytes(for: request)
            connection.isClosing = true
        case .request(var request):
            request.keepsAlive = request.keepsAlive && !isStopping
            connection.isClosing = !request.keepsAlive
            connection.output = answer(request).bytes(for: request)
        }
    }

    private enum Taken { case incomplete, bad, request(HTTPRequest) }

    /// Takes one whole request, with its body, off the front of the input.
    private func takeRequest(_ connection: inout Connection) -> Taken {
        let input = connection.input
        guard let end = headEnd(input) else { return input.count > Self.headBytesMax ? .bad : .incomplete }
        let lines = String(decoding: input[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count == 3, words[2].hasPrefix("HTTP/1.") else { return .bad }
        var keepsAlive = words[2] != "HTTP/1.0"
        var bodyCount = 0
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { return .bad }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            switch line[..<colon].lowercased() {
            case "connection": keepsAlive = value.lowercased() != "close"
            case "content-length":
                guard let count = Int(value), 0...Self.bodyBytesMax ~= count else { return .bad }
                bodyCount = count
            case "transfer-encoding": return .bad
            default: break
            }
        }
        guard input.count >= end + 4 + bodyCount else { return .incomplete }
        connection.input.removeFirst(end + 4 + bodyCount)
        return .request(
            HTTPRequest(
                method: String(words[0]), path: String(words[1]), remoteAddress: connection.remoteAddress,
                keepsAlive: keepsAlive))
    }

    private func headEnd(_ input: [UInt8]) -> Int? {
        guard input.count >= 4 else { return nil }
        return (0...input.count - 4).first { index in
            input[index] == 13 && input[index + 1] == 10 && input[index + 2] == 13 && input[index + 3] == 10
        }
    }
}

/// The pipe through which SIGTERM and SIGINT reach the poll loop.
private enum StopSignal {
    static let pipe: (read: Int32, write: Int32) = {
        var ends: [Int32] = [-1, -1]
        precondition(Glibc.pipe(&ends) == 0, "no pipe for signals: errno \(errno)")
        return (ends[0], ends[1])
    }()

    static func install() {
        _ = pipe  // made here, because a signal handler must not
        for number in [SIGTERM, SIGINT] {
            signal(number) { _ in
                var byte: UInt8 = 1
                _ = Glibc.write(StopSignal.pipe.write, &byte, 1)
            }
        }
    }
}

import ContainerRuntime
import Glibc

/// Makes TCP connections over 127.0.0.1 whose far end is played here; the near end belongs to the caller.
enum LoopbackConnection {
    /// The far end reads one request and answers it with this status.
    static func answering(status: Int) throws(ConnectError) -> Int32 {
        try answering(
            Array("HTTP/1.1 \(status) Scripted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".utf8))
    }

    /// HTTP/2 frames: settings, the head of an answer, the message with the status, and the trailers.
    static func health(_ status: UInt8) -> [UInt8] {
        let trailer = Array("grpc-status".utf8)
        return [0, 0, 0, 4, 0, 0, 0, 0, 0] + [0, 0, 1, 1, 4, 0, 0, 0, 1, 0x88]
            + [0, 0, 7, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0x08, status]
            + [0, 0, 15, 1, 5, 0, 0, 0, 1, 0, 11] + trailer + [1, UInt8(ascii: "0")]
    }

    /// The far end reads the beginning of one request and answers it with these bytes.
    static func answering(_ answer: [UInt8]) throws(ConnectError) -> Int32 {
        let (near, far) = try pair()
        var thread = pthread_t()
        let facts = UnsafeMutablePointer<(Int32, [UInt8])>.allocate(capacity: 1)
        facts.initialize(to: (far, answer))
        let made = pthread_create(
            &thread, nil,
            { argument in
                if let facts = argument?.assumingMemoryBound(to: (Int32, [UInt8]).self) {
                    LoopbackConnection.answer(facts.pointee.0, with: facts.pointee.1)
                    facts.deinitialize(count: 1)
                    facts.deallocate()
                }
                return nil
            }, facts)
        guard made == 0 else { throw .system("no thread") }
        pthread_detach(thread)
        return near
    }

    /// The far end says nothing for as long as the second value lives.
    static func silent() throws(ConnectError) -> (near: Int32, SilentConnection) {
        let (near, far) = try pair()
        return (near, SilentConnection(descriptor: far))
    }

    private static func answer(_ socket: Int32, with response: [UInt8]) {
        defer { close(socket) }
        var request: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while !String(decoding: request, as: UTF8.self).contains("\r\n\r\n") {
            let count = recv(socket, &chunk, chunk.count, 0)
            guard count > 0 else { return }
            request += chunk[..<count]
        }
        _ = response.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    /// Both ends of one connection.
    private static func pair() throws(ConnectError) -> (near: Int32, far: Int32) {
        let stream = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let listener = socket(AF_INET, stream, 0)
        guard listener >= 0 else { throw .system("socket") }
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let near = socket(AF_INET, stream, 0)
        let isConnected = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && Glibc.listen(listener, 1) == 0
                    && getsockname(listener, address, &length) == 0 && Glibc.connect(near, address, length) == 0
            }
        }
        let far = isConnected ? accept(listener, nil, nil) : -1
        guard far >= 0, fcntl(near, F_SETFL, O_NONBLOCK) == 0 else {
            close(near)
            throw .system("loopback connection")
        }
        return (near, far)
    }
}

/// The far end of a connection; it closes when it is dropped.
final class SilentConnection: Sendable {
    private let descriptor: Int32
    init(descriptor: Int32) { self.descriptor = descriptor }
    deinit { close(descriptor) }
}

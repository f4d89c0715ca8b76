import ContainerRuntime
import Glibc
import NIOPosix
import Synchronization
import Testing

/// A TCP socket of this machine as the system gives it: nothing in between that would close, buffer or read for a test.
///
/// Calls that wait do so on threads that may block, for fifty seconds at most, because machines are busy.
final class PlainSocket: Sendable {
    struct Failure: Error, Hashable {
        let code: Int32
    }

    private let descriptor: Mutex<Int32>

    private init(_ descriptor: Int32) { self.descriptor = Mutex(descriptor) }

    deinit { close() }

    private var number: Int32 { descriptor.withLock { $0 } }

    func close() {
        let number = handOver()
        if number >= 0 { Glibc.close(number) }
    }

    /// Hands the descriptor over to the caller.
    func handOver() -> Int32 {
        descriptor.withLock { descriptor in
            defer { descriptor = -1 }
            return descriptor
        }
    }

    // MARK: Making

    private static let loopback = IPv4Address(127, 0, 0, 1)

    /// An address and a port as `sockaddr_in` has them in memory.
    private static func place(_ port: Int, _ address: IPv4Address = loopback) -> [UInt8] {
        withUnsafeBytes(of: UInt16(AF_INET)) { Array($0) }
            + [UInt8(port >> 8), UInt8(port & 255)] + address.bytes + [UInt8](repeating: 0, count: 8)
    }

    private static func make() throws -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_INET, kind, 0)
        guard descriptor >= 0 else { throw Failure(code: errno) }
        return descriptor
    }

    /// Listens, on a free port where it is 0; so many connections and one more may wait to be accepted.
    static func listen(line: Int32 = 512, at address: IPv4Address = loopback, port: Int = 0) throws -> PlainSocket {
        let made = PlainSocket(try make())
        let isListening = place(port, address).withUnsafeBytes { bytes in
            bytes.bindMemory(to: sockaddr.self).baseAddress.map {
                bind(made.number, $0, socklen_t(bytes.count)) == 0 && Glibc.listen(made.number, line) == 0
            } ?? false
        }
        guard isListening else { throw Failure(code: errno) }
        return made
    }

    var port: Int {
        var address = Self.place(0)
        var size = socklen_t(address.count)
        address.withUnsafeMutableBytes { bytes in
            if let pointer = bytes.bindMemory(to: sockaddr.self).baseAddress { getsockname(number, pointer, &size) }
        }
        return Int(address[2]) << 8 | Int(address[3])
    }

    static func connect(to port: Int) async throws -> PlainSocket {
        try await onThread { try begin(port, milliseconds: 50_000) }
    }

    /// Connects within a time, waiting on this thread.
    static func begin(_ port: Int, milliseconds: Int32) throws -> PlainSocket {
        let made = PlainSocket(try make())
        let outcome = place(port).withUnsafeBytes { bytes in
            bytes.bindMemory(to: sockaddr.self).baseAddress.map {
                Glibc.connect(made.number, $0, socklen_t(bytes.count))
            } ?? -1
        }
        if outcome == 0 { return made }
        guard errno == EINPROGRESS else { throw Failure(code: errno) }
        try made.wait(POLLOUT, milliseconds)
        var (code, size) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
        getsockopt(made.number, SOL_SOCKET, SO_ERROR, &code, &size)
        guard code == 0 else { throw Failure(code: code) }
        return made
    }

    func accept() async throws -> PlainSocket {
        try await onThread {
            while true {
                try self.wait(POLLIN)
                let accepted = Glibc.accept(self.number, nil, nil)
                // Another thread may have been faster.
                if accepted < 0, errno == EAGAIN { continue }
                guard accepted >= 0 else { throw Failure(code: errno) }
                _ = fcntl(accepted, F_SETFL, O_NONBLOCK)
                return PlainSocket(accepted)
            }
        }
    }

    /// The index of the first listener for which somebody waits.
    static func firstReady(_ listeners: [PlainSocket]) async throws -> Int {
        try await onThread {
            var watched = listeners.map { pollfd(fd: $0.number, events: Int16(POLLIN), revents: 0) }
            guard poll(&watched, nfds_t(watched.count), 50_000) > 0 else { throw Failure(code: ETIMEDOUT) }
            return watched.firstIndex { $0.revents != 0 } ?? 0
        }
    }

    // MARK: Speaking

    func say(_ words: [UInt8]) async throws {
        try await onThread {
            var said = 0
            while said < words.count {
                let count = words[said...].withUnsafeBytes {
                    send(self.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                if count >= 0 {
                    said += count
                } else if errno == EAGAIN {
                    try self.wait(POLLOUT)
                } else {
                    throw Failure(code: errno)
                }
            }
        }
    }

    /// Says what fits into the socket within a tenth of a second; nil when nothing does.
    func sayWhatFits() throws -> Int? {
        var watched = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
        guard poll(&watched, 1, 100) == 1 else { return nil }
        let count = send(number, [UInt8](repeating: 7, count: 64 << 10), 64 << 10, Int32(MSG_NOSIGNAL))
        guard count >= 0 else { throw Failure(code: errno) }
        return count
    }

    /// What comes, up to so many bytes, or to the end.
    func hear(_ count: Int) async throws -> [UInt8] {
        try await onThread {
            var heard: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 256 << 10)
            while heard.count < count {
                let received = recv(self.number, &buffer, min(buffer.count, count - heard.count), 0)
                if received == 0 { break }
                if received > 0 {
                    heard += buffer.prefix(received)
                } else if errno == EAGAIN {
                    try self.wait(POLLIN)
                } else {
                    throw Failure(code: errno)
                }
            }
            return heard
        }
    }

    func hearAll() async throws -> [UInt8] { try await hear(.max) }

    /// Says no more.
    func shutDown() { shutdown(number, Int32(SHUT_WR)) }

    /// Ends with a reset.
    func reset() {
        var at = linger(l_onoff: 1, l_linger: 0)
        setsockopt(number, SOL_SOCKET, SO_LINGER, &at, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    /// Bounds what the kernel keeps for this side.
    func setBuffers(_ bytes: Int32) {
        var bytes = bytes
        for option in [SO_RCVBUF, SO_SNDBUF] {
            setsockopt(number, SOL_SOCKET, option, &bytes, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    private func wait(_ events: Int32, _ milliseconds: Int32 = 50_000) throws {
        var watched = pollfd(fd: number, events: Int16(events), revents: 0)
        guard poll(&watched, 1, milliseconds) == 1 else { throw Failure(code: ETIMEDOUT) }
    }

    fileprivate static let threads: NIOThreadPool = {
        let threads = NIOThreadPool(numberOfThreads: 256)
        threads.start()
        return threads
    }()
}

private func onThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await PlainSocket.threads.runIfActive(body)
}

/// A network whose addresses are this machine's own; it counts the sockets that it has made and nobody has closed.
final class HostSockets: SocketSource {
    private struct State {
        var isRefusing = false
        /// By number, with the inode that tells a socket from the next one of that number.
        var made: [Int32: UInt] = [:]
    }
    private let state = Mutex(State())

    func refuse(_ isRefusing: Bool) { state.withLock { $0.isRefusing = isRefusing } }

    var openCount: Int {
        state.withLock { state in state.made.count { descriptor, inode in Self.inode(descriptor) == inode } }
    }

    private static func inode(_ descriptor: Int32) -> UInt? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? UInt(status.st_ino) : nil
    }

    func sockets(_ count: Int) async throws(RuntimeError) -> [Int32] {
        guard !state.withLock({ $0.isRefusing }) else { throw .system("there are none now") }
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let made = (0..<count).map { _ in socket(AF_INET, kind, 0) }
        state.withLock { state in for descriptor in made { state.made[descriptor] = Self.inode(descriptor) } }
        return made
    }

    func place(of address: String, port: Int) -> (address: IPv4Address, port: UInt16)? {
        guard let address = IPv4Address(parsing: address), let port = UInt16(exactly: port) else { return nil }
        return (address, port)
    }
}

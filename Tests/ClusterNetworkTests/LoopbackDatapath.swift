import ContainerRuntime
import Glibc
import Synchronization

/// A datapath on the host's loopback: cluster addresses are looked up in a table of host ports.
///
/// Or a real one before it, whose rules can be waited for.
final class LoopbackDatapath: NetworkDatapath {
    private struct State {
        /// `ADDRESS:PORT` of the cluster → port on 127.0.0.1.
        var hostPorts: [String: Int] = [:]
        var applied: [ServiceRule] = []
        var failures = 0
        var waiters: [(@Sendable ([ServiceRule]) -> Bool, CheckedContinuation<Void, Never>)] = []
    }
    private let state = Mutex(State())
    private let real: (any NetworkDatapath)?

    init(before real: (any NetworkDatapath)? = nil) { self.real = real }

    var podNetwork: IPv4Address? { real?.podNetwork }

    /// Lets connections to a cluster address end at a port of the host.
    func route(_ address: String, _ port: Int, to hostPort: Int) {
        state.withLock { $0.hostPorts["\(address):\(port)"] = hostPort }
    }

    /// The next `count` changes of rules fail.
    func failNext(_ count: Int) { state.withLock { $0.failures = count } }

    func hostPort(_ transport: TransportProtocol, _ address: String, _ port: Int) -> Int? {
        state.withLock { $0.hostPorts["\(transport.rawValue) \(address):\(port)"] }
    }

    /// Waits until rules are in force that fit.
    func waitForRules(_ fits: @escaping @Sendable ([ServiceRule]) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                let isThere = fits(state.applied)
                if !isThere { state.waiters.append((fits, continuation)) }
                return isThere
            }
            if isThere { continuation.resume() }
        }
    }

    func apply(_ rules: [ServiceRule]) async throws(RuntimeError) {
        try await real?.apply(rules)
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>]? in
            if state.failures > 0 {
                state.failures -= 1
                return nil
            }
            state.applied = rules
            let ready = state.waiters.filter { $0.0(rules) }
            state.waiters.removeAll { $0.0(rules) }
            return ready.map(\.1)
        }
        guard let waiters else { throw .system("the rules were refused") }
        for waiter in waiters { waiter.resume() }
    }

    func listen(_ transport: TransportProtocol, address: String, port: Int) async throws(RuntimeError) -> Int32 {
        if let real { return try await real.listen(transport, address: address, port: port) }
        let kind = transport == .tcp ? SOCK_STREAM : SOCK_DGRAM
        let descriptor = socket(AF_INET, Int32(kind.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        let port2 = Self.bindLoopback(descriptor)
        guard descriptor >= 0, let port2, transport == .udp || Glibc.listen(descriptor, 16) == 0 else {
            throw .system("bind")
        }
        state.withLock { $0.hostPorts["\(transport.rawValue) \(address):\(port)"] = port2 }
        return descriptor
    }

    func connect(
        address: String, port: Int, insidePod podUID: String?, timeout: Duration
    ) async throws(ConnectError) -> Int32 {
        if let real {
            return try await real.connect(address: address, port: port, insidePod: podUID, timeout: timeout)
        }
        guard let hostPort = state.withLock({ $0.hostPorts["\(address):\(port)"] }) else { throw .unreachable }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(hostPort)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            let code = errno
            close(descriptor)
            throw code == ECONNREFUSED ? .refused : .system(String(cString: strerror(code)))
        }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        return descriptor
    }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    /// Binds to a free port of 127.0.0.1 and says which one it is.
    static func bindLoopback(_ descriptor: Int32) -> Int? {
        var address = loopback(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer -> Bool in
                bind(descriptor, pointer, size) == 0 && getsockname(descriptor, pointer, &size) == 0
            }
        } ? Int(UInt16(bigEndian: address.sin_port)) : nil
    }
}

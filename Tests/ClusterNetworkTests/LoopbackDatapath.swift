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
        var policies = PolicyRules()
        var policyWaiters: [(@Sendable (PolicyRules) -> Bool, CheckedContinuation<Void, Never>)] = []
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

    /// Waits until policies are in force that fit.
    func waitForPolicies(_ fits: @escaping @Sendable (PolicyRules) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                let isThere = fits(state.policies)
                if !isThere { state.policyWaiters.append((fits, continuation)) }
                return isThere
            }
            if isThere { continuation.resume() }
        }
    }

    func apply(_ policies: PolicyRules) async throws(RuntimeError) {
        try await real?.apply(policies)
        let waiters = state.withLock { state in
            state.policies = policies
            let ready = state.policyWaiters.filter { $0.0(policies) }
            state.policyWaiters.removeAll { $0.0(policies) }
            return ready.map(\.1)
        }
        for waiter in waiters { waiter.resume() }
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

    func sockets(_ count: Int) async throws(RuntimeError) -> [Int32] {
        if let real { return try await real.sockets(count) }
        return (0..<count).map { _ in
            socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        }
    }

    func place(of address: String, port: Int) -> (address: IPv4Address, port: UInt16)? {
        if let real { return real.place(of: address, port: port) }
        guard let hostPort = state.withLock({ $0.hostPorts["\(address):\(port)"] }) else { return nil }
        return (IPv4Address(127, 0, 0, 1), UInt16(hostPort))
    }

    func connect(
        address: String, port: Int, insidePod podUID: String?, timeout: Duration
    ) async throws(ConnectError) -> Int32 {
        if let real {
            return try await real.connect(address: address, port: port, insidePod: podUID, timeout: timeout)
        }
        guard let hostPort = state.withLock({ $0.hostPorts["\(address):\(port)"] }) else { throw .unreachable }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let result = Self.loopback(hostPort).withUnsafeBytes { bytes in
            bytes.bindMemory(to: sockaddr.self).baseAddress.map {
                Glibc.connect(descriptor, $0, socklen_t(bytes.count))
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

    /// 127.0.0.1 and a port as `sockaddr_in` has them in memory.
    ///
    /// Byte by byte: which module the fields of the C type belong to depends on what else is imported.
    private static func loopback(_ port: Int) -> [UInt8] {
        let family = UInt16(AF_INET)
        return withUnsafeBytes(of: family) { Array($0) }
            + [UInt8(port >> 8), UInt8(port & 255), 127, 0, 0, 1] + [UInt8](repeating: 0, count: 8)
    }

    /// Binds to a free port of 127.0.0.1 and says which one it is.
    static func bindLoopback(_ descriptor: Int32) -> Int? {
        var address = loopback(0)
        var size = socklen_t(address.count)
        let isBound = address.withUnsafeMutableBytes { bytes -> Bool in
            guard let pointer = bytes.bindMemory(to: sockaddr.self).baseAddress else { return false }
            return bind(descriptor, pointer, size) == 0 && getsockname(descriptor, pointer, &size) == 0
        }
        return isBound ? Int(address[2]) << 8 | Int(address[3]) : nil
    }
}

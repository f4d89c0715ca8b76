import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// The datapath on loopback addresses: services are proxies in this process, everything else goes straight to the mapped address.
final class PlainNetwork: Sendable {
    let block: LoopbackBlock

    private struct Key: Hashable, Sendable {
        var address: IPv4Address
        var port: UInt16
    }

    /// Keeps the block for this cluster; nil when that is over.
    private let claim: Mutex<Int32?>
    private let pump: StreamPump
    private let supply: Task<Void, Never>
    private let proxies = Mutex<[Key: StreamPump.Listener]>([:])
    private let pods = Mutex<[String: IPv4Address]>([:])

    init() throws(RuntimeError) {
        for number in 0..<LoopbackBlock.count {
            let block = LoopbackBlock(number: UInt8(number))
            // Without SO_REUSEADDR, which would let two have it.
            guard let claim = try? LoopbackSocket.bound(.udp, block.claim, 20_053) else { continue }
            let pump: StreamPump
            do throws(RuntimeError) { pump = try StreamPump(LoopbackSource(block: block)) } catch {
                close(claim)
                throw error
            }
            self.block = block
            self.claim = Mutex(claim)
            self.pump = pump
            // It ends with the pump; `shutDown` ends and awaits both. Nobody here has a task group that could hold it.
            supply = Task { await pump.run() }
            return
        }
        throw .system("all \(LoopbackBlock.count) loopback networks are in use by clusters on this machine")
    }

    func add(_ podUID: String, address: String) {
        pods.withLock { $0[podUID] = IPv4Address(parsing: address) }
    }

    func remove(_ podUID: String) { pods.withLock { $0[podUID] = nil } }

    func shutDown() async {
        pump.end()
        await supply.value
        // Once: the number may be somebody else's by then.
        if let claim = claim.withLock({ $0.take() }) { close(claim) }
    }

    // MARK: Sockets

    func place(_ address: String, _ port: Int) -> (address: IPv4Address, port: UInt16)? {
        LoopbackSource(block: block).place(of: address, port: port)
    }

    func sockets(_ count: Int) throws(RuntimeError) -> [Int32] { try LoopbackSource(block: block).sockets(count) }

    func listen(_ transport: TransportProtocol, address: String, port: Int) throws(RuntimeError) -> Int32 {
        guard let place = place(address, port) else {
            throw .system("\(address):\(port) is not in the cluster's network")
        }
        do throws(LoopbackSocket.Errno) {
            return transport == .tcp
                ? try LoopbackSocket.listening(place.address, place.port)
                : try LoopbackSocket.bound(transport, place.address, place.port)
        } catch {
            throw .system("cannot listen on \(address):\(port) (here \(place.address):\(place.port)): \(error)")
        }
    }

    func connect(
        address: String, port: Int, insidePod podUID: String?, timeout: Duration
    ) async throws(ConnectError) -> Int32 {
        var place = place(address, port)
        if let podUID {
            guard let own = pods.withLock({ $0[podUID] }) else { throw .unreachable }
            if let asked = IPv4Address(parsing: address), asked.number >> 24 == 127, place == nil {
                place = UInt16(exactly: port).map { (own, LoopbackBlock.shifted($0)) }
            }
        }
        guard let place else { throw .unreachable }
        do throws(LoopbackSocket.Errno) {
            let (descriptor, isDone) = try LoopbackSocket.connecting(place.address, place.port)
            if !isDone { try await Self.finish(descriptor, timeout) }
            return descriptor
        } catch {
            switch error.code {
            case ECONNREFUSED: throw .refused
            case ETIMEDOUT: throw .timedOut
            case EHOSTUNREACH, ENETUNREACH: throw .unreachable
            default: throw .system(error.description)
            }
        }
    }

    private static func finish(_ descriptor: Int32, _ timeout: Duration) async throws(LoopbackSocket.Errno) {
        let parts = timeout.components
        let milliseconds = Int32(clamping: parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000)
        let result: Result<Void, LoopbackSocket.Errno>
        do {
            result = try await NIOThreadPool.singleton.runIfActive {
                Result { () throws(LoopbackSocket.Errno) in
                    try LoopbackSocket.finishConnecting(descriptor, timeoutMilliseconds: max(1, milliseconds))
                }
            }
        } catch {
            close(descriptor)
            result = .failure(LoopbackSocket.Errno(code: ECANCELED))
        }
        try result.get()
    }

    // MARK: Services

    /// Brings the proxies in line with the rules.
    ///
    /// UDP goes through DNS only, which has a listener of its own.
    func apply(_ rules: [ServiceRule]) async throws(RuntimeError) {
        var wanted: [Key: [ServiceRule.Backend]] = [:]
        // Port 53 leads to the cluster's DNS, whatever the address.
        for rule in rules where rule.transport == .tcp && !rule.backends.isEmpty && rule.port != 53 {
            guard let place = place(rule.address, rule.port) else { continue }
            wanted[Key(address: place.address, port: place.port)] = rule.backends
        }
        let (gone, missing) = proxies.withLock { proxies in
            let gone = proxies.filter { wanted[$0.key] == nil }
            for (key, listener) in proxies {
                if let backends = wanted[key] { pump.lead(listener, to: backends) } else { proxies[key] = nil }
            }
            return (gone.values, wanted.filter { proxies[$0.key] == nil })
        }
        // Nothing listens there any more: connections are refused. Those that exist go on.
        for listener in gone { pump.close(listener) }
        var failure: RuntimeError?
        for (key, backends) in missing {
            do throws(RuntimeError) { try open(key, backends) } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }

    private func open(_ key: Key, _ backends: [ServiceRule.Backend]) throws(RuntimeError) {
        let socket: Int32
        do throws(LoopbackSocket.Errno) { socket = try LoopbackSocket.listening(key.address, key.port) } catch {
            throw .system("the proxy of a service cannot listen on \(key.address):\(key.port): \(error)")
        }
        let listener = try pump.listen(on: socket)
        pump.lead(listener, to: backends)
        proxies.withLock { $0[key] = listener }
    }
}

/// Sockets of this machine, and where the addresses of a cluster are on it.
private struct LoopbackSource: SocketSource {
    let block: LoopbackBlock

    func sockets(_ count: Int) throws(RuntimeError) -> [Int32] {
        var made: [Int32] = []
        do throws(LoopbackSocket.Errno) {
            for _ in 0..<count { made.append(try LoopbackSocket.unconnected()) }
        } catch {
            for descriptor in made { close(descriptor) }
            throw .system("no sockets: \(error)")
        }
        return made
    }

    func place(of address: String, port: Int) -> (address: IPv4Address, port: UInt16)? {
        guard let address = IPv4Address(parsing: address), let port = UInt16(exactly: port) else { return nil }
        if port == 53, address.number >> 16 == 10 << 8 | 96 {
            // Where supervisors send every question, whatever address the cluster gives DNS.
            return (IPv4Address(block.services.number | 10), 20_053)
        }
        return block.place(address, port)
    }
}

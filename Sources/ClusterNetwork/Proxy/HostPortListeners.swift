import ContainerRuntime
import NIOCore
import Synchronization

/// The node ports that are open on the host, brought in line with a plan.
///
/// Owned by one task, that of `ClusterNetwork.run()`; the listeners' loops run in tasks that it starts through `spawn`.
final class NodePortListeners {
    /// A port that could not be opened.
    struct Refusal: Equatable, Sendable {
        var nodePort: ServicePlan.NodePort
        var address: String
        var reason: HostSocket.Failure

        /// What the event on the Service says.
        var message: String {
            reason == .taken
                ? "Port \(nodePort.port) on \(address) of this machine is taken by another program. "
                    + "End that program, or give the Service another nodePort."
                : "Port \(nodePort.port) on \(address) of this machine cannot be opened (\(reason)). "
                    + "Give the Service another nodePort."
        }
    }

    /// What a change of the plan came to.
    struct Outcome: Equatable, Sendable {
        /// Ports that could not be opened, unless that was said before about the same state of the Service.
        var refusals: [Refusal] = []
        /// Ports that are open now, and could not be opened before.
        var recoveries: [ServicePlan.NodePort] = []
    }

    /// Where connections to a port go now: they read it, a new plan replaces it.
    private final class Target: Sendable {
        let backends: Mutex<[ServiceRule.Backend]>
        init(_ backends: [ServiceRule.Backend]) { self.backends = Mutex(backends) }
    }

    private struct Entry {
        var nodePort: ServicePlan.NodePort
        let target: Target
        /// Sockets that keep the port and refuse, while there are no endpoints.
        var held: [HostSocket.Loopback: HostSocket] = [:]
        var listening: [HostSocket.Loopback: StreamForwarder.Listener] = [:]
        var isRefused = false
    }

    private let forwarder: StreamForwarder
    private let datapath: any NetworkDatapath
    private let spawn: @Sendable (@escaping @Sendable () async -> Void) -> Void
    private var entries: [Int: Entry] = [:]

    init(
        forwarder: StreamForwarder, datapath: any NetworkDatapath,
        spawn: @escaping @Sendable (@escaping @Sendable () async -> Void) -> Void
    ) {
        self.forwarder = forwarder
        self.datapath = datapath
        self.spawn = spawn
    }

    /// Opens, changes and closes ports as `plan` wants them.
    ///
    /// A port that could not be opened is tried again each time.
    func update(to plan: [ServicePlan.NodePort]) async -> Outcome {
        let wanted = Dictionary(plan.map { ($0.port, $0) }, uniquingKeysWith: { first, _ in first })
        for (port, entry) in entries where wanted[port] == nil {
            await close(entry)
            entries[port] = nil
        }
        var outcome = Outcome()
        for nodePort in wanted.values.sorted(by: { $0.port < $1.port }) {
            var entry = entries[nodePort.port] ?? Entry(nodePort: nodePort, target: Target(nodePort.backends))
            let isNew = entries[nodePort.port] == nil
            let before = entry.nodePort
            entry.nodePort = nodePort
            entry.target.backends.withLock { $0 = nodePort.backends }
            if isNew || before != nodePort || entry.isRefused {
                let found = await open(&entry)
                if isNew || before.resourceVersion != nodePort.resourceVersion || before.service != nodePort.service {
                    outcome.refusals += found
                }
                if entry.isRefused, found.isEmpty { outcome.recoveries.append(nodePort) }
                entry.isRefused = !found.isEmpty
            }
            entries[nodePort.port] = entry
        }
        return outcome
    }

    /// Whether a port is wanted that could not be opened.
    var hasRefusals: Bool { entries.values.contains(where: \.isRefused) }

    /// Closes all ports; connections that exist go on.
    func closeAll() async {
        for entry in entries.values { await close(entry) }
        entries = [:]
    }

    private func open(_ entry: inout Entry) async -> [Refusal] {
        var refusals: [Refusal] = []
        for loopback in HostSocket.Loopback.allCases {
            do throws(HostSocket.Failure) {
                if entry.nodePort.backends.isEmpty {
                    try await hold(loopback, &entry)
                } else {
                    try await listen(loopback, &entry)
                }
            } catch {
                // A machine without IPv6 is no reason to complain.
                if loopback == .v6, error == .unavailable { continue }
                refusals.append(Refusal(nodePort: entry.nodePort, address: loopback.rawValue, reason: error))
                if loopback == .v4 { break }
            }
        }
        return refusals
    }

    /// Keeps the port, but refuses: there are no endpoints.
    private func hold(_ loopback: HostSocket.Loopback, _ entry: inout Entry) async throws(HostSocket.Failure) {
        if entry.held[loopback] != nil { return }
        if let listener = entry.listening.removeValue(forKey: loopback) { try? await listener.channel.close() }
        entry.held[loopback] = try HostSocket(loopback, port: UInt16(clamping: entry.nodePort.port))
    }

    private func listen(_ loopback: HostSocket.Loopback, _ entry: inout Entry) async throws(HostSocket.Failure) {
        if let listener = entry.listening[loopback], listener.channel.isActive { return }
        let socket =
            if let held = entry.held.removeValue(forKey: loopback) { held } else {
                try HostSocket(loopback, port: UInt16(clamping: entry.nodePort.port))
            }
        let descriptor = try socket.listen()
        guard let listener = try? await forwarder.listen(on: descriptor) else {
            throw .system("the listener could not be set up")
        }
        entry.listening[loopback] = listener
        let target = entry.target
        spawn { [forwarder, datapath] in
            await forwarder.serve(listener) { eventLoop in
                let backends = target.backends.withLock { $0 }
                return try await Self.dial(backends.shuffled(), datapath, on: eventLoop)
            }
        }
    }

    private func close(_ entry: Entry) async {
        for listener in entry.listening.values { try? await listener.channel.close() }
    }

    /// Connects to the first backend that answers: one may have gone a moment ago.
    private static func dial(
        _ backends: [ServiceRule.Backend], _ datapath: any NetworkDatapath, on eventLoop: any EventLoop
    ) async throws -> any Channel {
        var last = ConnectError.refused
        for backend in backends {
            let descriptor: Int32
            do throws(ConnectError) {
                descriptor = try await datapath.connect(
                    address: backend.address, port: backend.port, insidePod: nil, timeout: .seconds(5))
            } catch {
                last = error
                continue
            }
            return try await StreamForwarder.adopt(descriptor, on: eventLoop)
        }
        throw last
    }
}

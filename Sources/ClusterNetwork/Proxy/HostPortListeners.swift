import ContainerRuntime
import NIOCore

/// The ports that are open on the host for Services, brought in line with a plan.
///
/// Owned by one task, that of `ClusterNetwork.run()`; the listeners' loops run in tasks that it starts through `spawn`.
final class HostPortListeners {
    /// A port that could not be opened.
    struct Refusal: Equatable, Sendable {
        var hostPort: ServicePlan.HostPort
        var address: String
        var reason: HostSocket.Failure

        /// What the event on the Service says.
        var message: String {
            let port = "Port \(hostPort.port) on \(address) of this machine"
            let another =
                hostPort.kind.isBalancer ? "give the Service another port" : "give the Service another nodePort"
            return switch reason {
            case .taken: "\(port) is taken by another program. End that program, or \(another)."
            case .privileged:
                "\(port) is for root alone. Use a port from 1024 on, reach the Service through its nodePort, or allow "
                    + "low ports: sudo sysctl net.ipv4.ip_unprivileged_port_start=\(hostPort.port)"
            default: "\(port) cannot be opened (\(reason)). \(another.prefix(1).uppercased() + another.dropFirst())."
            }
        }
    }

    /// What a change of the plan came to.
    struct Outcome: Equatable, Sendable {
        /// Ports that could not be opened, unless that was said before about the same state of the Service.
        var refusals: [Refusal] = []
        /// Ports that are open now, and could not be opened before.
        var recoveries: [ServicePlan.HostPort] = []
    }

    private struct Entry {
        var hostPort: ServicePlan.HostPort
        /// Where packets go; connections are led by the pump.
        let target: BackendChoice
        /// Sockets that keep the port and refuse, while there are no endpoints.
        var held: [HostSocket.Loopback: HostSocket] = [:]
        var listening: [HostSocket.Loopback: Listening] = [:]
        var refusal: HostSocket.Failure?
    }

    private enum Listening {
        case streams(StreamPump.Listener)
        case datagrams(any Channel)

        var isActive: Bool { if case .datagrams(let channel) = self { channel.isActive } else { true } }
    }

    private let eventLoops: any EventLoopGroup
    private let datapath: any NetworkDatapath
    private let spawn: @Sendable (@escaping @Sendable () async -> Void) -> Void
    private var entries: [ServicePlan.HostPort.ID: Entry] = [:]
    /// Nil as long as there was no port for connections.
    private var pump: StreamPump?

    init(
        eventLoops: any EventLoopGroup, datapath: any NetworkDatapath,
        spawn: @escaping @Sendable (@escaping @Sendable () async -> Void) -> Void
    ) {
        self.eventLoops = eventLoops
        self.datapath = datapath
        self.spawn = spawn
    }

    /// Opens, changes and closes ports as `plan` wants them.
    ///
    /// A port that could not be opened is tried again each time.
    func update(to plan: [ServicePlan.HostPort]) async -> Outcome {
        let wanted = Dictionary(plan.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        for (id, entry) in entries where wanted[id] == nil {
            await close(entry)
            entries[id] = nil
        }
        var outcome = Outcome()
        for hostPort in plan where wanted[hostPort.id] == hostPort {
            let present = entries[hostPort.id]
            var entry = present ?? Entry(hostPort: hostPort, target: BackendChoice())
            let before = entry.hostPort
            entry.hostPort = hostPort
            entry.target.update(places(of: hostPort.backends), affinitySeconds: hostPort.affinitySeconds)
            if present == nil || before != hostPort || entry.refusal != nil {
                let found = await open(&entry)
                lead(entry)
                if present == nil || before.resourceVersion != hostPort.resourceVersion
                    || before.service != hostPort.service
                {
                    outcome.refusals += found
                }
                if entry.refusal != nil, found.isEmpty { outcome.recoveries.append(hostPort) }
                entry.refusal = found.first?.reason
            }
            entries[hostPort.id] = entry
        }
        return outcome
    }

    /// Whether a port is wanted that could not be opened.
    var hasRefusals: Bool { entries.values.contains { $0.refusal != nil } }

    /// Why a port is not open; nil when it is.
    func refusal(of id: ServicePlan.HostPort.ID) -> HostSocket.Failure? { entries[id]?.refusal }

    /// Closes all ports and ends all connections to them.
    func closeAll() async {
        for entry in entries.values { await close(entry) }
        entries = [:]
        pump?.end()
        pump = nil
    }

    /// Where packets have to be sent to, to reach backends; the pump finds that out by itself.
    private func places(of backends: [ServiceRule.Backend]) -> [ServiceRule.Backend] {
        backends.compactMap { backend in
            datapath.place(of: backend.address, port: backend.port).map {
                .init(address: $0.address.description, port: Int($0.port))
            }
        }
    }

    /// Sends new connections where they go now.
    private func lead(_ entry: Entry) {
        for case .streams(let listener) in entry.listening.values {
            pump?.lead(listener, to: entry.hostPort.backends, affinitySeconds: entry.hostPort.affinitySeconds)
        }
    }

    private func open(_ entry: inout Entry) async -> [Refusal] {
        var refusals: [Refusal] = []
        for loopback in entry.hostPort.places {
            do throws(HostSocket.Failure) {
                if entry.hostPort.backends.isEmpty {
                    try await hold(loopback, &entry)
                } else if entry.listening[loopback]?.isActive != true {
                    try await listen(loopback, &entry)
                }
            } catch {
                // A machine without IPv6 is no reason to complain.
                if loopback == .v6, error == .unavailable { continue }
                refusals.append(Refusal(hostPort: entry.hostPort, address: loopback.description, reason: error))
                if loopback != .v6 { break }
            }
        }
        return refusals
    }

    /// Keeps the port, but refuses: there are no endpoints.
    private func hold(_ loopback: HostSocket.Loopback, _ entry: inout Entry) async throws(HostSocket.Failure) {
        if entry.held[loopback] != nil { return }
        if let listening = entry.listening.removeValue(forKey: loopback) { await close(listening) }
        let port = UInt16(clamping: entry.hostPort.port)
        let socket = try HostSocket(loopback, port: port, isStream: entry.hostPort.transport == .tcp)
        // A bound UDP socket would swallow what is sent to it; without one the sender is told that nobody is there.
        if entry.hostPort.transport == .tcp { entry.held[loopback] = socket }
    }

    private func listen(_ loopback: HostSocket.Loopback, _ entry: inout Entry) async throws(HostSocket.Failure) {
        let port = UInt16(clamping: entry.hostPort.port)
        let socket =
            if let held = entry.held.removeValue(forKey: loopback) { held } else {
                try HostSocket(loopback, port: port, isStream: entry.hostPort.transport == .tcp)
            }
        if entry.hostPort.transport == .tcp {
            entry.listening[loopback] = .streams(try serveStreams(on: socket))
        } else {
            entry.listening[loopback] = .datagrams(try await serveDatagrams(on: socket.handOver(), entry.target))
        }
    }

    /// The pump, which starts with the first port for connections.
    private func startedPump() throws(HostSocket.Failure) -> StreamPump {
        if let pump { return pump }
        do throws(RuntimeError) {
            let pump = try StreamPump(datapath)
            spawn { await pump.run() }
            self.pump = pump
            return pump
        } catch {
            throw .system("\(error)")
        }
    }

    private func serveStreams(on socket: HostSocket) throws(HostSocket.Failure) -> StreamPump.Listener {
        let pump = try startedPump()
        let descriptor = try socket.listen()
        do throws(RuntimeError) { return try pump.listen(on: descriptor) } catch { throw .system("\(error)") }
    }

    private func serveDatagrams(
        on descriptor: Int32, _ target: BackendChoice
    ) async throws(HostSocket.Failure) -> any Channel {
        let forwarder = DatagramForwarder(datapath: datapath, target: target, eventLoops: eventLoops)
        guard let listener = try? await forwarder.listen(on: descriptor) else {
            throw .system("the listener could not be set up")
        }
        spawn { await forwarder.serve(listener) }
        return listener.channel
    }

    private func close(_ entry: Entry) async {
        for listening in entry.listening.values { await close(listening) }
    }

    /// Connections that exist go on.
    private func close(_ listening: Listening) async {
        switch listening {
        case .streams(let listener): pump?.close(listener)
        case .datagrams(let channel): try? await channel.close()
        }
    }
}

extension ServicePlan.HostPort {
    /// The loopback addresses at which the port is.
    fileprivate var places: [HostSocket.Loopback] {
        let own = addresses.map { HostSocket.Loopback.v4(number: $0.number) }
        return kind == .node ? [.v4] + own + [.v6] : own
    }
}

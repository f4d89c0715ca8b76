public import ContainerRuntime
import ControllerKit
public import KubeClient
import KubeModel
import NIOCore
import NIOPosix
public import ServiceLifecycle
import Synchronization

/// The network of a cluster: addresses of pods, Services, DNS, node ports.
///
/// It follows Services and EndpointSlices, works out from all of them what the network should be (`ServicePlan`, `DNSZone`), and
/// brings the datapath, the DNS server and the ports on the host in line, once per burst of changes.
public final class ClusterNetwork: Service {
    /// The addresses of this node's pods.
    public let addresses: PodAddressPool

    private let client: any ClusterClient
    private let datapath: any NetworkDatapath
    private let level: RuntimeLevel
    private let configuration: ClusterNetworkConfiguration
    private let services: Informer
    private let slices: Informer
    private let dns: DNSServer
    private let domain: DNSName
    private let forwarder: StreamForwarder
    private let readiness = Readiness()

    public init(
        client: any ClusterClient, datapath: any NetworkDatapath, level: RuntimeLevel,
        configuration: ClusterNetworkConfiguration = ClusterNetworkConfiguration()
    ) {
        self.client = client
        self.datapath = datapath
        self.level = level
        self.configuration = configuration
        guard let domain = DNSName(configuration.domain) else {
            preconditionFailure("'\(configuration.domain)' is no domain name")
        }
        self.domain = domain
        addresses = PodAddressPool(
            network: datapath.podNetwork ?? configuration.podNetwork(on: level),
            prefixLength: configuration.podPrefixLength)
        services = Informer(client: client, resource: .services)
        slices = Informer(client: client, resource: .endpointSlices)
        forwarder = StreamForwarder()
        dns = DNSServer(zone: DNSZone(domain: domain), eventLoops: forwarder.eventLoops)
    }

    /// Text of `/etc/resolv.conf` for the pods of a namespace.
    public func resolverConfiguration(namespace: String) -> String {
        ResolverConfiguration(server: configuration.dnsAddress, domain: configuration.domain).text(namespace: namespace)
    }

    /// Returns when DNS answers and the first rules are in force, or when the network has ended.
    public func waitUntilReady() async { await readiness.wait() }

    /// Runs until the task is cancelled or the service group shuts down.
    ///
    /// - Throws: If the sockets for DNS or the API cannot be made.
    public func run() async throws {
        defer { readiness.set() }
        try await cancelWhenGracefulShutdown { try await self.runUntilCancelled() }
    }

    private func runUntilCancelled() async throws {
        let channels = try await openClusterSockets()
        await withDiscardingTaskGroup { group in
            if let api = channels.api, let port = configuration.apiHostPort {
                group.addTask { [forwarder] in
                    await forwarder.serve(api) { eventLoop in
                        try await StreamForwarder.dialHost("127.0.0.1", port: port, on: eventLoop)
                    }
                }
            }
            let (jobs, newJobs) = AsyncStream<@Sendable () async -> Void>.makeStream()
            group.addTask {
                await withDiscardingTaskGroup { group in
                    for await job in jobs { group.addTask { await job() } }
                }
            }
            let (signals, signal) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
            for informer in [services, slices] {
                group.addTask { try? await informer.run() }
                group.addTask { for await _ in informer.changes() { signal.yield() } }
            }
            await services.waitUntilSynced()
            await slices.waitUntilSynced()
            signal.yield()
            await follow(signals, retry: { signal.yield() }, spawn: { newJobs.yield($0) })
            forwarder.closeAll()
        }
        for channel in channels.dns { try? await channel.close() }
    }

    /// Brings everything in line, once per signal; signals that come meanwhile count as one.
    private func follow(
        _ signals: AsyncStream<Void>, retry: @escaping @Sendable () -> Void,
        spawn: @escaping @Sendable (@escaping @Sendable () async -> Void) -> Void
    ) async {
        let listeners = NodePortListeners(forwarder: forwarder, datapath: datapath, spawn: spawn)
        let events = EventRecorder(client: client, component: "cluster-network")
        var applied: [ServiceRule]?
        var backoff = Backoff()
        var portRetry: ContinuousClock.Instant?
        for await _ in signals {
            let (services, slices) = (services.list(), slices.list())
            let plan = ServicePlan(services: services, slices: slices, reserved: reserved)
            dns.replace(with: DNSZone(domain: domain, services: services, slices: slices))
            if configuration.opensNodePorts {
                let outcome = await listeners.update(to: plan.nodePorts)
                spawn { await self.report(outcome, events) }
                // Nothing tells when another program gives a port up.
                if listeners.hasRefusals, portRetry.map({ $0 <= .now }) ?? true {
                    portRetry = .now + .seconds(2)
                    spawn {
                        try? await ContinuousClock().sleep(for: .seconds(2))
                        retry()
                    }
                }
            }
            if plan.rules != applied {
                do {
                    try await datapath.apply(plan.rules)
                    applied = plan.rules
                    backoff.reset()
                } catch {
                    let pause = backoff.next()
                    spawn {
                        try? await ContinuousClock().sleep(for: pause)
                        retry()
                    }
                }
            }
            if applied != nil { readiness.set() }
        }
        await listeners.closeAll()
    }

    private func report(_ outcome: NodePortListeners.Outcome, _ events: EventRecorder) async {
        for refusal in outcome.refusals {
            guard let service = services.get(refusal.nodePort.service) else { continue }
            await events.record(service, .warning, reason: "NodePortUnavailable", message: refusal.message)
        }
        for nodePort in outcome.recoveries {
            guard let service = services.get(nodePort.service) else { continue }
            await events.record(
                service, .normal, reason: "NodePortAvailable", message: "Port \(nodePort.port) of this machine is open."
            )
        }
    }

    /// Listeners of our own on cluster IPs.
    private var reserved: Set<ServicePlan.ReservedSocket> {
        guard level != .simulated else { return [] }
        var reserved: Set = [ServicePlan.ReservedSocket(address: configuration.dnsAddress, port: 53)]
        if configuration.apiHostPort != nil {
            reserved.insert(
                ServicePlan.ReservedSocket(address: configuration.apiAddress, port: configuration.apiPort))
        }
        return reserved
    }

    /// Simulated pods send no packets: there is no network to listen in.
    private func openClusterSockets() async throws -> (dns: [any Channel], api: StreamForwarder.Listener?) {
        guard level != .simulated else { return ([], nil) }
        let channels = try await dns.start(on: datapath, address: configuration.dnsAddress, port: 53)
        guard configuration.apiHostPort != nil else { return (channels, nil) }
        do {
            let descriptor = try await datapath.listen(
                .tcp, address: configuration.apiAddress, port: configuration.apiPort)
            return (channels, try await forwarder.listen(on: descriptor))
        } catch {
            for channel in channels { try? await channel.close() }
            throw error
        }
    }
}

/// A flag that tasks can wait for.
private final class Readiness: Sendable {
    private struct State {
        var isSet = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }
    private let state = Mutex(State())

    func set() {
        let waiters = state.withLock { state in
            state.isSet = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isSet = state.withLock { state in
                if !state.isSet { state.waiters.append(continuation) }
                return state.isSet
            }
            if isSet { continuation.resume() }
        }
    }
}

public import ContainerRuntime
import ControllerKit
public import KubeClient
public import KubeModel
import NIOCore
public import ServiceLifecycle
import Synchronization

/// The network of a cluster: addresses of pods, Services, DNS, node ports, load balancers, policies.
///
/// It follows Services and EndpointSlices, works out from those that have changed what the network should be (`ServiceTable`,
/// `DNSZone`), and brings the datapath, the DNS server and the ports on the host in line, once per burst of changes.
/// NetworkPolicies, and the pods and namespaces that they select, are followed beside that, all of them each time (`PolicyPlan`).
public final class ClusterNetwork: Service {
    /// The addresses of pods, for each node.
    public let addresses: [PodAddressPool]

    private let client: any ClusterClient
    private let datapath: any NetworkDatapath
    private let level: RuntimeLevel
    private let configuration: ClusterNetworkConfiguration
    private let informers: NetworkInformers
    private let dns: DNSServer
    private let domain: DNSName
    private let forwarder: StreamForwarder
    private let readiness = Readiness()

    public init(
        client: any ClusterClient, datapath: any NetworkDatapath, level: RuntimeLevel,
        configuration: ClusterNetworkConfiguration = ClusterNetworkConfiguration(),
        informers: NetworkInformers? = nil
    ) {
        self.informers = informers ?? NetworkInformers(client: client)
        self.client = client
        self.datapath = datapath
        self.level = level
        self.configuration = configuration
        guard let domain = DNSName(configuration.domain) else {
            preconditionFailure("'\(configuration.domain)' is no domain name")
        }
        self.domain = domain
        let first = datapath.podNetwork ?? configuration.podNetwork(on: level)
        let size = UInt32(1) << UInt32(32 - configuration.podPrefixLength)
        addresses = configuration.nodeNames.indices.map { number in
            PodAddressPool(
                network: IPv4Address(first.number + UInt32(number) * size), prefixLength: configuration.podPrefixLength)
        }
        forwarder = StreamForwarder()
        dns = DNSServer(
            zone: DNSZone(domain: domain), eventLoops: forwarder.eventLoops,
            egress: level == .sandbox ? configuration.egress : .none)
    }

    /// Text of `/etc/resolv.conf` for a pod.
    public func resolverConfiguration(for pod: Pod) -> String {
        let cluster = ResolverConfiguration(
            server: configuration.dnsAddress, domain: configuration.domain, namespace: pod.namespace)
        return ResolverConfiguration(
            spec: pod.spec, cluster: cluster, host: ResolverConfiguration(parsing: HostFile.text("/etc/resolv.conf"))
        ).text
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
        let gateway = EgressGateway(
            egress: level == .sandbox ? configuration.egress : .none, address: configuration.gatewayAddress,
            port: configuration.egressPort)
        let wayOut = try await gateway.open(datapath, forwarder)
        await withDiscardingTaskGroup { group in
            if let api = channels.api, let port = configuration.apiHostPort {
                group.addTask { [forwarder] in
                    await forwarder.serve(api) { eventLoop in
                        try await StreamForwarder.dialHost("127.0.0.1", port: port, on: eventLoop)
                    }
                }
            }
            if let wayOut { group.addTask { [forwarder] in await gateway.serve(wayOut, forwarder) } }
            let (jobs, newJobs) = AsyncStream<@Sendable () async -> Void>.makeStream()
            group.addTask {
                await withDiscardingTaskGroup { group in
                    for await job in jobs { group.addTask { await job() } }
                }
            }
            for informer in informers.own { group.addTask { try? await informer.run() } }
            group.addTask { await self.followPolicies() }
            group.addTask { await self.followIngresses() }
            await followServices { newJobs.yield($0) }
            forwarder.closeAll()
        }
        for channel in channels.dns { try? await channel.close() }
    }

    private func followServices(
        spawn: @escaping @Sendable (@escaping @Sendable () async -> Void) -> Void
    ) async {
        let follower = ServiceFollower(
            client: client, datapath: datapath, dns: dns, domain: domain, eventLoops: forwarder.eventLoops,
            nodes: configuration.nodeNames.enumerated().map(ServicePlan.Node.init),
            opensHostPorts: configuration.opensNodePorts, reserved: reserved, spawn: spawn)
        let kinds = [informers.services, informers.endpointSlices, informers.pods]
        await Signals.followKeys(kinds) { changed, again in
            let objects = zip(kinds, changed).map { informer, keys in
                Dictionary(uniqueKeysWithValues: keys.map { ($0, informer.get($0)) })
            }
            let changes = ServiceFollower.Changes(services: objects[0], slices: objects[1], pods: objects[2])
            if await follower.update(changes, again: again) { self.readiness.set() }
        }
        await follower.close()
    }

    private func followPolicies() async {
        guard level == .sandbox else { return }
        var applied = PolicyRules()
        var backoff = Backoff()
        await Signals.follow([informers.networkPolicies, informers.pods, informers.namespaces]) { again in
            let plan = PolicyPlan(
                policies: self.informers.networkPolicies.list(), pods: self.informers.pods.list(),
                namespaces: self.informers.namespaces.list(), residents: self.residents)
            guard plan.rules != applied else { return }
            do {
                try await self.datapath.apply(plan.rules)
                applied = plan.rules
                backoff.reset()
            } catch {
                again(backoff.next())
            }
        }
    }

    private func followIngresses() async {
        guard level != .simulated else { return }
        let (informers, eventLoops) = (informers, forwarder.eventLoops)
        let dialer = IngressDialer(datapath: datapath, source: configuration.ingressAddress)
        let controller = IngressController(
            client: client, datapath: datapath, address: configuration.ingressAddress, informers: informers
        ) { try IngressProxy(dialer: dialer, eventLoops: eventLoops) }
        await withDiscardingTaskGroup { group in
            group.addTask { await dialer.run() }
            await Signals.follow([
                informers.ingresses, informers.ingressClasses, informers.services, informers.endpointSlices,
                informers.secrets,
            ]) { again in await controller.update(again: again) }
            await controller.close()
            group.cancelAll()
        }
    }

    /// What stands for pods in this process, as policies see it.
    private var residents: [PolicyPlan.Party] {
        guard let dns = IPv4Address(parsing: configuration.dnsAddress),
            let ingress = IPv4Address(parsing: configuration.ingressAddress)
        else { return [] }
        return [
            PolicyPlan.Party(
                address: dns, namespace: "kube-system", labels: ["k8s-app": "kube-dns"],
                ports: [
                    .init(name: "dns", number: 53, transport: "UDP"),
                    .init(name: "dns-tcp", number: 53, transport: "TCP"),
                ]),
            PolicyPlan.Party(
                address: ingress, namespace: IngressController.namespace, labels: IngressController.labels,
                ports: [
                    .init(name: "http", number: 80, transport: "TCP"),
                    .init(name: "https", number: 443, transport: "TCP"),
                ]),
        ]
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

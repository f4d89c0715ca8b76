import ContainerRuntime
import ControllerKit
import KubeClient
import KubeModel
import NIOCore

/// Brings rules, DNS, ports of the host and the status of load balancers in line with the Services that there are.
///
/// Owned by one task, which calls `update` once per burst of changes.
final class ServiceFollower {
    private let client: any ClusterClient
    private let datapath: any NetworkDatapath
    private let dns: DNSServer
    private let domain: DNSName
    private let opensHostPorts: Bool
    private let events: EventRecorder
    private let spawn: @Sendable (@escaping @Sendable () async -> Void) -> Void

    private let listeners: HostPortListeners
    private var table: ServiceTable
    private var ledger = BalancerLedger()
    private var applied: [ServiceRule]?
    private var opened: [ServicePlan.HostPort] = []
    private var backoff = Backoff()
    private var portRetry: ContinuousClock.Instant?
    /// What was said about ports that could not be opened, so that it is said once.
    private var told: [ServicePlan.HostPort.ID: String] = [:]
    /// The states of Services for which a status has been sent.
    private var written: [ObjectKey: String] = [:]

    init(
        client: any ClusterClient, datapath: any NetworkDatapath, dns: DNSServer, domain: DNSName,
        eventLoops: any EventLoopGroup, nodes: [ServicePlan.Node], opensHostPorts: Bool,
        reserved: Set<ServicePlan.ReservedSocket>,
        spawn: @escaping @Sendable (@escaping @Sendable () async -> Void) -> Void
    ) {
        self.client = client
        self.datapath = datapath
        self.dns = dns
        self.domain = domain
        self.opensHostPorts = opensHostPorts
        self.spawn = spawn
        table = ServiceTable(reserved: reserved, nodes: nodes)
        events = EventRecorder(client: client, component: "cluster-network")
        listeners = HostPortListeners(eventLoops: eventLoops, datapath: datapath, spawn: spawn)
    }

    /// What there is now at the keys of objects that have changed; nil: nothing any more.
    struct Changes {
        var services: [ObjectKey: KubeObject?] = [:]
        var slices: [ObjectKey: KubeObject?] = [:]
        var pods: [ObjectKey: KubeObject?] = [:]
    }

    /// Brings everything in line.
    ///
    /// - Parameter again: Asks for another call after a while.
    /// - Returns: Whether rules are in force, these or earlier ones.
    func update(_ changes: Changes, again: @escaping @Sendable (Duration) -> Void) async -> Bool {
        for (key, service) in changes.services { table.set(service: key, service) }
        for (key, slice) in changes.slices { table.set(slice: key, slice) }
        for (key, pod) in changes.pods { table.set(pod: key, pod) }
        if !changes.services.isEmpty { ledger.update(Array(table.services.values)) }
        table.set(balancers: ledger.addresses)
        let (plan, touched) = table.update()
        if opensHostPorts { await open(plan, again) }
        await apply(plan.rules, again)
        let names = touched.map { key in
            (key, table.services[key].map { ServiceNames($0, table.endpoints.slices(of: key), in: domain) })
        }
        dns.update { zone in for (key, names) in names { zone.set(key, to: names) } }
        if opensHostPorts {
            for key in touched.union(ledger.addresses.keys) {
                if let service = table.services[key] { writeBalancer(service, plan) }
            }
            for key in changes.services.keys where table.services[key] == nil { written[key] = nil }
        }
        return applied != nil
    }

    /// Closes the ports of the host.
    func close() async { await listeners.closeAll() }

    private func apply(_ rules: [ServiceRule], _ again: @Sendable (Duration) -> Void) async {
        guard rules != applied else { return }
        do {
            try await datapath.apply(rules)
            applied = rules
            backoff.reset()
        } catch {
            again(backoff.next())
        }
    }

    private func open(_ plan: ServicePlan, _ again: @escaping @Sendable (Duration) -> Void) async {
        guard plan.hostPorts != opened || listeners.hasRefusals else { return }
        opened = plan.hostPorts
        var outcome = await listeners.update(to: plan.hostPorts)
        // Another cluster's load balancer may have the address: this one's takes the next.
        let moved = Set(
            outcome.refusals.filter { $0.reason == .taken && $0.hostPort.kind.isBalancer }.map(\.hostPort.service)
        ).filter { key in table.services[key].map { ledger.move($0) } ?? false }
        outcome.refusals.removeAll { moved.contains($0.hostPort.service) && $0.hostPort.kind.isBalancer }
        if !moved.isEmpty { again(.zero) }
        outcome.refusals = outcome.refusals.filter { refusal in
            told.updateValue(refusal.message, forKey: refusal.hostPort.id) != refusal.message
        }
        for hostPort in outcome.recoveries { told[hostPort.id] = nil }
        let wanted = Set(plan.hostPorts.map(\.id))
        told = told.filter { wanted.contains($0.key) }
        if outcome != HostPortListeners.Outcome() {
            let byKey = table.services.mapValues(\.object)
            spawn { [outcome, events] in await Self.report(outcome, byKey, events) }
        }
        // Nothing tells when another program gives a port up.
        if listeners.hasRefusals, portRetry.map({ $0 <= .now }) ?? true {
            portRetry = .now + .seconds(2)
            again(.seconds(2))
        }
    }

    private static func report(
        _ outcome: HostPortListeners.Outcome, _ services: [ObjectKey: KubeObject], _ events: EventRecorder
    ) async {
        for refusal in outcome.refusals {
            guard let service = services[refusal.hostPort.service] else { continue }
            let reason = refusal.hostPort.kind.isBalancer ? "LoadBalancerUnavailable" : "NodePortUnavailable"
            await events.record(service, .warning, reason: reason, message: refusal.message)
        }
        for hostPort in outcome.recoveries {
            guard let service = services[hostPort.service] else { continue }
            let reason = hostPort.kind.isBalancer ? "LoadBalancerAvailable" : "NodePortAvailable"
            await events.record(
                service, .normal, reason: reason, message: "Port \(hostPort.port) of this machine is open.")
        }
    }

    /// Says in a Service's status at which address its load balancer answers, once it does; or that there is none.
    private func writeBalancer(_ service: KubeService, _ plan: ServicePlan) {
        guard service.type != "LoadBalancer" || BalancerLedger.isOurs(service) else { return }
        var address = ledger.addresses[service.key]
        let ports = plan.hostPorts.filter { $0.service == service.key && $0.kind.isBalancer }
        if ports.contains(where: { listeners.refusal(of: $0.id) != nil }) { address = nil }
        let wanted = BalancerLedger.status(address)
        let present = service.object.value[["status", "loadBalancer"]] ?? [:]
        guard present != wanted, written[service.key] != service.object.resourceVersion else { return }
        written[service.key] = service.object.resourceVersion
        var object = service.object
        object.value[["status", "loadBalancer"]] = wanted
        // A conflict means that the Service has changed, which leads to the next call.
        spawn { [client, object] in _ = try? await client.updateStatus(.services, object) }
    }
}

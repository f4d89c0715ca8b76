import ContainerRuntime
import KubeModel

/// What Services and EndpointSlices mean for the network: rules for packets of pods, and ports on the host.
///
/// Pure. `ServiceTable` keeps it up with changes.
struct ServicePlan: Equatable, Sendable {
    /// A port on the host that leads to a Service: a node port, or a port of a load balancer.
    struct HostPort: Equatable, Sendable {
        enum Kind: Hashable, Sendable {
            /// At 127.0.0.1 and what addresses there are besides.
            case node
            /// At the address of one node alone, whose own pods are behind it.
            case oneNode(IPv4Address)
            /// At an address of its own in 127.0.0.0/8.
            case balancer(IPv4Address)

            var isBalancer: Bool { if case .balancer = self { true } else { false } }
        }

        struct ID: Hashable, Sendable {
            var kind: Kind
            var port: Int
            var transport: TransportProtocol
        }

        var kind = Kind.node
        /// Where it is, for pods and for this machine.
        var addresses: [IPv4Address]
        var port: Int
        var transport = TransportProtocol.tcp
        var service: ObjectKey
        /// Changes with the Service: a port that could not be opened is tried again then.
        var resourceVersion: String
        var backends: [ServiceRule.Backend]
        /// For how long a client stays with its backend; 0: not at all.
        var affinitySeconds = 0

        var id: ID { ID(kind: kind, port: port, transport: transport) }
    }

    struct Node: Hashable, Sendable {
        var name: String
        /// Where its ports are.
        var address: IPv4Address
        /// Where packets of its pods come from.
        var sources: [IPv4Address]

        /// A node of a cluster, counted from 0.
        init(number: Int, name: String) {
            self.name = name
            address = NodeNetwork.address(ofNode: number)
            sources = [NodeNetwork.pods(ofNode: number)] + (number == 0 ? NodeNetwork.ownSources : [])
        }
    }

    /// Where a port of a Service is besides its cluster IP.
    private struct Place {
        var kind: HostPort.Kind
        var addresses: [IPv4Address]
        var port: Int
        var backends: [ServiceRule.Backend]
    }

    /// Sorted, so that equal plans are equal.
    private(set) var rules: [ServiceRule] = []
    private(set) var hostPorts: [HostPort] = []

    /// The labels of Services that kube-proxy leaves alone.
    private static let foreign = ["service.kubernetes.io/service-proxy-name", "service.kubernetes.io/headless"]

    init() {}

    /// Works out the plan for all objects.
    ///
    /// No rule takes traffic from `reserved`, where listeners of our own are (DNS, the API).
    /// `balancers` has the addresses of Services of type LoadBalancer; node ports are on every one of `nodes`, and `pods` may want
    /// ports of theirs.
    init(
        services: [KubeObject], slices: [KubeObject], pods: [KubeObject] = [], reserved: Set<ReservedSocket> = [],
        balancers: [ObjectKey: IPv4Address] = [:],
        nodes: [Node] = [Node(number: 0, name: "velocity")]
    ) {
        let endpoints = EndpointIndex(slices)
        for service in services.map(KubeService.init).sorted(by: { $0.key < $1.key }) {
            append(
                ServicePlan(
                    service, endpoints, reserved: reserved, balancer: balancers[service.key], nodes: nodes))
        }
        append(pods.map(Pod.init).sorted { $0.uid < $1.uid }.flatMap(Self.rules))
    }

    /// The part of one Service.
    init(
        _ service: KubeService, _ endpoints: EndpointIndex, reserved: Set<ReservedSocket>, balancer: IPv4Address?,
        nodes: [Node]
    ) {
        // Another proxy looks after it, or none.
        if Self.foreign.contains(where: { service.object.labels[$0] != nil }) { return }
        for port in service.ports {
            guard let transport = TransportProtocol(rawValue: port.transport) else { continue }
            let backends = endpoints.backends(of: service.key, port: port.name, transport: transport)
            var places: [Place] = []
            if let number = port.nodePort, Self.hasNodePorts.contains(service.type) {
                let isLocal = service.spec["externalTrafficPolicy"] == "Local" && nodes.count > 1
                places = [
                    Place(kind: .node, addresses: isLocal ? [] : nodes.map(\.address), port: number, backends: backends)
                ]
                for node in nodes where isLocal {
                    let own = endpoints.backends(
                        of: service.key, port: port.name, transport: transport, onNode: node.name)
                    places.append(
                        Place(kind: .oneNode(node.address), addresses: [node.address], port: number, backends: own))
                }
            }
            if let balancer {
                places.append(
                    Place(kind: .balancer(balancer), addresses: [balancer], port: port.port, backends: backends))
            }
            let sockets =
                ([service.clusterIP] + service.externalIPs).map { ($0, port.port, backends) }
                + places.flatMap { place in place.addresses.map { ($0.description, place.port, place.backends) } }
            let isNear = service.spec["internalTrafficPolicy"] == "Local" && nodes.count > 1 && !backends.isEmpty
            for (address, number, backends) in sockets
            where IPv4Address(parsing: address) != nil
                && !reserved.contains(ReservedSocket(address: address, port: number))
            {
                let rule = ServiceRule(
                    address: address, port: number, transport: transport, backends: backends,
                    affinitySeconds: service.affinitySeconds)
                rules +=
                    isNear && address == service.clusterIP
                    ? nodes.flatMap { node in
                        var own = rule
                        own.backends = endpoints.backends(
                            of: service.key, port: port.name, transport: transport, onNode: node.name)
                        return node.sources.map { source in
                            own.source = source
                            return own
                        }
                    } : [rule]
            }
            hostPorts += places.map { place in
                HostPort(
                    kind: place.kind, addresses: place.addresses, port: place.port, transport: transport,
                    service: service.key, resourceVersion: service.object.resourceVersion, backends: place.backends,
                    affinitySeconds: service.affinitySeconds)
            }
        }
    }

    mutating func append(_ part: ServicePlan) {
        rules += part.rules
        hostPorts += part.hostPorts
    }

    mutating func append(_ more: [ServiceRule]) { rules += more }

    /// What leads to the ports that a pod wants of the node; in the node's network it has them without.
    static func rules(for pod: Pod) -> [ServiceRule] {
        guard !pod.isTerminal, pod.spec["hostNetwork"] != true, !pod.podIP.isEmpty else { return [] }
        return pod.hostPorts.flatMap { port -> [ServiceRule] in
            guard let transport = TransportProtocol(rawValue: port.transport) else { return [] }
            let own = [pod.object.value[["status", "hostIP"]]?.string ?? "", "127.0.0.1"]
            return (port.address == "0.0.0.0" ? own : [port.address]).map { address in
                ServiceRule(
                    address: address, port: port.number, transport: transport,
                    backends: [.init(address: pod.podIP, port: port.containerPort)])
            }
        }
    }

    private static let hasNodePorts: Set = ["NodePort", "LoadBalancer"]

    struct ReservedSocket: Hashable, Sendable {
        var address: String
        var port: Int
    }
}

extension KubeService {
    /// Addresses outside the cluster that lead to the Service for those inside of it.
    fileprivate var externalIPs: [String] {
        type == "ExternalName" ? [] : (spec["externalIPs"]?.array ?? []).compactMap(\.string)
    }

    /// Seconds of `sessionAffinity: ClientIP`; 0 without it.
    fileprivate var affinitySeconds: Int {
        guard spec["sessionAffinity"] == "ClientIP" else { return 0 }
        return spec[["sessionAffinityConfig", "clientIP", "timeoutSeconds"]]?.int ?? 10_800
    }
}

import ContainerRuntime
import KubeModel

/// What Services and EndpointSlices mean for the network: rules for packets of pods, and ports on the host.
///
/// Pure: made anew from all objects whenever one of them changed, and compared with what was there before.
struct ServicePlan: Equatable, Sendable {
    /// A port on the host that leads to a Service: a node port, or a port of a load balancer.
    struct HostPort: Equatable, Sendable {
        enum Kind: Hashable, Sendable {
            case node
            /// At an address of its own in 127.0.0.0/8.
            case balancer(IPv4Address)
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

    /// Sorted, so that equal plans are equal.
    private(set) var rules: [ServiceRule] = []
    private(set) var hostPorts: [HostPort] = []

    /// Works out the plan.
    ///
    /// No rule takes traffic from `reserved`, where listeners of our own are (DNS, the API).
    /// `balancers` has the addresses of Services of type LoadBalancer; node ports are on every one of `nodes`.
    init(
        services: [KubeObject], slices: [KubeObject], reserved: Set<ReservedSocket> = [],
        balancers: [ObjectKey: IPv4Address] = [:], nodes: [IPv4Address] = [NodeNetwork.address(ofNode: 0)]
    ) {
        let endpoints = EndpointIndex(slices)
        for service in services.map(KubeService.init).sorted(by: { $0.key < $1.key }) {
            for port in service.ports {
                guard let transport = TransportProtocol(rawValue: port.transport) else { continue }
                let backends = endpoints.backends(of: service.key, port: port.name, transport: transport)
                var places: [(HostPort.Kind, [IPv4Address], Int)] = []
                if let number = port.nodePort, Self.hasNodePorts.contains(service.type) {
                    places = [(.node, nodes, number)]
                }
                if let address = balancers[service.key] { places.append((.balancer(address), [address], port.port)) }
                let sockets =
                    ([service.clusterIP] + service.externalIPs).map { ($0, port.port) }
                    + places.flatMap { _, addresses, number in addresses.map { ($0.description, number) } }
                for (address, number) in sockets
                where IPv4Address(parsing: address) != nil
                    && !reserved.contains(ReservedSocket(address: address, port: number))
                {
                    rules.append(
                        ServiceRule(
                            address: address, port: number, transport: transport, backends: backends,
                            affinitySeconds: service.affinitySeconds))
                }
                hostPorts += places.map { kind, addresses, number in
                    HostPort(
                        kind: kind, addresses: addresses, port: number, transport: transport, service: service.key,
                        resourceVersion: service.object.resourceVersion, backends: backends,
                        affinitySeconds: service.affinitySeconds)
                }
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

/// The endpoints of all Services, grouped by Service.
struct EndpointIndex: Sendable {
    struct Endpoint: Sendable {
        var address: IPv4Address
        var hostName: String?
        var isReady: Bool
        var isServing: Bool
        var isTerminating: Bool
    }

    struct Slice: Sendable {
        var ports: [(name: String, number: Int, transport: String)]
        var endpoints: [Endpoint]
    }

    private var slices: [ObjectKey: [Slice]] = [:]

    init(_ objects: [KubeObject]) {
        for object in objects {
            guard let service = object.labels["kubernetes.io/service-name"],
                (object.value["addressType"]?.string ?? "IPv4") == "IPv4"
            else { continue }
            slices[ObjectKey(namespace: object.namespace, name: service), default: []].append(Slice(object.value))
        }
    }

    func slices(of service: ObjectKey) -> [Slice] { slices[service] ?? [] }

    /// Where traffic for a port goes: to ready endpoints; with none of them, to those that still serve while they end.
    func backends(of service: ObjectKey, port: String, transport: TransportProtocol) -> [ServiceRule.Backend] {
        var ready: Set<Pair> = []
        var leaving: Set<Pair> = []
        for slice in slices(of: service) {
            let match = slice.ports.first { $0.name == port && $0.transport == transport.rawValue }
            guard let number = match?.number else { continue }
            for endpoint in slice.endpoints {
                let pair = Pair(address: endpoint.address, port: number)
                if endpoint.isReady {
                    ready.insert(pair)
                } else if endpoint.isServing, endpoint.isTerminating {
                    leaving.insert(pair)
                }
            }
        }
        return (ready.isEmpty ? leaving : ready).sorted { ($0.address, $0.port) < ($1.address, $1.port) }
            .map { ServiceRule.Backend(address: $0.address.description, port: $0.port) }
    }

    private struct Pair: Hashable {
        var address: IPv4Address
        var port: Int
    }
}

extension EndpointIndex.Slice {
    fileprivate init(_ value: JSONValue) {
        ports = (value["ports"]?.array ?? []).compactMap { port in
            guard let number = port["port"]?.int else { return nil }
            return (port["name"]?.string ?? "", number, port["protocol"]?.string ?? "TCP")
        }
        endpoints = (value["endpoints"]?.array ?? []).flatMap { endpoint in
            // The API: a condition that is not set counts as true, terminating as false.
            let isReady = endpoint[["conditions", "ready"]]?.bool ?? true
            let isServing = endpoint[["conditions", "serving"]]?.bool ?? isReady
            let isTerminating = endpoint[["conditions", "terminating"]]?.bool ?? false
            return (endpoint["addresses"]?.array ?? []).compactMap { address in
                address.string.flatMap { IPv4Address(parsing: $0) }.map {
                    EndpointIndex.Endpoint(
                        address: $0, hostName: endpoint["hostname"]?.string, isReady: isReady, isServing: isServing,
                        isTerminating: isTerminating)
                }
            }
        }
    }
}

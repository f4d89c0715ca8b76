import ContainerRuntime
import KubeModel

/// What Services and EndpointSlices mean for the network: rules for cluster IPs, and ports on the host.
///
/// Pure: made anew from all objects whenever one of them changed, and compared with what was there before.
struct ServicePlan: Equatable, Sendable {
    /// A port on the host that leads to a Service.
    struct NodePort: Equatable, Sendable {
        var port: Int
        var service: ObjectKey
        /// Changes with the Service: a port that could not be opened is tried again then.
        var resourceVersion: String
        var backends: [ServiceRule.Backend]
    }

    /// Sorted, so that equal plans are equal.
    private(set) var rules: [ServiceRule] = []
    private(set) var nodePorts: [NodePort] = []

    /// Works out the plan.
    ///
    /// No rule takes traffic from `reserved`, where listeners of our own are (DNS, the API).
    init(services: [KubeObject], slices: [KubeObject], reserved: Set<ReservedSocket> = []) {
        let endpoints = EndpointIndex(slices)
        for service in services.map(KubeService.init).sorted(by: { $0.key < $1.key }) {
            for port in service.ports {
                guard let transport = TransportProtocol(rawValue: port.transport) else { continue }
                let backends = endpoints.backends(of: service.key, port: port.name, transport: transport)
                if IPv4Address(parsing: service.clusterIP) != nil,
                    !reserved.contains(ReservedSocket(address: service.clusterIP, port: port.port))
                {
                    rules.append(
                        ServiceRule(
                            address: service.clusterIP, port: port.port, transport: transport, backends: backends))
                }
                if let number = port.nodePort, transport == .tcp, Self.hasNodePorts.contains(service.type) {
                    nodePorts.append(
                        NodePort(
                            port: number, service: service.key, resourceVersion: service.object.resourceVersion,
                            backends: backends))
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

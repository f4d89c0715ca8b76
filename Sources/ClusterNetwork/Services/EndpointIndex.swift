import ContainerRuntime
import KubeModel

/// The endpoints of all Services, grouped by Service.
struct EndpointIndex: Sendable {
    struct Endpoint: Sendable {
        var address: IPv4Address
        var hostName: String?
        var nodeName: String?
        var isReady: Bool
        var isServing: Bool
        var isTerminating: Bool
    }

    struct Slice: Sendable {
        fileprivate var service: ObjectKey
        var ports: [(name: String, number: Int, transport: String)]
        var endpoints: [Endpoint]
    }

    private var slices: [ObjectKey: Slice] = [:]
    /// The keys of each Service's slices.
    private var keys: [ObjectKey: [ObjectKey]] = [:]

    init(_ objects: [KubeObject] = []) { for object in objects { set(ObjectKey(object), object) } }

    /// Takes in the slice at a key; nil stands for one that is not there.
    ///
    /// - Returns: The Services whose slices have changed by it.
    @discardableResult
    mutating func set(_ key: ObjectKey, _ object: KubeObject?) -> [ObjectKey] {
        let new = object.flatMap(Slice.init)
        let old = slices[key]
        slices[key] = new
        if let old, old.service != new?.service { keys[old.service]?.removeAll { $0 == key } }
        if let new, old?.service != new.service {
            let place = keys[new.service, default: []].firstIndex { key < $0 }
            keys[new.service, default: []].insert(key, at: place ?? keys[new.service, default: []].count)
        }
        if let old, keys[old.service]?.isEmpty == true { keys[old.service] = nil }
        return [old?.service, new?.service].compactMap(\.self)
    }

    /// In the order of their names.
    func slices(of service: ObjectKey) -> [Slice] { (keys[service] ?? []).compactMap { slices[$0] } }

    /// Where traffic for a port goes: to ready endpoints; with none of them, to those that still serve while they end.
    ///
    /// - Parameter node: Only those on this node; nil: on any.
    func backends(
        of service: ObjectKey, port: String, transport: TransportProtocol, onNode node: String? = nil
    ) -> [ServiceRule.Backend] {
        var ready: Set<Pair> = []
        var leaving: Set<Pair> = []
        for slice in slices(of: service) {
            let match = slice.ports.first { $0.name == port && $0.transport == transport.rawValue }
            guard let number = match?.number else { continue }
            for endpoint in slice.endpoints where node == nil || endpoint.nodeName == node {
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
    /// Nil for a slice of no Service, or of addresses that are not IPv4.
    fileprivate init?(_ object: KubeObject) {
        let value = object.value
        guard let name = object.labels["kubernetes.io/service-name"],
            (value["addressType"]?.string ?? "IPv4") == "IPv4"
        else { return nil }
        service = ObjectKey(namespace: object.namespace, name: name)
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
                        address: $0, hostName: endpoint["hostname"]?.string,
                        nodeName: endpoint["nodeName"]?.string, isReady: isReady, isServing: isServing,
                        isTerminating: isTerminating)
                }
            }
        }
    }
}

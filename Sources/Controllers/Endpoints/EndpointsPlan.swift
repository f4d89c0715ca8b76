import KubeModel

/// Which pods stand behind a Service, and on which ports.
struct EndpointsPlan: Equatable, Sendable {
    struct Address: Equatable, Sendable {
        var ip: String
        var node: String
        var pod: String
        var namespace: String
        var uid: String
        var hostName: String?
        var isReady: Bool
        /// The pod says that it is ready, whatever the Service makes of that and even on its way out.
        var isServing: Bool
        var isTerminating: Bool
    }

    struct Port: Hashable, Sendable {
        var name: String
        var number: Int
        var transport: String
    }

    /// Pods that listen on the same ports, in the order of their names.
    struct Group: Equatable, Sendable {
        var ports: [Port]
        var addresses: [Address]
    }

    private(set) var groups: [Group] = []

    init(service: KubeService, pods: [Pod]) {
        guard let selector = service.selector else { return }
        for pod in pods.sorted(by: { $0.name < $1.name }) {
            guard selector.matches(pod.object.labels), !pod.isTerminal, !pod.podIP.isEmpty else { continue }
            let ports = service.ports.compactMap { port in
                port.target(in: pod).map { Port(name: port.name, number: $0, transport: port.transport) }
            }
            if ports.isEmpty, !service.ports.isEmpty { continue }
            let address = Address(
                ip: pod.podIP, node: pod.nodeName, pod: pod.name, namespace: pod.object.namespace ?? "", uid: pod.uid,
                hostName: Self.hostName(pod, service),
                isReady: service.publishesNotReady || (pod.isReady && !pod.object.isBeingDeleted),
                isServing: pod.isReady, isTerminating: pod.object.isBeingDeleted)
            if let index = groups.firstIndex(where: { $0.ports == ports }) {
                groups[index].addresses.append(address)
            } else {
                groups.append(Group(ports: ports, addresses: [address]))
            }
        }
    }

    /// A pod has a name of its own in DNS when it names the Service as its subdomain.
    private static func hostName(_ pod: Pod, _ service: KubeService) -> String? {
        guard pod.spec["subdomain"]?.string == service.object.name else { return nil }
        return pod.spec["hostname"]?.string
    }

    /// `subsets` of the Endpoints object: pods on their way out do not appear, unless the Service publishes every pod.
    ///
    /// The addresses are in the order of their text, as Kubernetes has them.
    var subsets: JSONValue {
        .array(
            groups.compactMap { group in
                let present = group.addresses.filter { !$0.isTerminating || $0.isReady }.sorted { $0.ip < $1.ip }
                guard !present.isEmpty else { return nil }
                var subset: JSONValue = [:]
                let ready = present.filter(\.isReady).map(\.endpointsValue)
                let waiting = present.filter { !$0.isReady }.map(\.endpointsValue)
                if !ready.isEmpty { subset["addresses"] = .array(ready) }
                if !waiting.isEmpty { subset["notReadyAddresses"] = .array(waiting) }
                if !group.ports.isEmpty { subset["ports"] = .array(group.ports.map(\.value)) }
                return subset
            })
    }

    /// Contents of EndpointSlices: at most 100 endpoints each, as Kubernetes' default is.
    var slices: [(ports: JSONValue, endpoints: JSONValue)] {
        groups.flatMap { group in
            stride(from: 0, to: group.addresses.count, by: 100).map { start in
                let part = group.addresses[start..<min(start + 100, group.addresses.count)]
                return (.array(group.ports.map(\.value)), .array(part.map(\.sliceValue)))
            }
        }
    }
}

extension EndpointsPlan.Port {
    fileprivate var value: JSONValue {
        var value: JSONValue = name.isEmpty ? [:] : ["name": .string(name)]
        value["port"] = JSONValue(number)
        value["protocol"] = .string(transport)
        return value
    }
}

extension EndpointsPlan.Address {
    private var reference: JSONValue {
        ["kind": "Pod", "name": .string(pod), "namespace": .string(namespace), "uid": .string(uid)]
    }

    fileprivate var endpointsValue: JSONValue {
        var value: JSONValue = ["ip": .string(ip)]
        if let hostName { value["hostname"] = .string(hostName) }
        value["nodeName"] = .string(node)
        value["targetRef"] = reference
        return value
    }

    fileprivate var sliceValue: JSONValue {
        var value: JSONValue = [
            "addresses": [.string(ip)],
            "conditions": ["ready": .bool(isReady), "serving": .bool(isServing), "terminating": .bool(isTerminating)],
        ]
        if let hostName { value["hostname"] = .string(hostName) }
        value["nodeName"] = .string(node)
        value["targetRef"] = reference
        return value
    }
}

import ContainerRuntime
import KubeModel

/// The names that one Service has, and its endpoints behind it (Kubernetes DNS-Based Service Discovery, version 1.1).
struct ServiceNames: Equatable, Sendable {
    /// The name of the Service itself: it exists, whether there are records or not.
    private(set) var name: DNSName?
    private(set) var records: [DNSRecord] = []

    init(_ service: KubeService, _ slices: [EndpointIndex.Slice], in domain: DNSName) {
        let name = domain.prefixed(service.object.name, service.object.namespace ?? "default", "svc")
        if service.isHeadless {
            self.name = name
            addHeadless(name, slices)
            addEndpoints(name, slices)
        } else if service.type == "ExternalName" {
            guard let target = service.spec["externalName"]?.string.flatMap({ DNSName($0) }) else { return }
            self.name = name
            add(DNSRecord(name: name, content: .cname(target)))
        } else if let address = IPv4Address(parsing: service.clusterIP) {
            self.name = name
            addClusterIP(service, name, address)
            addEndpoints(name, slices)
        }
        var seen: Set<DNSRecord> = []
        records.removeAll { !seen.insert($0).inserted }
    }

    private mutating func addClusterIP(_ service: KubeService, _ name: DNSName, _ address: IPv4Address) {
        add(DNSRecord(name: name, content: .a(address)))
        add(DNSRecord(name: address.reverseName, content: .ptr(name)))
        for port in service.ports { addPort(port.name, port.transport, name, number: port.port, target: name) }
    }

    /// A headless Service answers with its pods.
    private mutating func addHeadless(_ name: DNSName, _ slices: [EndpointIndex.Slice]) {
        for slice in slices {
            for endpoint in slice.endpoints where endpoint.isReady {
                add(DNSRecord(name: name, content: .a(endpoint.address)))
                for port in slice.ports {
                    let own = name.prefixed(endpoint.label)
                    addPort(port.name, port.transport, name, number: port.number, target: own)
                }
            }
        }
    }

    /// Each pod behind a Service has a name of its own below it, and its address leads back to that.
    private mutating func addEndpoints(_ name: DNSName, _ slices: [EndpointIndex.Slice]) {
        for slice in slices {
            for endpoint in slice.endpoints where endpoint.isReady {
                let own = name.prefixed(endpoint.label)
                add(DNSRecord(name: own, content: .a(endpoint.address)))
                add(DNSRecord(name: endpoint.address.reverseName, content: .ptr(own)))
            }
        }
    }

    private mutating func addPort(
        _ port: String, _ transport: String, _ service: DNSName, number: Int, target: DNSName
    ) {
        guard let number = UInt16(exactly: number) else { return }
        let content = DNSRecord.Content.srv(weight: 100, port: number, target: target)
        // Asked by the Service's name alone, all ports answer, also those that have no name.
        add(DNSRecord(name: service, content: content))
        guard !port.isEmpty else { return }
        add(DNSRecord(name: service.prefixed("_\(port)", "_\(transport.lowercased())"), content: content))
    }

    private mutating func add(_ record: DNSRecord) { records.append(record) }
}

extension EndpointIndex.Endpoint {
    /// The pod's host name where it has one in the Service, else its address with dashes.
    fileprivate var label: String { hostName ?? String(address.description.map { $0 == "." ? "-" : $0 }) }
}

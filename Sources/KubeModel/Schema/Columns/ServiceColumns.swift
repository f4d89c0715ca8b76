/// The columns of `kubectl get services`.
enum ServiceColumns {
    static let all: [PrinterColumn] = [
        .name,
        .value("Type", ["spec", "type"], "From where the Service is reached."),
        .computed("Cluster-IP", "Address in the cluster.") { service, _ in
            let first = service.value[["spec", "clusterIPs"]]?.array?.first ?? service.value[["spec", "clusterIP"]]
            return JSONValue.isEmpty(first) ? "<none>" : first ?? "<none>"
        },
        .computed("External-IP", "Address from outside.") { service, _ in .string(externalAddress(service)) },
        .computed("Port(s)", "Ports of the Service, with the node ports.") { service, _ in .string(ports(service)) },
        .age,
        .wide("Selector", "Labels of the pods that the Service stands for.") { service, _ in
            let labels = service.value[["spec", "selector"]]?.object ?? [:]
            let pairs = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.string ?? "")" }
            return .string(pairs.isEmpty ? "<none>" : pairs.joined(separator: ","))
        },
    ]

    private static func externalAddress(_ service: KubeObject) -> String {
        let spec = service.value["spec"]
        let external = spec?["externalIPs"]?.array?.compactMap(\.string) ?? []
        switch spec?["type"]?.string ?? "" {
        case "LoadBalancer":
            let ways = service.value[["status", "loadBalancer", "ingress"]]?.array ?? []
            let addresses = ways.compactMap { way -> String? in
                if let ip = way["ip"]?.string, !ip.isEmpty { return ip }
                return way["hostname"]?.string
            }
            let all = addresses + external
            return all.isEmpty ? "<pending>" : all.joined(separator: ",")
        case "ExternalName": return spec?["externalName"]?.string ?? ""
        default: return external.isEmpty ? "<none>" : external.joined(separator: ",")
        }
    }

    private static func ports(_ service: KubeObject) -> String {
        let ports = (service.value[["spec", "ports"]]?.array ?? []).map { port in
            let number = port["port"]?.int ?? 0
            let nodePort = port["nodePort"]?.int ?? 0
            let protocolName = port["protocol"]?.string ?? ""
            return nodePort > 0 ? "\(number):\(nodePort)/\(protocolName)" : "\(number)/\(protocolName)"
        }
        return ports.isEmpty ? "<none>" : ports.joined(separator: ",")
    }
}

import KubeModel

/// The contents of the EndpointSlices that say what an Endpoints object says.
///
/// Source: Kubernetes docs, "EndpointSlice mirroring".
struct EndpointsMirror: Equatable, Sendable {
    /// One slice: addresses of one family behind the same ports.
    struct Slice: Equatable, Sendable {
        var addressType: String
        var ports: JSONValue
        var endpoints: [JSONValue]
    }

    private(set) var slices: [Slice] = []

    /// Addresses beyond these are left out, of each subset.
    static let addressesMax = 1000

    init(_ endpoints: KubeObject) {
        for subset in endpoints.value["subsets"]?.array ?? [] {
            let ports = JSONValue.array((subset["ports"]?.array ?? []).map(Self.port))
            var addresses = (subset["addresses"]?.array ?? []).map { ($0, true) }
            addresses += (subset["notReadyAddresses"]?.array ?? []).map { ($0, false) }
            for (address, isReady) in addresses.prefix(Self.addressesMax) {
                guard let ip = address["ip"]?.string else { continue }
                add(Self.endpoint(address, isReady: isReady), ip.contains(":") ? "IPv6" : "IPv4", ports)
            }
        }
    }

    private mutating func add(_ endpoint: JSONValue, _ addressType: String, _ ports: JSONValue) {
        if let index = slices.firstIndex(where: { $0.addressType == addressType && $0.ports == ports }) {
            slices[index].endpoints.append(endpoint)
        } else {
            slices.append(Slice(addressType: addressType, ports: ports, endpoints: [endpoint]))
        }
    }

    private static func port(_ port: JSONValue) -> JSONValue {
        var value: JSONValue = ["name": port["name"] ?? "", "protocol": port["protocol"] ?? "TCP"]
        value["port"] = port["port"]
        if let application = port["appProtocol"] { value["appProtocol"] = application }
        return value
    }

    private static func endpoint(_ address: JSONValue, isReady: Bool) -> JSONValue {
        var value: JSONValue = ["addresses": [address["ip"] ?? ""], "conditions": ["ready": .bool(isReady)]]
        for name in ["hostname", "targetRef", "nodeName"] {
            if let present = address[name] { value[name] = present }
        }
        return value
    }
}

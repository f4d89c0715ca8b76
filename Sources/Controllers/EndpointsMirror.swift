import KubeModel

/// What the Endpoints of a Service without selector, which somebody wrote by hand, come to as EndpointSlices.
///
/// Source: Kubernetes docs, "EndpointSlices", mirroring.
struct EndpointsMirror {
    static let manager = "endpointslicemirroring-controller.k8s.io"

    let endpoints: KubeObject

    /// Nil for Endpoints that are not to be mirrored.
    init?(_ endpoints: KubeObject) {
        guard endpoints.labels["endpointslice.kubernetes.io/skip-mirror"] != "true",
            endpoints.annotations["control-plane.alpha.kubernetes.io/leader"] == nil
        else { return nil }
        self.endpoints = endpoints
    }

    /// Contents of EndpointSlices: one for each subset, of at most 1000 addresses.
    var slices: [(ports: JSONValue, endpoints: JSONValue)] {
        (endpoints.value["subsets"]?.array ?? []).compactMap { subset in
            let all = entries(subset["addresses"], isReady: true) + entries(subset["notReadyAddresses"], isReady: false)
            guard !all.isEmpty else { return nil }
            return (subset["ports"] ?? [], .array(Array(all.prefix(1000))))
        }
    }

    private func entries(_ addresses: JSONValue?, isReady: Bool) -> [JSONValue] {
        (addresses?.array ?? []).compactMap { address in
            // The slices are those of IPv4.
            guard let ip = address["ip"]?.string, !ip.contains(":") else { return nil }
            var entry: JSONValue = ["addresses": [.string(ip)], "conditions": ["ready": .bool(isReady)]]
            for member in ["hostname", "nodeName", "targetRef"] { entry[member] = address[member] }
            return entry
        }
    }
}

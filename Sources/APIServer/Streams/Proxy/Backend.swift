import KubeClient
import KubeModel
import ObjectStore

/// A port of a pod, to which the server itself connects.
struct Backend: Sendable {
    let pod: KubeObject
    let port: Int
    let agent: any NodeAgent

    /// A connected socket; 503 with what the port said when nobody listens.
    func connect() async throws(Status) -> Int32 {
        do throws(Status) {
            return try await agent.connect(to: pod, port: port)
        } catch {
            // A node speaks of its own ways to get there; who asks wants to know what the port said.
            let isRefused = error.message.contains("connection refused")
            let address = pod.value[["status", "podIP"]]?.string ?? ""
            throw .unavailable(
                isRefused ? "dial tcp \(address):\(port): connect: connection refused" : error.message)
        }
    }
}

extension Registry {
    /// A port of a pod by its number; 503 when there is no way to it.
    func backend(_ pod: KubeObject, port: String) throws(Status) -> Backend {
        guard let number = UInt16(port), number > 0 else {
            throw .unreachable("dial tcp: lookup tcp/\(port): unknown port")
        }
        guard let node = pod.value[["spec", "nodeName"]]?.string, let agent = nodes[node] else {
            throw .unreachable("the pod's node does not answer")
        }
        return Backend(pod: pod, port: Int(number), agent: agent)
    }

    /// A ready pod behind a Service, chosen at random.
    ///
    /// - Parameters:
    ///   - port: The Service's port, by number or name.
    ///   - shownName: How the refusal names the Service; nil for its name.
    func backend(
        behind name: String, in namespace: String?, port: String, shownName: String? = nil
    ) async throws(Status) -> Backend {
        var portName = port
        if let number = Int(port) {
            let ports = try await object(.services, namespace, name).value[["spec", "ports"]]?.array ?? []
            guard let found = ports.first(where: { $0["port"]?.int == number }) else {
                throw .unavailable("no service port \(number) found for service \"\(name)\"")
            }
            portName = found["name"]?.string ?? ""
        }
        let subsets = try await object(.endpoints, namespace, name).value["subsets"]?.array ?? []
        if subsets.isEmpty { throw .unavailable("no endpoints available for service \"\(name)\"") }
        for subset in subsets.shuffled() {
            let ports = subset["ports"]?.array ?? []
            guard let port = ports.first(where: { ($0["name"]?.string ?? "") == portName })?["port"]?.int else {
                continue
            }
            for address in (subset["addresses"]?.array ?? []).shuffled() {
                // Only addresses that are pods: the API server is no way into other networks.
                guard address[["targetRef", "kind"]]?.string == "Pod",
                    let target = address[["targetRef", "name"]]?.string,
                    let pod = try? await object(.pods, namespace, target)
                else { continue }
                return try backend(pod, port: "\(port)")
            }
        }
        throw .unavailable("no endpoints available for service \"\(shownName ?? name)\"")
    }

    /// A ready pod behind a Service that a webhook or an API is served by.
    func backend(behind service: ServiceReference) async throws(Status) -> Backend {
        do throws(Status) {
            return try await backend(behind: service.name, in: service.namespace, port: "\(service.port)")
        } catch {
            guard error.isNotFound else { throw error }
            throw .unavailable("service \(GoText.quote(service.name)) not found")
        }
    }

    private func object(
        _ resource: ResourceType, _ namespace: String?, _ name: String
    ) async throws(Status) -> KubeObject {
        try await get(Target(kind: try kind(of: resource), namespace: namespace, name: name)).object
    }
}

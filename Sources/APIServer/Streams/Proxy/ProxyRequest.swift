import KubeClient
import KubeModel
import NIOCore
import NIOHTTP1
import NIOPosix
import ObjectStore

/// A request that is passed on to a program in a pod, found by the pod's own name or behind a Service.
struct ProxyRequest {
    let registry: Registry
    let path: ResourcePath
    let request: APIRequest

    /// Where a request goes.
    struct Backend {
        let pod: KubeObject
        let port: Int
        let isTLS: Bool
        let agent: any NodeAgent
    }

    private static let methods: Set = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]

    func answer() async throws(Status) -> APIResponse {
        guard Self.methods.contains(request.method) else { throw .methodNotAllowed }
        let proxyPath = ProxyPath(request.path, depth: path.namespace == nil ? 5 : 7)
        if path.plural == "nodes" {
            return try await NodeProxy(registry: registry, request: request).answer(path, proxyPath)
        }
        let backend = try findBackend()
        let upgrade = request.wantsUpgrade ? request.values(of: "upgrade").first : nil
        if proxyPath.rest.isEmpty, upgrade == nil, ["GET", "HEAD"].contains(request.method) {
            // Relative links of a page would miss the last part of the path.
            let query = request.uri.contains("?") ? "?" + request.uri.drop { $0 != "?" }.dropFirst() : ""
            return APIResponse(
                code: 301, headers: [("Location", request.path + "/" + query)], body: .bytes([]))
        }
        let descriptor: Int32
        do throws(Status) {
            descriptor = try await backend.agent.connect(to: backend.pod, port: backend.port)
        } catch {
            // A node speaks of its own ways to get there; who asks wants to know what the port said.
            let isRefused = error.message.contains("connection refused")
            let address = backend.pod.value[["status", "podIP"]]?.string ?? ""
            throw .unreachable(
                isRefused ? "dial tcp \(address):\(backend.port): connect: connection refused" : error.message)
        }
        let exchange = ProxyExchange(request: request, path: proxyPath, upgrade: upgrade)
        do {
            return upgrade == nil
                ? try await exchange.run(descriptor, isTLS: backend.isTLS)
                : try await exchange.runUpgrade(descriptor, isTLS: backend.isTLS)
        } catch let status as Status {
            throw status
        } catch is CancellationError {
            throw .cancelled
        } catch {
            throw .unreachable("\(error)")
        }
    }

    // MARK: Where to

    private func findBackend() throws(Status) -> Backend {
        guard let wanted = ProxyName(path.name ?? "") else {
            let kind = path.plural == "pods" ? "pod" : "service"
            throw .badRequest("invalid \(kind) request \"\(path.name ?? "")\"")
        }
        if path.plural == "services" { return try behindService(wanted) }
        let pod = try object(.pods, wanted.name)
        var port = wanted.port
        if port.isEmpty {
            let ports = (pod.value[["spec", "containers"]]?.array ?? []).compactMap { $0["ports"]?.array?.first }
            port = ports.first?["containerPort"]?.int.map { "\($0)" } ?? ""
        }
        guard let address = pod.value[["status", "podIP"]]?.string, !address.isEmpty else {
            throw .badRequest("address not allowed")
        }
        return try backend(pod, port.isEmpty ? (wanted.isTLS ? "443" : "80") : port, isTLS: wanted.isTLS)
    }

    private func backend(_ pod: KubeObject, _ port: String, isTLS: Bool) throws(Status) -> Backend {
        guard let number = UInt16(port), number > 0 else {
            throw .unreachable("dial tcp: lookup tcp/\(port): unknown port")
        }
        guard let node = pod.value[["spec", "nodeName"]]?.string, let agent = registry.nodes[node] else {
            throw .unreachable("the pod's node does not answer")
        }
        return Backend(pod: pod, port: Int(number), isTLS: isTLS, agent: agent)
    }

    private func object(_ resource: ResourceType, _ name: String) throws(Status) -> KubeObject {
        try registry.get(Target(kind: try registry.kind(of: resource), namespace: path.namespace, name: name)).object
    }

    /// A ready pod behind a Service, chosen at random.
    private func behindService(_ wanted: ProxyName) throws(Status) -> Backend {
        var portName = wanted.port
        if let number = Int(wanted.port) {
            let ports = try object(.services, wanted.name).value[["spec", "ports"]]?.array ?? []
            guard let port = ports.first(where: { $0["port"]?.int == number }) else {
                throw .unavailable("no service port \(number) found for service \"\(wanted.name)\"")
            }
            portName = port["name"]?.string ?? ""
        }
        let subsets = try object(.endpoints, wanted.name).value["subsets"]?.array ?? []
        if subsets.isEmpty { throw .unavailable("no endpoints available for service \"\(wanted.name)\"") }
        for subset in subsets.shuffled() {
            let ports = subset["ports"]?.array ?? []
            guard let port = ports.first(where: { ($0["name"]?.string ?? "") == portName })?["port"]?.int else {
                continue
            }
            for address in (subset["addresses"]?.array ?? []).shuffled() {
                // Only addresses that are pods: the API server is no way into other networks.
                guard address[["targetRef", "kind"]]?.string == "Pod",
                    let name = address[["targetRef", "name"]]?.string, let pod = try? object(.pods, name)
                else { continue }
                return try backend(pod, "\(port)", isTLS: wanted.isTLS)
            }
        }
        throw .unavailable("no endpoints available for service \"\(path.name ?? "")\"")
    }
}

extension APIRequest {
    /// Whether the client asks to go over to another protocol, whichever it is.
    var wantsUpgrade: Bool {
        values(of: "connection").joined(separator: ",").lowercased().split(separator: ",")
            .contains { $0.filter { $0 != " " } == "upgrade" }
    }
}

extension Status {
    static func unavailable(_ message: String) -> Status {
        Status(code: 503, reason: "ServiceUnavailable", message: message)
    }

    static func unreachable(_ why: String) -> Status { unavailable("error trying to reach service: \(why)") }
}

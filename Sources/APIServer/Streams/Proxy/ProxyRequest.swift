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

    private static let methods: Set = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]

    func answer() async throws(Status) -> APIResponse {
        guard Self.methods.contains(request.method) else { throw .methodNotAllowed }
        let proxyPath = ProxyPath(request.path, depth: path.namespace == nil ? 5 : 7)
        let kinds = ["nodes": "NodeProxyOptions", "services": "ServiceProxyOptions", "pods": "PodProxyOptions"]
        if let options = kinds[path.plural] {
            let target = Target(
                kind: try registry.kind(group: path.group, version: path.version, plural: path.plural),
                namespace: path.namespace, name: path.name ?? "")
            try await registry.admitConnection(
                options, proxyPath.rest.isEmpty ? [:] : ["path": .string(proxyPath.rest)], target, "proxy", request)
        }
        if path.plural == "nodes" {
            return try await NodeProxy(registry: registry, request: request).answer(path, proxyPath)
        }
        let (backend, isTLS) = try await findBackend()
        let upgrade = request.wantsUpgrade ? request.values(of: "upgrade").first : nil
        if proxyPath.rest.isEmpty, upgrade == nil, ["GET", "HEAD"].contains(request.method) {
            // Relative links of a page would miss the last part of the path.
            let query = request.uri.contains("?") ? "?" + request.uri.drop { $0 != "?" }.dropFirst() : ""
            return APIResponse(
                code: 301, headers: [("Location", request.path + "/" + query)], body: .bytes([]))
        }
        let descriptor: Int32
        do throws(Status) {
            descriptor = try await backend.connect()
        } catch {
            throw .unreachable(error.message)
        }
        let exchange = ProxyExchange(request: request, path: proxyPath, upgrade: upgrade)
        do {
            let tls = isTLS ? try OutgoingTLS.unverified() : nil
            return upgrade == nil
                ? try await exchange.run(descriptor, tls: tls)
                : try await exchange.runUpgrade(descriptor, tls: tls)
        } catch let status as Status {
            throw status
        } catch is CancellationError {
            throw .cancelled
        } catch {
            throw .unreachable("\(error)")
        }
    }

    // MARK: Where to

    private func findBackend() async throws(Status) -> (backend: Backend, isTLS: Bool) {
        guard let wanted = ProxyName(path.name ?? "") else {
            let kind = path.plural == "pods" ? "pod" : "service"
            throw .badRequest("invalid \(kind) request \"\(path.name ?? "")\"")
        }
        if path.plural == "services" {
            let backend = try await registry.backend(
                behind: wanted.name, in: path.namespace, port: wanted.port, shownName: path.name)
            return (backend, wanted.isTLS)
        }
        let target = Target(kind: try registry.kind(of: .pods), namespace: path.namespace, name: wanted.name)
        let pod = try await registry.get(target).object
        var port = wanted.port
        if port.isEmpty {
            let ports = (pod.value[["spec", "containers"]]?.array ?? []).compactMap { $0["ports"]?.array?.first }
            port = ports.first?["containerPort"]?.int.map { "\($0)" } ?? ""
        }
        guard let address = pod.value[["status", "podIP"]]?.string, !address.isEmpty else {
            throw .badRequest("address not allowed")
        }
        let backend = try registry.backend(pod, port: port.isEmpty ? (wanted.isTLS ? "443" : "80") : port)
        return (backend, wanted.isTLS)
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

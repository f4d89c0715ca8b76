import KubeClient
import KubeModel
import ObjectStore

/// What the kubelet of a node answers to `nodes/NAME/proxy/PATH`, as far as a node here has it.
struct NodeProxy {
    let registry: Registry
    let request: APIRequest

    func answer(_ path: ResourcePath, _ proxyPath: ProxyPath) async throws(Status) -> APIResponse {
        guard let wanted = ProxyName(path.name ?? "") else {
            throw .badRequest("invalid node request \"\(path.name ?? "")\"")
        }
        let kind = try registry.kind(of: .nodes)
        _ = try await registry.get(Target(kind: kind, namespace: nil, name: wanted.name))
        guard ["GET", "HEAD"].contains(request.method) else { throw .methodNotAllowed }
        guard registry.nodes[wanted.name] != nil else { throw .unreachable("the node does not answer") }
        let parts = proxyPath.rest.split(separator: "/").map { PercentCoding.decode(String($0)) }
        switch (parts.first, parts.count) {
        case ("healthz", _): return .text("ok")
        case ("pods", 1), ("runningpods", 1):
            return try await pods(of: wanted.name, isRunning: parts.first == "runningpods")
        case ("containerLogs", 4):
            var options = try LogOptions(request.query)
            options.container = parts[3]
            let pods = try registry.kind(of: .pods)
            let target = Target(kind: pods, namespace: parts[1], name: parts[2])
            return .stream(try await registry.logs(target, options: options), contentType: "text/plain")
        default: return .text("404 page not found\n", code: 404)
        }
    }

    private func pods(of node: String, isRunning: Bool) async throws(Status) -> APIResponse {
        let kind = try registry.kind(of: .pods)
        let selection = try Selection(kind, labelSelector: nil, fieldSelector: "spec.nodeName=\(node)")
        let page = try await registry.list(kind, namespace: nil, ListQuery(selection: selection))
        let items = page.items.map(\.object).filter {
            !isRunning || $0.value[["status", "phase"]]?.string == "Running"
        }
        return .json([
            "kind": "PodList", "apiVersion": "v1", "metadata": [:], "items": .array(items.map(\.value)),
        ])
    }
}

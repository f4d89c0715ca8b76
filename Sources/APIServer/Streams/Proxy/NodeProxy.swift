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
        let node = try await registry.get(Target(kind: kind, namespace: nil, name: wanted.name)).object
        guard ["GET", "HEAD"].contains(request.method) else { throw .methodNotAllowed }
        guard let agent = registry.nodes[wanted.name] else { throw .unreachable("the node does not answer") }
        let parts = proxyPath.rest.split(separator: "/").map { PercentCoding.decode(String($0)) }
        func pages() async throws(Status) -> NodePages { NodePages(node: node, pods: try await pods(of: node)) }
        switch parts.joined(separator: "/") {
        case "pods": return .json(try await pages().all)
        case "runningpods": return .json(try await pages().running)
        case "stats/summary": return .json(try await pages().summary(try await agent.usage()))
        case "metrics": return .text(try await pages().metrics)
        case "metrics/resource": return .text(try await pages().resourceMetrics(try await agent.usage()))
        case "configz":
            let facts = AdmissionFacts(store: registry.store)
            return .json(
                NodePages(node: node, pods: []).configuration(
                    dns: facts.object(.services, "kube-dns", in: "kube-system"),
                    lease: facts.object(.leases, node.name, in: "kube-node-lease")))
        default: break
        }
        switch (parts.first, parts.count) {
        case ("healthz", _): return .text("ok")
        case ("containerLogs", 4):
            var options = try LogOptions(request.query)
            options.container = parts[3]
            let pods = try registry.kind(of: .pods)
            let target = Target(kind: pods, namespace: parts[1], name: parts[2])
            return .stream(try await registry.logs(target, options: options), contentType: "text/plain")
        default: return .text("404 page not found\n", code: 404)
        }
    }

    private func pods(of node: KubeObject) async throws(Status) -> [KubeObject] {
        let kind = try registry.kind(of: .pods)
        let selection = try Selection(kind, labelSelector: nil, fieldSelector: "spec.nodeName=\(node.name)")
        return try await registry.list(kind, namespace: nil, ListQuery(selection: selection)).items.map(\.object)
    }
}

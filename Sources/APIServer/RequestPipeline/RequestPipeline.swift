import KubeModel

/// From a request to its answer: who asks, as whom, what for, may they, do it, in the form that is wanted.
struct RequestPipeline: Sendable {
    let registry: Registry
    let documents: Documents

    init(registry: Registry) {
        self.registry = registry
        documents = Documents(catalog: registry.catalog)
    }

    func respond(to request: APIRequest) async -> APIResponse {
        do throws(Status) {
            return try await answer(request)
        } catch {
            return .refusal(error)
        }
    }

    private func answer(_ request: APIRequest) async throws(Status) -> APIResponse {
        var request = request
        let route = Route(path: request.path)
        guard var user = request.user, route.isPublic || user != .anonymous else { throw .unauthorized }
        try await registry.prepare()
        if let impersonation = request.impersonation {
            user = try impersonation.user(insteadOf: user, registry.authorizer)
            request.user = user
        }
        let info = RequestInfo(method: request.method, path: request.path, query: request.query)
        _ = try registry.authorizer.check(user, info)
        if case .resource(let path) = route {
            if let review = try Reviews.answer(path, request, user: user) { return review }
            return try await ResourceRequest(registry: registry, path: path, request: request).answer()
        }
        guard ["GET", "HEAD"].contains(request.method) else { throw .methodNotAllowed }
        return try documents.answer(route, request)
    }
}

import KubeModel

/// From a request to its answer: who asks, what for, may they, do it, in the form that is wanted.
struct RequestPipeline: Sendable {
    let registry: Registry
    let documents: Documents

    init(registry: Registry) {
        self.registry = registry
        documents = Documents(registry.liveCatalog)
    }

    func respond(to request: APIRequest) async -> APIResponse {
        do throws(Status) {
            return try await answer(request)
        } catch {
            return .refusal(error)
        }
    }

    private func answer(_ request: APIRequest) async throws(Status) -> APIResponse {
        let route = Route(path: request.path)
        guard let user = request.user, route.isPublic || user != .anonymous else { throw .unauthorized }
        if case .resource(let path) = route {
            if let review = try Reviews.answer(path, request, user: user) { return review }
            try await registry.prepare()
            var response = try await ResourceRequest(registry: registry, path: path, request: request).answer()
            let kind = registry.catalog.kind(group: path.group, version: path.version, plural: path.plural)
            if let warning = kind?.requestWarning { response.warn(warning) }
            return response
        }
        guard ["GET", "HEAD"].contains(request.method) else { throw .methodNotAllowed }
        return try documents.answer(route, request)
    }
}

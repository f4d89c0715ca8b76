import KubeModel

/// From a request to its answer: who asks, as whom, what for, may they, do it, in the form that is wanted.
struct RequestPipeline: Sendable {
    let registry: Registry
    let documents: Documents

    init(registry: Registry) {
        self.registry = registry
        documents = Documents(registry)
    }

    func respond(to request: APIRequest) async -> APIResponse {
        let info = RequestInfo(method: request.method, path: request.path, query: request.query)
        let open = registry.ledger.begin(
            info, request.user ?? .unknown, uri: request.uri, origin: request.origin)
        var response: APIResponse
        do throws(Status) {
            response = try await answer(request, info, open)
            switch response.body {
            case .stream, .watch, .upgrade:
                open.streaming(code: response.code)
                response.request = open
            case .bytes, .pieces: open.answered(code: response.code)
            }
        } catch {
            open.refused(error)
            response = .refusal(error)
        }
        for warning in open.warnings { response.warn(warning) }
        response.headers.append(("Audit-Id", open.auditID))
        return response
    }

    private func answer(
        _ request: APIRequest, _ info: RequestInfo, _ open: OpenRequest
    ) async throws(Status) -> APIResponse {
        var request = request
        request.open = open
        let route = Route(path: request.path)
        guard let real = request.user, real != .anonymous || Self.isForStrangers(info) else { throw .unauthorized }
        try await registry.prepare()
        var user = real
        if let impersonation = request.impersonation {
            user = try impersonation.user(insteadOf: real, registry.authorizer)
            request.user = user
            open.impersonating(user)
        }
        let decision = registry.authorizer.decide(user, info)
        open.decided(decision)
        guard decision.isAllowed else { throw .forbidden(user, info, decision.reason) }
        if let place = route.groupVersion,
            let api = registry.aggregator.api(group: place.group, version: place.version, in: registry.store)
        {
            return try await AggregatedRequest(registry: registry, api: api, request: request).answer()
        }
        if case .resource(let path) = route {
            if let review = try Reviews(registry, request, path, user).answer() { return review }
            var response = try await ResourceRequest(registry: registry, path: path, request: request).answer()
            let kind = registry.catalog.kind(group: path.group, version: path.version, plural: path.plural)
            if let warning = kind?.requestWarning { response.warn(warning) }
            return response
        }
        guard ["GET", "HEAD"].contains(request.method) else { throw .methodNotAllowed }
        if let own = try await ServerPages(registry).answer(request) { return own }
        return try await documents.answer(route, request)
    }

    /// What people who have not said who they are may ask.
    private static func isForStrangers(_ info: RequestInfo) -> Bool {
        guard info.verb == "get" else { return false }
        return ["/healthz", "/livez", "/readyz", "/version", "/version/"].contains(info.path)
    }
}

extension UserInfo {
    /// Somebody whose token is not known.
    fileprivate static let unknown = UserInfo(name: "")
}

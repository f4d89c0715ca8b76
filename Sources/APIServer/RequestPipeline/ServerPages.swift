import KubeModel

/// What the server tells about its own state: health, metrics, the key of its tokens, the audit journal.
struct ServerPages {
    private let registry: Registry

    init(_ registry: Registry) { self.registry = registry }

    /// The page at a path; nil if there is none.
    func answer(_ request: APIRequest) async throws(Status) -> APIResponse? {
        let path = request.path
        if let health = HealthPage(path: path) { return health.answer(request.query) }
        switch path {
        case "/metrics":
            let text = MetricsText.make(registry)
            var response = APIResponse.text(text)
            response.headers = [("Content-Type", "text/plain; version=0.0.4; charset=utf-8; escaping=underscores")]
            return response
        case "/openid/v1/jwks":
            var response = APIResponse.json(registry.tokens.signer.keySet)
            response.headers = [
                ("Content-Type", "application/jwk-set+json"), ("Cache-Control", "public, max-age=3600"),
            ]
            return response
        case "/.well-known/openid-configuration":
            let issuer = ServiceAccountTokens.issuer
            var response = APIResponse.json(
                [
                    "issuer": .string(issuer), "jwks_uri": .string("\(issuer)/openid/v1/jwks"),
                    "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["ES256"],
                ])
            response.headers = [("Content-Type", "application/json"), ("Cache-Control", "public, max-age=3600")]
            return response
        case "/debug/audit": return try audit(request)
        default: return nil
        }
    }

    /// Events of the audit journal as an `audit.k8s.io/v1` list, oldest first.
    ///
    /// Parameters: `after`, the number behind which to begin, `limit`, and the filters `user` (the impersonated one, if
    /// there is one), `verb`, `resource`, `namespace` and `name`. The number for the next call is in `metadata.resourceVersion`. Not of Kubernetes, and only
    /// for `system:masters`.
    private func audit(_ request: APIRequest) throws(Status) -> APIResponse {
        guard request.user?.isPrivileged == true else {
            let info = RequestInfo(method: request.method, path: request.path)
            throw .forbidden(request.user ?? .anonymous, info, "")
        }
        let query = request.query
        let filters: [(String, (AuditEvent) -> String)] = [
            ("user", { ($0.impersonatedUser ?? $0.user).name }), ("verb", { $0.verb }), ("resource", { $0.resource }),
            ("namespace", { $0.namespace }), ("name", { $0.name }),
        ]
        var events = registry.ledger.journal.events(after: Int64(query.int("after") ?? 0))
        for (name, member) in filters {
            if let wanted = query[name] { events = events.filter { member($0) == wanted } }
        }
        let limit = max(1, query.int("limit") ?? 500)
        let shown = events.prefix(limit)
        let last = events.count > limit ? shown.last?.sequence : nil
        return .json([
            "kind": "EventList", "apiVersion": "audit.k8s.io/v1",
            "metadata": ["resourceVersion": .string("\(last ?? registry.ledger.journal.lastSequence)")],
            "items": .array(shown.map(\.value)),
        ])
    }
}

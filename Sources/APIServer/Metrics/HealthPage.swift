/// `/healthz`, `/livez` and `/readyz`, whole or check by check (`Kubernetes API health endpoints`).
struct HealthPage {
    private let endpoint: String
    private let check: String?

    /// What is looked at, by the names that people know from a real server.
    ///
    /// The server answers only after all of this has been done, so a check that is asked for has passed.
    private static let common = [
        "ping", "log", "etcd", "poststarthook/start-apiserver-admission-initializer",
        "poststarthook/generic-apiserver-start-informers", "poststarthook/start-apiextensions-controllers",
        "poststarthook/crd-informer-synced", "poststarthook/start-system-namespaces-controller",
        "poststarthook/rbac/bootstrap-roles", "poststarthook/scheduling/bootstrap-system-priority-classes",
        "poststarthook/start-service-ip-repair-controllers", "poststarthook/apiservice-registration-controller",
        "poststarthook/apiservice-discovery-controller", "autoregister-completion",
        "poststarthook/apiservice-openapi-controller", "poststarthook/apiservice-openapiv3-controller",
    ]
    private static let readyOnly = ["etcd-readiness", "informer-sync", "shutdown"]

    /// Nil for a path that is not about health.
    init?(path: String) {
        let parts = path.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: true).map(String.init)
        guard let first = parts.first, ["healthz", "livez", "readyz"].contains(first) else { return nil }
        endpoint = first
        check = parts.count > 1 ? parts[1] : nil
    }

    private var checks: [String] {
        guard endpoint == "readyz" else { return Self.common }
        var checks = Self.common
        checks.insert(contentsOf: ["etcd-readiness", "informer-sync"], at: 3)
        return checks + ["shutdown"]
    }

    func answer(_ query: Query) -> APIResponse {
        if let check {
            guard checks.contains(check) else { return Documents.pageNotFound }
            return .text("ok")
        }
        guard query["verbose"] != nil else { return .text("ok") }
        let excluded = query.all("exclude")
        var text = ""
        for check in checks { text += excluded.contains(check) ? "[+]\(check) excluded: ok\n" : "[+]\(check) ok\n" }
        let unknown = Set(excluded).subtracting(checks).sorted()
        if !unknown.isEmpty {
            let list = unknown.map { "\"\($0)\"" }.joined(separator: ",")
            text += "warn: some health checks cannot be excluded: no matches for \(list)\n"
        }
        return .text(text + "\(endpoint) check passed\n")
    }
}

import KubeModel

/// A group and version that another API server serves, behind a Service (an `APIService` with `spec.service`).
struct RemoteAPI: Sendable, Hashable {
    /// For example `v1alpha1.wardle.example.com`.
    let name: String
    let group: String
    let version: String
    let groupPriority: Int
    let versionPriority: Int
    let service: ServiceReference
    /// Its certificate is believed without a look.
    let isInsecure: Bool
    let client: WebhookClient
    let isAvailable: Bool

    /// Nil for one that this server itself serves.
    init?(_ object: KubeObject) {
        let spec = object.value["spec"] ?? [:]
        guard let service = spec["service"], !service.isNull else { return nil }
        name = object.name
        group = spec["group"]?.string ?? ""
        version = spec["version"]?.string ?? ""
        groupPriority = spec["groupPriorityMinimum"]?.int ?? 0
        versionPriority = spec["versionPriority"]?.int ?? 0
        self.service = ServiceReference(service)
        isInsecure = spec["insecureSkipTLSVerify"]?.bool ?? false
        client = WebhookClient(spec)
        isAvailable = Conditions(object.value[["status", "conditions"]])["Available"]?.isTrue ?? false
    }

    var path: String { group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)" }
}

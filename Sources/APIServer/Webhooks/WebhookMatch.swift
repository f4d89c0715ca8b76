import KubeModel
import ObjectStore

/// Whether a webhook is to be asked about a request, and in which version.
///
/// Source: apiserver, `admission/plugin/webhook/generic` and its predicates.
struct WebhookMatch {
    let request: AdmissionRequest
    let catalog: KindCatalog
    let facts: AdmissionFacts
    let authorizer: RoleAuthorizer

    /// Configurations of admission itself: whoever breaks the cluster with one can mend it.
    var isExempt: Bool { request.resource.group == "admissionregistration.k8s.io" }

    /// The kind in whose version the webhook wants the objects; nil when the request does not concern it.
    func kind(for webhook: Webhook, _ object: KubeObject?) throws(Status) -> KindSchema? {
        guard webhook.selects(object, request.old), let kind = kind(by: webhook) else { return nil }
        guard try isInNamespace(of: webhook, object) else { return nil }
        return try meetsConditions(of: webhook, kind, object) ? kind : nil
    }

    private func meetsConditions(
        of webhook: Webhook, _ kind: KindSchema, _ object: KubeObject?
    ) throws(Status) -> Bool {
        guard let conditions = webhook.conditions, let caller = request.caller else { return true }
        let known = PolicyRequest(
            request, object, caller: caller, catalog: catalog, facts: facts, authorizer: authorizer
        ).variables(as: kind)
        switch conditions.verdict(known) {
        case .met: return true
        case .notMet: return false
        case .unknown(let why):
            guard webhook.ignoresFailures else { throw .forbidden(request.resource, request.name, why) }
            return false
        }
    }

    private func kind(by webhook: Webhook) -> KindSchema? {
        func wanted(_ kind: KindSchema) -> RequestedResource {
            RequestedResource(
                operation: request.operation, group: kind.resource.group, version: kind.resource.version,
                resource: kind.resource.plural, subresource: request.subresource ?? "",
                namespace: request.reviewedNamespace)
        }
        let asked = wanted(request.kind)
        if webhook.rules.contains(where: { $0.matches(asked) }) { return request.kind }
        guard webhook.matchesEquivalents else { return nil }
        let equivalents = equivalents
        for rule in webhook.rules {
            if let kind = equivalents.first(where: { rule.matches(wanted($0)) }) { return kind }
        }
        return nil
    }

    /// The other kinds in which the same stored objects are served.
    private var equivalents: [KindSchema] {
        catalog.kinds.filter { other in
            other.storeName == request.kind.storeName && other.resource != request.resource
                && (request.subresource.map(other.subresources.contains) ?? true)
        }
    }

    private func isInNamespace(of webhook: Webhook, _ object: KubeObject?) throws(Status) -> Bool {
        let namespace = request.reviewedNamespace
        if webhook.namespaces.isEmpty || namespace.isEmpty { return true }
        // A namespace that is being written is as it will be; one that is deleted, as it is.
        if request.resource == .namespaces, request.subresource == nil, let object {
            return webhook.namespaces.matches(object.labels)
        }
        guard let present = facts.object(.namespaces, namespace) else { throw .notFound(.namespaces, namespace) }
        return webhook.namespaces.matches(present.labels)
    }
}

import KubeModel
import ObjectStore

/// Whether a webhook is to be asked about a request, and in which version.
///
/// Match conditions are not looked at: they are CEL. Source: apiserver, `admission/plugin/webhook/generic` and its
/// predicates.
struct WebhookMatch {
    let request: AdmissionRequest
    let catalog: KindCatalog
    let facts: AdmissionFacts

    /// Configurations of admission itself: whoever breaks the cluster with one can mend it.
    var isExempt: Bool { request.resource.group == "admissionregistration.k8s.io" }

    /// The kind in whose version the webhook wants the objects; nil when the request does not concern it.
    func kind(for webhook: Webhook, _ object: KubeObject?) throws(Status) -> KindSchema? {
        guard webhook.selects(object, request.old), let kind = kind(by: webhook) else { return nil }
        return try isInNamespace(of: webhook, object) ? kind : nil
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

extension AdmissionRequest {
    /// The namespace that a request is about; of a namespace it is its own name.
    var reviewedNamespace: String { resource == .namespaces ? name : namespace ?? "" }
}

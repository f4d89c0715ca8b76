import KubeModel
import ObjectStore
import Synchronization

/// The webhooks that are configured, read again only after a configuration was written.
final class WebhookBook: Sendable {
    struct Page: Sendable {
        var mutating: [Webhook] = []
        var validating: [Webhook] = []

        subscript(role: Webhook.Role) -> [Webhook] { role == .mutating ? mutating : validating }
    }

    private let page = Mutex<Page?>(nil)

    static let resources: Set<ResourceType> = [.mutatingWebhookConfigurations, .validatingWebhookConfigurations]

    /// Called after an object was written or taken away, before the writer is answered.
    func react(toWriteOf resource: ResourceType) {
        if Self.resources.contains(resource) { page.withLock { $0 = nil } }
    }

    /// Webhooks in the order of their configurations' names, and within one in its own order.
    func webhooks(_ role: Webhook.Role, in store: ObjectStore) -> [Webhook] {
        page.withLock { page in
            if let page { return page[role] }
            let fresh = Page(
                mutating: Self.read(.mutatingWebhookConfigurations, .mutating, store),
                validating: Self.read(.validatingWebhookConfigurations, .validating, store))
            page = fresh
            return fresh[role]
        }
    }

    private static func read(_ resource: ResourceType, _ role: Webhook.Role, _ store: ObjectStore) -> [Webhook] {
        AdmissionFacts(store: store).objects(resource).map(\.object).sorted { $0.name < $1.name }
            .flatMap { Webhook.all(of: $0, role) }
    }
}

import KubeModel

/// What the audit event says of a call of a webhook.
struct WebhookAnnotator {
    private let hook: Webhook
    private let place: String
    private let open: OpenRequest?
    var mutated = false

    init(_ hook: Webhook, round: Int, index: Int, _ open: OpenRequest?) {
        self.hook = hook
        self.open = open
        place = "webhook.admission.k8s.io/round_\(round)_index_\(index)"
    }

    /// Says whether a mutating webhook changed the object.
    func annotate() {
        let value: JSONValue = [
            "configuration": .string(hook.id.configuration), "webhook": .string(hook.name), "mutated": .bool(mutated),
        ]
        open?.annotate("mutation.\(place)", value.text)
    }

    /// Says that the request went on without the webhook.
    func failedOpen() {
        open?.annotate("failed-open.\(hook.role == .mutating ? "mutation" : "validating").\(place)", hook.name)
    }
}

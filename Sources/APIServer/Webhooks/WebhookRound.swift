import KubeModel

/// Which mutating webhooks are asked again because others changed the object after them.
///
/// There is one more round at most. Source: apiserver, `admission/plugin/webhook/mutating/reinvocationcontext.go`.
struct WebhookRound {
    private var asked: [Webhook.ID] = []
    private var due: Set<Webhook.ID> = []
    /// What the last webhook left.
    private var output: KubeObject?
    private(set) var number = 0

    /// Whether a second round has somebody to ask.
    var isDue: Bool { !due.isEmpty || (number == 0 && hasChanged && !asked.isEmpty) }

    /// Whether a webhook has changed the object in this round.
    private(set) var hasChanged = false

    /// Takes note of an answer.
    mutating func note(_ webhook: Webhook, changed: Bool) {
        if changed {
            hasChanged = true
            due.formUnion(asked)
            asked = []
        }
        if webhook.isReinvoked { asked.append(webhook.id) }
    }

    mutating func end(with object: KubeObject) { output = object }

    /// Begins the second round; `object` is what the plugins have made of the outcome of the first.
    mutating func beginAgain(with object: KubeObject) {
        number = 1
        if object != output {
            due.formUnion(asked)
            asked = []
        }
    }

    func asks(_ webhook: Webhook) -> Bool { number == 0 || due.contains(webhook.id) }
}

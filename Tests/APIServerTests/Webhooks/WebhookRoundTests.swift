import KubeModel
import Testing

@testable import APIServer

@Suite("Which webhooks are asked again") struct WebhookRoundTests {
    @Test("a webhook that wants to is asked again when others changed the object after it")
    func rounds() {
        func hook(_ name: String, _ index: Int, isReinvoked: Bool) -> Webhook {
            Webhook(
                ["name": .string(name), "reinvocationPolicy": isReinvoked ? "IfNeeded" : "Never"],
                id: Webhook.ID(configuration: "c", index: index), role: .mutating)
        }
        let (first, second) = (hook("a", 0, isReinvoked: true), hook("b", 1, isReinvoked: false))
        var round = WebhookRound()
        round.note(first, changed: true)
        #expect(round.asks(first))
        round.note(second, changed: true)
        let object = KubeObject(.configMaps, namespace: "default", name: "a")
        round.end(with: object)
        round.beginAgain(with: object)
        #expect(round.isDue)
        #expect(round.asks(first))
        #expect(!round.asks(second))
        var quiet = WebhookRound()
        quiet.note(first, changed: true)
        quiet.end(with: object)
        quiet.beginAgain(with: object)
        #expect(!quiet.isDue)
    }
}

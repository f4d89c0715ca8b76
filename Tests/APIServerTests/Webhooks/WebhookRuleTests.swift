import KubeModel
import ObjectStore
import Testing

@testable import APIServer

@Suite("Which requests concern a webhook") struct WebhookRuleTests {
    private static func rule(_ resources: [String], scope: String = "*", operations: [String] = ["*"]) -> WebhookRule {
        WebhookRule([
            "operations": .array(operations.map(JSONValue.string)), "apiGroups": ["", "apps"], "apiVersions": ["v1"],
            "resources": .array(resources.map(JSONValue.string)), "scope": .string(scope),
        ])
    }

    private static func wanted(
        _ resource: String, _ subresource: String = "", group: String = "", version: String = "v1",
        namespace: String = "default", by operation: AdmissionRequest.Operation = .create
    ) -> RequestedResource {
        RequestedResource(
            operation: operation, group: group, version: version, resource: resource, subresource: subresource,
            namespace: namespace)
    }

    @Test(
        "resources match with and without their sub-resources",
        arguments: [
            (["pods"], "pods", "", true), (["pods"], "pods", "status", false),
            (["pods/status"], "pods", "status", true),
            (["pods/*"], "pods", "", true), (["pods/*"], "pods", "exec", true), (["*"], "pods", "", true),
            (["*"], "pods", "exec", false), (["*/*"], "pods", "exec", true), (["*/*"], "pods", "", true),
            (["*/scale"], "deployments", "scale", true), (["*/scale"], "deployments", "", false),
        ])
    func resources(rules: [String], resource: String, subresource: String, isMatch: Bool) {
        #expect(Self.rule(rules).matches(Self.wanted(resource, subresource)) == isMatch)
    }

    @Test(
        "a namespace is an object of the cluster, although its requests name one",
        arguments: [
            ("Cluster", "namespaces", "lab", true), ("Namespaced", "namespaces", "lab", false),
            ("Namespaced", "pods", "lab", true), ("Cluster", "pods", "lab", false), ("Cluster", "nodes", "", true),
            ("Namespaced", "nodes", "", false), ("*", "nodes", "", true),
        ])
    func scopes(scope: String, resource: String, namespace: String, isMatch: Bool) {
        let rule = Self.rule(["*"], scope: scope)
        #expect(rule.matches(Self.wanted(resource, namespace: namespace)) == isMatch)
    }

    @Test("group, version and operation must be listed")
    func others() {
        let rule = Self.rule(["*"], operations: ["CONNECT", "DELETE"])
        #expect(rule.matches(Self.wanted("pods", by: .connect)))
        #expect(!rule.matches(Self.wanted("pods", by: .create)))
        #expect(rule.matches(Self.wanted("deployments", group: "apps", by: .delete)))
        #expect(!rule.matches(Self.wanted("jobs", group: "batch", by: .delete)))
        #expect(!rule.matches(Self.wanted("pods", version: "v2", by: .delete)))
    }

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

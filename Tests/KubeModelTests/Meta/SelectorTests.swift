import KubeModel
import Testing

@Suite("Selectors") struct SelectorTests {
    @Test(
        "the text of a query selects by label",
        arguments: [
            ("app=web", true), ("app==web", true), ("app!=web", false), ("tier", true), ("!tier", false),
            ("!gone", true),
            ("app in (api, web)", true), ("app notin (api,web)", false), ("gone notin (a)", true), ("gone!=a", true),
            ("app=web,tier=back", true), ("app=web,tier=front", false), ("", true), ("size>2", true), ("size<2", false),
        ])
    func labels(text: String, matches: Bool) throws {
        let labels = ["app": "web", "tier": "back", "size": "3"]
        #expect(try LabelSelector(parsing: text).matches(labels) == matches)
    }

    @Test(
        "text that is no selector is refused",
        arguments: ["=web", "app=web,", "app in web", "app in (a", "a b", "app=we b", "a=b=c"])
    func refuse(text: String) {
        #expect(throws: SelectorError.self) { try LabelSelector(parsing: text) }
    }

    @Test("the object of a manifest selects the same, and has the same text")
    func manifest() {
        let selector = LabelSelector([
            "matchLabels": ["app": "web"],
            "matchExpressions": [
                ["key": "tier", "operator": "In", "values": ["back", "mid"]],
                ["key": "old", "operator": "DoesNotExist"],
            ],
        ])
        #expect(selector.text == "app=web,tier in (back,mid),!old")
        #expect(selector.matches(["app": "web", "tier": "mid"]))
        #expect(!selector.matches(["app": "web", "tier": "mid", "old": ""]))
    }

    @Test(
        "fields are compared as text, absent ones as empty",
        arguments: [
            ("metadata.name=web", true), ("status.phase!=Running", true), ("status.phase=", true),
            ("metadata.name=web,spec.count=3", true),
            ("metadata.name!=web", false),
        ])
    func fields(text: String, matches: Bool) throws {
        var object = KubeObject(.pods, namespace: "default", name: "web")
        object.value[["spec", "count"]] = 3
        #expect(try FieldSelector(parsing: text).matches(object) == matches)
    }

    @Test("a field selector without a sign is refused")
    func badField() {
        #expect(throws: SelectorError(message: "invalid selector: 'name'; can't understand 'name'")) {
            try FieldSelector(parsing: "name")
        }
    }
}

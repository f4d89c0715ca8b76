import KubeClient
import KubeModel
import Testing

/// Rules in CEL of custom resources (`x-kubernetes-validations`), in the words of Kubernetes 1.32.
@Suite("Rules of custom resources", .timeLimit(.minutes(5))) struct ValidationRuleTests {
    private let fixture: Fixture
    private var client: any ClusterClient { fixture.client }

    init() throws { fixture = try Fixture() }

    /// A definition whose `spec` has this schema.
    private func definition(_ spec: JSONValue, root: JSONValue = [:]) -> KubeObject {
        CronTabs.definition { definition in
            var versions = definition["versions"]?.array ?? []
            var schema: JSONValue = ["type": "object", "properties": ["spec": spec]]
            for (key, value) in root.object ?? [:] { schema[key] = value }
            schema[["properties", "status"]] = [
                "type": "object", "properties": ["health": ["type": "string"]],
                "x-kubernetes-validations": [["rule": "self.health in ['ok', 'bad']"]],
            ]
            versions[0]["schema"] = ["openAPIV3Schema": schema]
            versions[0]["subresources"] = ["status": [:]]
            definition["versions"] = .array([versions[0]])
        }
    }

    private func define(_ spec: JSONValue, root: JSONValue = [:]) async throws {
        _ = try await client.create(.customResourceDefinitions, definition(spec, root: root))
    }

    private func causes(_ body: () async throws -> Void) async throws -> [String] {
        let status = try await refusal(body)
        #expect(status.code == 422)
        return (status.details?["causes"]?.array ?? []).map {
            "\($0["field"]?.string ?? ""): \($0["message"]?.string ?? "")"
        }
    }

    private func causes(creating spec: JSONValue, name: String = "my") async throws -> [String] {
        try await causes { _ = try await client.create(CronTabs.resource, CronTabs.object(name, spec)) }
    }

    private func update(_ change: (inout JSONValue) -> Void) async throws {
        var object = try await client.get(CronTabs.resource, namespace: "default", name: "my")
        change(&object.value)
        _ = try await client.update(CronTabs.resource, object, subresource: nil, options: WriteOptions())
    }

    private static let sum: JSONValue = [
        "type": "object", "properties": ["x": ["type": "integer"], "y": ["type": "integer"]],
        "x-kubernetes-validations": [["rule": "self.x + self.y > 0"]],
    ]

    @Test("an object that breaks a rule is refused, also by its status")
    func broken() async throws {
        try await define(Self.sum)
        #expect(
            try await causes(creating: ["x": 0, "y": 0])
                == ["spec: Invalid value: \"object\": failed rule: self.x + self.y > 0"])
        #expect(
            try await causes(creating: ["x": 0])
                == ["spec: Invalid value: \"object\": no such key: y evaluating rule: self.x + self.y > 0"])
        #expect(
            try await causes(creating: ["x": "a", "y": 1]).last
                == "<nil>: Invalid value: \"null\": some validation rules were not checked because the object was "
                + "invalid; correct the existing errors to complete validation")
        var object = try await client.create(CronTabs.resource, CronTabs.object("my", ["x": 1, "y": 0]))
        object.value["status"] = ["health": "dead"]
        let sick = object
        #expect(
            try await causes {
                _ = try await client.update(CronTabs.resource, sick, subresource: "status", options: WriteOptions())
            } == ["status: Invalid value: \"object\": failed rule: self.health in ['ok', 'bad']"])
    }

    @Test("messages, reasons and fields are those that the rule names")
    func messages() async throws {
        try await define([
            "type": "object",
            "properties": ["min": ["type": "integer"], "max": ["type": "integer"], "a.b": ["type": "string"]],
            "x-kubernetes-validations": [
                ["rule": "self.min <= self.max", "messageExpression": "'%d is above %d'.format([self.min, self.max])"],
                [
                    "rule": "self.max < 10", "message": " too much ", "fieldPath": ".max",
                    "reason": "FieldValueForbidden",
                ],
                ["rule": "!has(self.a__dot__b)", "fieldPath": "['a.b']", "message": "not this"],
            ],
        ])
        #expect(
            try await causes(creating: ["min": 20, "max": 11, "a.b": ""]) == [
                "spec: Invalid value: \"object\": 20 is above 11", "spec.max: Forbidden: too much",
                "spec.a.b: Invalid value: \"object\": not this",
            ])
    }

    @Test("a rule at the root knows the object's type and name")
    func root() async throws {
        try await define(
            ["type": "object", "x-kubernetes-preserve-unknown-fields": true],
            root: ["x-kubernetes-validations": [["rule": "self.metadata.name.startsWith(self.kind.lowerAscii())"]]])
        #expect(
            try await causes(creating: [:])
                == [
                    "<nil>: Invalid value: \"object\": failed rule: "
                        + "self.metadata.name.startsWith(self.kind.lowerAscii())"
                ])
        _ = try await client.create(CronTabs.resource, CronTabs.object("crontab-1", [:]))
    }

    private static let transitions: JSONValue = [
        "type": "object",
        "properties": [
            "num": ["type": "integer", "x-kubernetes-validations": [["rule": "self > oldSelf"]]],
            "list": [
                "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                "items": [
                    "type": "object", "required": ["name"],
                    "properties": ["name": ["type": "string"], "size": ["type": "integer"]],
                    "x-kubernetes-validations": [["rule": "self.size >= oldSelf.size", "message": "may not shrink"]],
                ],
            ],
            "once": [
                "type": "string",
                "x-kubernetes-validations": [
                    [
                        "rule": "oldSelf.hasValue() || self == 'new'", "optionalOldSelf": true,
                        "message": "begin with new",
                    ]
                ],
            ],
        ],
    ]

    @Test("rules about a change hold for changes, element by element where elements have names")
    func transition() async throws {
        try await define(Self.transitions)
        let spec: JSONValue = ["num": 10, "list": [["name": "a", "size": 2], ["name": "b", "size": 1]]]
        _ = try await client.create(CronTabs.resource, CronTabs.object("my", spec))
        #expect(
            try await causes {
                try await update {
                    $0["spec"] = ["num": 9, "list": [["name": "b", "size": 1], ["name": "a", "size": 1]]]
                }
            } == [
                "spec.num: Invalid value: \"integer\": failed rule: self > oldSelf",
                "spec.list[1]: Invalid value: \"object\": may not shrink",
            ])
        try await update { $0["spec"] = ["num": 11, "list": [["name": "c", "size": 0], ["name": "a", "size": 2]]] }
        #expect(
            try await causes { try await update { $0[["spec", "once"]] = "old" } }.last
                == "spec.once: Invalid value: \"string\": begin with new")
    }

    @Test("what was wrong before and is not touched is not held against a change")
    func ratcheting() async throws {
        try await define(["type": "object", "properties": ["a": ["type": "string"], "b": ["type": "string"]]])
        _ = try await client.create(CronTabs.resource, CronTabs.object("my", ["a": "x", "b": "x"]))
        var definition = try await client.get(
            .customResourceDefinitions, namespace: nil, name: "crontabs.stable.example.com")
        var versions = definition.value[["spec", "versions"]]?.array ?? []
        let properties = ["schema", "openAPIV3Schema", "properties", "spec", "properties"]
        versions[0][properties + ["a"]] = ["type": "string", "x-kubernetes-validations": [["rule": "self == 'y'"]]]
        versions[0][properties + ["b"]] = ["type": "string", "maxLength": 0]
        definition.value[["spec", "versions"]] = .array(versions)
        _ = try await client.update(
            .customResourceDefinitions, definition, subresource: nil, options: WriteOptions())
        try await update { $0[["metadata", "labels"]] = ["touched": "yes"] }
        try await update { $0[["spec", "a"]] = "y" }
        #expect(
            try await causes { try await update { $0[["spec", "a"]] = "z" } }
                == ["spec.a: Invalid value: \"string\": failed rule: self == 'y'"])
        #expect(try await causes { try await update { $0[["spec", "b"]] = "z" } }.count == 2)
    }

    @Test("what is tolerated because it was wrong before is warned of")
    func toleration() async throws {
        let fixture = try AccessFixture()
        let rules: JSONValue = [["rule": "self == 'y'"], ["rule": "self == oldSelf || self == 'y'"]]
        func definition(_ rules: JSONValue) -> JSONValue {
            let text: JSONValue = ["type": "string", "x-kubernetes-validations": rules]
            return self.definition(["type": "object", "properties": ["a": text, "b": ["type": "string"]]]).value
        }
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        #expect(try await fixture.send("POST", path, definition([])).code == 201)
        let objects = "/apis/stable.example.com/v1/namespaces/default/crontabs"
        let made = try await fixture.send("POST", objects, CronTabs.object("my", ["a": "x", "b": "x"]).value)
        #expect(made.code == 201)
        let change: JSONValue = ["spec": definition(rules)["spec"] ?? [:]]
        let changed = try await fixture.send(
            "PATCH", path + "/crontabs.stable.example.com", change, contentType: "application/merge-patch+json")
        #expect(changed.code == 200)
        func patch(_ spec: JSONValue) async throws -> AccessFixture.Answer {
            try await fixture.send(
                "PATCH", objects + "/my", ["spec": spec], contentType: "application/merge-patch+json")
        }
        let tolerated = try await patch(["b": "y"])
        #expect(tolerated.code == 200)
        #expect(
            tolerated.warnings == [#"299 - "spec.a: Invalid value: \"string\": failed rule: self == 'y'""#])
        let refused = try await patch(["a": "z"])
        #expect(refused.code == 422)
        #expect(refused.warnings.isEmpty)
        #expect(try await patch(["a": "y"]).warnings.isEmpty)
    }

    @Test("an evaluation that costs too much ends")
    func runtimeCost() async throws {
        try await define([
            "type": "object",
            "properties": [
                "list": [
                    "type": "array", "maxItems": 725, "items": ["type": "integer"],
                    "x-kubernetes-validations": [["rule": "self.all(x, self.all(y, x == y))"]],
                ]
            ],
        ])
        let found = try await causes(creating: ["list": .array(Array(repeating: 20, count: 725))])
        #expect(
            found == [
                "spec.list: Invalid value: \"array\": 'operation cancelled: actual cost limit exceeded': no further "
                    + "validation rules will be run due to call cost exceeds limit for rule: "
                    + "self.all(x, self.all(y, x == y))"
            ])
    }

    // MARK: Definitions

    private func complaints(_ spec: JSONValue) async throws -> [String] {
        try await causes { try await define(spec) }.map {
            // The rule as Go shows it stands between; what matters is the place and the words.
            let place = $0.prefix { $0 != ":" }.split(separator: ".").dropFirst(4).joined(separator: ".")
            return "\(place): \($0.part(after: "}: ") ?? $0.part(after: "Invalid value: ") ?? $0)"
        }
    }

    private func rule(_ rule: JSONValue, in spec: JSONValue = ["type": "object"]) -> JSONValue {
        var spec = spec
        spec["x-kubernetes-validations"] = [rule]
        return spec
    }

    @Test("an expression that cannot be compiled is refused with the place in it")
    func compilation() async throws {
        let found = try await complaints(
            rule(["rule": "self.z == 100"], in: ["type": "object", "properties": ["x": ["type": "integer"]]]))
        #expect(
            found == [
                "properties[spec].x-kubernetes-validations[0].rule: compilation failed: ERROR: <input>:1:5: undefined "
                    + "field 'z'\n | self.z == 100\n | ....^"
            ])
        #expect(
            try await complaints(rule(["rule": "1"])) == [
                "properties[spec].x-kubernetes-validations[0].rule: cel expression must evaluate to a bool"
            ])
        #expect(
            try await complaints(rule(["rule": "true", "messageExpression": "1"])) == [
                "properties[spec].x-kubernetes-validations[0].messageExpression: messageExpression must evaluate to a "
                    + "string"
            ])
        #expect(
            try await complaints(rule(["rule": "true", "fieldPath": ".nowhere"])) == [
                "properties[spec].x-kubernetes-validations[0].fieldPath: \".nowhere\": fieldPath must be a valid path"
            ])
    }

    @Test("a rule that could cost too much is refused until its lists and texts have bounds")
    func estimatedCost() async throws {
        func nested(_ bounds: JSONValue) -> JSONValue {
            var items: JSONValue = [
                "type": "array", "items": ["type": "string"],
                "x-kubernetes-validations": [["rule": "self.all(s, s == 'string constant')"]],
            ]
            var list: JSONValue = ["type": "array"]
            for (key, value) in bounds.object ?? [:] {
                items[key] = value
                list[key] = value
            }
            list["items"] = items
            return ["type": "object", "properties": ["x": list]]
        }
        let found = try await complaints(nested([:]))
        #expect(found.count == 3)
        #expect(found[0].contains("Forbidden: estimated rule cost exceeds budget by factor of more than 100x (try "))
        try await define(nested(["maxItems": 100]))
    }

    @Test("a change cannot be judged where nobody knows what was what before")
    func uncorrelatable() async throws {
        let items: JSONValue = ["type": "string", "x-kubernetes-validations": [["rule": "self == oldSelf"]]]
        let found = try await complaints([
            "type": "object", "properties": ["x": ["type": "array", "maxItems": 5, "items": items]],
        ])
        #expect(
            found[0].hasSuffix(
                "oldSelf cannot be used on the uncorrelatable portion of the schema within "
                    + "spec.versions[0].schema.openAPIV3Schema.properties[spec].properties[x]"))
    }
}

extension String {
    /// What stands behind a mark.
    fileprivate func part(after mark: String) -> String? {
        firstRange(of: mark).map { String(self[$0.upperBound...]) }
    }
}

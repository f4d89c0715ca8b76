import KubeClient
import KubeModel
import LabTesting
import Testing

@testable import APIServer

/// Which requests concern a policy or a webhook: both say it alike, and are understood alike.
@Suite("Which requests are matched", .timeLimit(.minutes(5))) struct MatchResourcesTests {
    private let fixture: Fixture

    init() throws { fixture = try Fixture() }

    enum Owner: CaseIterable {
        case policy, webhook

        func match(_ rules: JSONValue?, _ more: JSONValue) -> MatchResources {
            var value = more
            value[self == .policy ? "resourceRules" : "rules"] = rules
            return self == .policy ? MatchResources(value) : MatchResources(webhook: value)
        }
    }

    private static func rule(_ resource: String, group: String = "", version: String = "*") -> JSONValue {
        [
            "operations": ["*"], "apiGroups": [.string(group)], "apiVersions": [.string(version)],
            "resources": [.string(resource)],
        ]
    }

    private func request(
        _ operation: AdmissionRequest.Operation, _ kind: KindSchema, _ object: KubeObject?, old: KubeObject? = nil,
        in namespace: String? = nil, name: String = "", subresource: String? = nil
    ) -> PolicyRequest {
        let request = AdmissionRequest(
            operation, kind, namespace: namespace, name: name, old: old, subresource: subresource, WriteSettings())
        return PolicyRequest(request, object, in: fixture.server.registry)
    }

    private static let teamOnly: JSONValue = ["namespaceSelector": ["matchLabels": ["team": "a"]]]

    @Test("a namespace that is written counts with the labels that it will have", arguments: Owner.allCases)
    func writtenNamespace(owner: Owner) async throws {
        let kind = try fixture.server.registry.kind(of: .namespaces)
        let match = owner.match([Self.rule("*")], Self.teamOnly)
        var labelled = KubeObject(.namespaces, name: "")
        labelled.labels = ["team": "a"]
        // Its name is not there yet where the server makes it.
        #expect(try match.kind(of: request(.create, kind, labelled))?.resource == .namespaces)
        let plain = KubeObject(.namespaces, name: "default")
        #expect(try match.kind(of: request(.update, kind, plain, old: labelled, name: "default")) == nil)
        #expect(
            try match.kind(of: request(.update, kind, labelled, old: plain, name: "default"))?.resource == .namespaces)
        // What is said about its status does not change its labels: those that are stored count.
        #expect(
            try match.kind(of: request(.update, kind, labelled, old: plain, name: "default", subresource: "status"))
                == nil)
    }

    @Test(
        "a namespace that is not there is told to those who would be asked, and to nobody else",
        arguments: Owner.allCases)
    func missingNamespace(owner: Owner) async throws {
        let kind = try fixture.server.registry.kind(of: .configMaps)
        let request = request(
            .create, kind, KubeObject(.configMaps, namespace: "gone", name: "a"), in: "gone", name: "a")
        let status = try await refusal {
            _ = try owner.match([Self.rule("configmaps")], Self.teamOnly).kind(of: request)
        }
        #expect(status.message == #"namespaces "gone" not found"#)
        #expect(try owner.match([Self.rule("secrets")], Self.teamOnly).kind(of: request) == nil)
    }

    @Test("of a request's equivalents the one counts that the first rule names", arguments: Owner.allCases)
    func equivalents(owner: Owner) async throws {
        let definition = CronTabs.definition {
            var versions = $0["versions"]?.array ?? []
            var newest = versions[1]
            newest["name"] = "v2"
            versions.append(newest)
            $0["versions"] = .array(versions)
        }
        _ = try await fixture.client.create(.customResourceDefinitions, definition)
        let kind = try fixture.server.registry.kind(of: CronTabs.resource)
        let group = CronTabs.resource.group
        let request = request(.create, kind, CronTabs.object(), in: "default", name: "my")
        for (first, second) in [("v2", "v1beta1"), ("v1beta1", "v2")] {
            let rules: JSONValue = [
                Self.rule("crontabs", group: group, version: first),
                Self.rule("crontabs", group: group, version: second),
            ]
            #expect(try owner.match(rules, [:]).kind(of: request)?.resource.version == first)
            #expect(try owner.match(rules, ["matchPolicy": "Exact"]).kind(of: request) == nil)
        }
    }

    @Test("without rules a policy is about everything, a webhook about nothing")
    func withoutRules() throws {
        let kind = try fixture.server.registry.kind(of: .configMaps)
        let request = request(
            .create, kind, KubeObject(.configMaps, namespace: "default", name: "a"), in: "default", name: "a")
        #expect(try Owner.policy.match(nil, [:]).kind(of: request)?.resource == .configMaps)
        #expect(try Owner.webhook.match(nil, [:]).kind(of: request) == nil)
    }
}

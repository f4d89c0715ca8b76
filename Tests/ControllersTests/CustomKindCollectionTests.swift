import KubeClient
import KubeModel
import LabTesting
import Testing

@Suite("Garbage collection of custom kinds", .timeLimit(.minutes(5))) struct CustomKindCollectionTests {
    private static let widgets = ResourceType(
        group: "example.com", version: "v1", kind: "Widget", plural: "widgets")

    private static var definition: KubeObject {
        var definition = KubeObject(.customResourceDefinitions, name: "widgets.example.com")
        definition.value["spec"] = [
            "group": "example.com", "scope": "Namespaced", "names": ["plural": "widgets", "kind": "Widget"],
            "versions": [
                [
                    "name": "v1", "served": true, "storage": true,
                    "schema": ["openAPIV3Schema": ["type": "object"]],
                ]
            ],
        ]
        return definition
    }

    private func make(
        _ resource: ResourceType, _ name: String, ownedBy owner: KubeObject? = nil, _ fixture: Fixture
    ) async throws -> KubeObject {
        var object = KubeObject(resource, namespace: "default", name: name)
        object.ownerReferences = owner.map { [OwnerReference(controller: $0)] } ?? []
        return try await fixture.client.create(resource, object)
    }

    private func withWidgets(_ body: @Sendable (Fixture) async throws -> Void) async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await fixture.client.create(.customResourceDefinitions, Self.definition)
            try await body(fixture)
        }
    }

    @Test(
        "what belongs to a custom resource goes with it",
        arguments: [DeleteOptions.Propagation.background, .foreground])
    func customOwner(propagation: DeleteOptions.Propagation) async throws {
        try await withWidgets { fixture in
            let owner = try await make(Self.widgets, "owner", fixture)
            let map = try await make(.configMaps, "map", ownedBy: owner, fixture)
            _ = try await make(Self.widgets, "part", ownedBy: owner, fixture)
            _ = try await make(.configMaps, "second", ownedBy: map, fixture)
            try await fixture.client.delete(
                Self.widgets, namespace: "default", name: "owner", options: DeleteOptions(propagation: propagation))
            try await fixture.waitGone(Self.widgets, "owner")
            try await fixture.waitGone(.configMaps, "map")
            try await fixture.waitGone(.configMaps, "second")
            try await fixture.waitGone(Self.widgets, "part")
        }
    }

    @Test("a custom resource goes with its owner")
    func customDependent() async throws {
        try await withWidgets { fixture in
            let owner = try await make(.configMaps, "owner", fixture)
            _ = try await make(Self.widgets, "part", ownedBy: owner, fixture)
            try await fixture.client.delete(
                .configMaps, namespace: "default", name: "owner", options: DeleteOptions())
            try await fixture.waitGone(Self.widgets, "part")
        }
    }

    @Test("orphaned dependents of a custom resource stay, without their owner")
    func orphan() async throws {
        try await withWidgets { fixture in
            let owner = try await make(Self.widgets, "owner", fixture)
            _ = try await make(.configMaps, "map", ownedBy: owner, fixture)
            try await fixture.client.delete(
                Self.widgets, namespace: "default", name: "owner", options: DeleteOptions(propagation: .orphan))
            try await fixture.waitGone(Self.widgets, "owner")
            try await fixture.wait(.configMaps, "map") { $0.ownerReferences.isEmpty }
        }
    }

    @Test("a quota counts custom resources that go as well as those that come")
    func quota() async throws {
        try await withWidgets { fixture in
            var quota = KubeObject(.resourceQuotas, namespace: "default", name: "q")
            quota.value["spec"] = ["hard": ["count/widgets.example.com": "2"]]
            _ = try await fixture.client.create(.resourceQuotas, quota)
            for used in ["0", "1", "0"] {
                if used == "1" { _ = try await make(Self.widgets, "one", fixture) }
                try await fixture.wait(.resourceQuotas, "q") {
                    $0.value[["status", "used", "count/widgets.example.com"]]?.string == used
                }
                guard used == "1" else { continue }
                try await fixture.client.delete(
                    Self.widgets, namespace: "default", name: "one", options: DeleteOptions())
            }
        }
    }

    @Test("when the definition goes, everything that belonged to its objects goes, too")
    func definition() async throws {
        try await withWidgets { fixture in
            let owner = try await make(Self.widgets, "owner", fixture)
            _ = try await make(.configMaps, "map", ownedBy: owner, fixture)
            // When this one has gone, the kind is followed and the other is known.
            let first = try await make(Self.widgets, "first", fixture)
            _ = try await make(.configMaps, "probe", ownedBy: first, fixture)
            try await fixture.client.delete(
                Self.widgets, namespace: "default", name: "first", options: DeleteOptions())
            try await fixture.waitGone(.configMaps, "probe")
            try await fixture.client.delete(
                .customResourceDefinitions, namespace: nil, name: "widgets.example.com", options: DeleteOptions())
            try await fixture.waitGone(.configMaps, "map")
        }
    }
}

import KubeClient
import KubeModel
import LabTesting
import Testing

@Suite("Garbage collection", .timeLimit(.minutes(5))) struct GarbageCollectorTests {
    private func makeMap(_ fixture: Fixture, _ name: String, owners: [OwnerReference] = []) async throws -> KubeObject {
        var map = KubeObject(.configMaps, namespace: "default", name: name)
        map.ownerReferences = owners
        return try await fixture.client.create(.configMaps, map)
    }

    private func delete(_ fixture: Fixture, _ name: String, _ propagation: DeleteOptions.Propagation?) async throws {
        try await fixture.client.delete(
            .configMaps, namespace: "default", name: name, options: DeleteOptions(propagation: propagation))
    }

    private func startWeb(_ fixture: Fixture) async throws {
        _ = try await fixture.client.create(.deployments, MemoryCluster.deployment("web", replicas: 2))
        try await fixture.waitRolledOut()
    }

    private func deleteWeb(_ fixture: Fixture, _ propagation: DeleteOptions.Propagation?) async throws {
        try await fixture.client.delete(
            .deployments, namespace: "default", name: "web", options: DeleteOptions(propagation: propagation))
    }

    @Test(
        "a deleted Deployment takes its ReplicaSets and pods with it",
        arguments: [nil, .background] as [DeleteOptions.Propagation?])
    func background(propagation: DeleteOptions.Propagation?) async throws {
        let fixture = try Fixture()
        try await fixture.running {
            try await startWeb(fixture)
            fixture.node.cling()
            try await deleteWeb(fixture, propagation)
            // The owner does not wait for anybody.
            try await fixture.waitGone(.deployments, "web")
            try await fixture.waitAll(.replicaSets) { $0.isEmpty }
            try await fixture.waitAll(.pods) { $0.allSatisfy(\.isBeingDeleted) }
            try await fixture.node.letGo()
            try await fixture.waitAll(.pods) { $0.isEmpty }
        }
    }

    @Test(
        "kinds that nothing here works on go with their owners, too",
        arguments: [
            ResourceType.ingresses, .leases, .limitRanges, .networkPolicies, .podTemplates, .roleBindings, .roles,
        ])
    func quietKinds(kind: ResourceType) async throws {
        let fixture = try Fixture()
        let specs: [ResourceType: (String, JSONValue)] = [
            .ingresses: ("spec", ["defaultBackend": ["service": ["name": "web", "port": ["number": 80]]]]),
            .limitRanges: ("spec", ["limits": []]),
            .networkPolicies: ("spec", ["podSelector": [:]]),
            .podTemplates: (
                "template",
                ["metadata": ["labels": ["a": "b"]], "spec": ["containers": [["name": "c", "image": "i"]]]]
            ),
            .roleBindings: ("roleRef", ["apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"]),
        ]
        try await fixture.running {
            let owner = try await makeMap(fixture, "owner")
            var part = KubeObject(kind, namespace: "default", name: "part")
            part.ownerReferences = [OwnerReference(controller: owner)]
            if let (member, value) = specs[kind] { part.value[member] = value }
            _ = try await fixture.client.create(kind, part)
            try await delete(fixture, "owner", nil)
            try await fixture.waitGone(kind, "part")
        }
    }

    @Test("an owner in another namespace does not count, and people are told")
    func foreignOwner() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            let owner = try await fixture.client.create(
                .configMaps, KubeObject(.configMaps, namespace: "kube-public", name: "owner"))
            var reference = OwnerReference(controller: owner)
            reference.isController = false
            _ = try await makeMap(fixture, "lost", owners: [reference])
            try await fixture.waitGone(.configMaps, "lost")
            try await fixture.waitAll(.events) { events in
                events.contains {
                    $0.value["reason"] == "OwnerRefInvalidNamespace"
                        && $0.value["message"]
                            == .string(
                                "ownerRef [v1/ConfigMap, namespace: default, name: owner, uid: \(owner.uid)] does not exist in "
                                    + "namespace \"default\"")
                }
            }
        }
    }

    @Test("in the foreground the owner stays until the last dependent has gone")
    func foreground() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            try await startWeb(fixture)
            fixture.node.cling()
            try await deleteWeb(fixture, .foreground)
            try await fixture.waitAll(.pods) { $0.count == 2 && $0.allSatisfy(\.isBeingDeleted) }
            let set = try #require(try await fixture.sets(image: "web:1.0").first)
            #expect(set.object.isBeingDeleted)
            #expect(set.object.finalizers == ["foregroundDeletion"])
            #expect(try await fixture.client.get(.deployments, "web", in: "default").isBeingDeleted)
            try await fixture.node.letGo()
            try await fixture.waitGone(.deployments, "web")
            #expect(try await fixture.client.list(.replicaSets, in: "default").items.isEmpty)
            #expect(try await fixture.pods().isEmpty)
        }
    }

    @Test("orphaned dependents stay, without their owner")
    func orphan() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            try await startWeb(fixture)
            let pods = Set(try await fixture.pods().map(\.uid))
            try await deleteWeb(fixture, .orphan)
            try await fixture.waitGone(.deployments, "web")
            let set = try #require(try await fixture.sets(image: "web:1.0").first)
            #expect(set.object.ownerReferences.isEmpty)
            #expect(Set(try await fixture.pods().map(\.uid)) == pods)
        }
    }

    @Test("an object whose owner is gone already goes as well")
    func late() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            let owner = try await makeMap(fixture, "owner")
            try await delete(fixture, "owner", nil)
            _ = try await makeMap(fixture, "dependent", owners: [OwnerReference(controller: owner)])
            try await fixture.waitGone(.configMaps, "dependent")
        }
    }

    @Test("an owner of the same name with another uid is another owner")
    func wrongUID() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            let first = try await makeMap(fixture, "owner")
            try await delete(fixture, "owner", nil)
            let second = try await makeMap(fixture, "owner")
            _ = try await makeMap(fixture, "kept", owners: [OwnerReference(controller: second)])
            _ = try await makeMap(fixture, "dangling", owners: [OwnerReference(controller: first)])
            try await fixture.waitGone(.configMaps, "dangling")
            #expect(try await !fixture.client.get(.configMaps, "kept", in: "default").isBeingDeleted)
        }
    }

    @Test(
        "an object with a second owner stays, and loses the reference to the one that went",
        arguments: [DeleteOptions.Propagation.background, .foreground])
    func twoOwners(propagation: DeleteOptions.Propagation) async throws {
        let fixture = try Fixture()
        try await fixture.running {
            let first = try await makeMap(fixture, "first")
            let second = try await makeMap(fixture, "second")
            var references = [OwnerReference(controller: first), OwnerReference(controller: second)]
            references[1].isController = false
            _ = try await makeMap(fixture, "dependent", owners: references)
            try await delete(fixture, "first", propagation)
            try await fixture.waitGone(.configMaps, "first")
            let dependent = try await fixture.wait(.configMaps, "dependent") { $0.ownerReferences.count == 1 }
            #expect(dependent.ownerReferences.map(\.uid) == [second.uid])
            #expect(!dependent.isBeingDeleted)
            try await delete(fixture, "second", nil)
            try await fixture.waitGone(.configMaps, "dependent")
        }
    }

    @Test("an owner of a kind that nobody follows is never taken for gone")
    func unknownKind() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            var reference = OwnerReference(controller: try await makeMap(fixture, "owner"))
            reference.kind = "Widget"
            reference.apiVersion = "example.com/v1"
            _ = try await makeMap(fixture, "dependent", owners: [reference])
            var dangling = reference
            dangling.kind = "ConfigMap"
            dangling.apiVersion = "v1"
            dangling.uid = "nobody"
            _ = try await makeMap(fixture, "later", owners: [dangling])
            try await fixture.waitGone(.configMaps, "later")
            #expect(try await !fixture.client.get(.configMaps, "dependent", in: "default").isBeingDeleted)
        }
    }

    @Test("a circle of owners goes as a whole when one of them is deleted in the foreground")
    func circle() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            var maps: [KubeObject] = []
            for name in ["a", "b", "c"] { maps.append(try await makeMap(fixture, name)) }
            for (index, map) in maps.enumerated() {
                let owner = OwnerReference(controller: maps[(index + 2) % 3])
                try await fixture.patch(.configMaps, map.name, ["metadata": ["ownerReferences": [owner.value]]])
            }
            try await delete(fixture, "a", .foreground)
            for name in ["a", "b", "c"] { try await fixture.waitGone(.configMaps, name) }
        }
    }
}

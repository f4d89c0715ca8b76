import KubeClient
import KubeModel
import LabTesting
import Testing

@Suite("StatefulSet controller", .timeLimit(.minutes(5))) struct StatefulSetTests {
    private func make(_ fixture: Fixture, _ spec: JSONValue = [:], replicas: Int = 2) async throws -> KubeObject {
        var set = KubeObject(.statefulSets, namespace: "default", name: "db")
        set.value["spec"] = spec
        set.value[["spec", "replicas"]] = JSONValue(replicas)
        set.value[["spec", "serviceName"]] = "db"
        set.value[["spec", "selector"]] = ["matchLabels": ["app": "db"]]
        set.value[["spec", "template"]] = [
            "metadata": ["labels": ["app": "db"]], "spec": ["containers": [["name": "main", "image": "db:1.0"]]],
        ]
        return try await fixture.client.create(.statefulSets, set)
    }

    private let claims: JSONValue = [
        [
            "metadata": ["name": "data"],
            "spec": ["accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "1Gi"]]],
        ]
    ]

    private func waitReady(_ fixture: Fixture, _ count: Int) async throws -> KubeObject {
        try await fixture.wait(.statefulSets, "db") { set in
            let status = set.value["status"]
            return status?["readyReplicas"]?.int ?? 0 == count && status?["replicas"]?.int ?? 0 == count
                && status?["observedGeneration"]?.int == set.generation
        }
    }

    @Test("pods have names, numbers and host names of their own")
    func identity() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await make(fixture)
            let set = try await waitReady(fixture, 2)
            let pod = try await fixture.client.get(.pods, "db-1", in: "default")
            #expect(pod.labels[StatefulSet.podNameLabel] == "db-1")
            #expect(pod.labels[StatefulSet.podIndexLabel] == "1")
            #expect(pod.value[["spec", "hostname"]] == "db-1")
            #expect(pod.value[["spec", "subdomain"]] == "db")
            let revision = set.value[["status", "updateRevision"]]?.string ?? ""
            #expect(pod.labels[StatefulSet.revisionLabel] == revision)
            #expect(set.value[["status", "currentRevision"]]?.string == revision)
            #expect(set.value[["status", "currentReplicas"]] == 2)
            #expect(set.value[["status", "collisionCount"]] == 0)
            let history = try await fixture.client.get(.controllerRevisions, revision, in: "default")
            #expect(history.value["revision"] == 1)
            #expect(history.value[["data", "spec", "template", "$patch"]] == "replace")
            #expect(
                Set(try await fixture.messages("SuccessfulCreate", about: "db", count: 2)) == [
                    "create Pod db-0 in StatefulSet db successful", "create Pod db-1 in StatefulSet db successful",
                ])
        }
    }

    @Test("a change of the template reaches every pod, and can be taken back")
    func update() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await make(fixture)
            let first = try await waitReady(fixture, 2)
            let before = first.value[["status", "currentRevision"]]
            func setImage(_ image: String) async throws {
                let template: JSONValue = ["spec": ["containers": [["name": "main", "image": .string(image)]]]]
                try await fixture.patch(.statefulSets, "db", ["spec": ["template": template]])
            }
            try await setImage("db:2.0")
            let second = try await fixture.wait(.statefulSets, "db") { set in
                let status = set.value["status"]
                return status?["currentRevision"] != before && status?["currentRevision"] == status?["updateRevision"]
                    && status?["updatedReplicas"] == 2 && status?["readyReplicas"] == 2
            }
            #expect(try await fixture.pods().allSatisfy { $0.containers.first?.image == "db:2.0" })
            let after = second.value[["status", "currentRevision"]]
            try await setImage("db:1.0")
            try await fixture.wait(.statefulSets, "db") { set in
                let status = set.value["status"]
                return status?["currentRevision"] == before && status?["readyReplicas"] == 2
            }
            // The old state is the newest again, under its old name.
            let revisions = try await fixture.client.list(.controllerRevisions, in: "default").items
            #expect(Set(revisions.map(\.name)) == Set([before, after].compactMap { $0?.string }))
            #expect(revisions.first { $0.name == before?.string }?.value["revision"] == 3)
        }
    }

    @Test("each pod has claims, which stay when it goes")
    func claimsStay() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await make(fixture, ["volumeClaimTemplates": claims])
            _ = try await waitReady(fixture, 2)
            let pod = Pod(try await fixture.client.get(.pods, "db-1", in: "default"))
            #expect(
                pod.spec["volumes"]?.array?.first
                    == ["name": "data", "persistentVolumeClaim": ["claimName": "data-db-1"]])
            try await fixture.patch(.statefulSets, "db", ["spec": ["replicas": 1]])
            _ = try await waitReady(fixture, 1)
            let names = try await fixture.client.list(.persistentVolumeClaims, in: "default").items.map(\.name)
            #expect(names.sorted() == ["data-db-0", "data-db-1"])
            let claim = try await fixture.client.get(.persistentVolumeClaims, "data-db-0", in: "default")
            #expect(claim.labels == ["app": "db"])
            #expect(claim.ownerReferences.isEmpty)
        }
    }

    @Test("claims of pods that scaling takes away belong to them, if the policy says so")
    func claimsGo() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            let policy: JSONValue = ["whenScaled": "Delete", "whenDeleted": "Delete"]
            let set = try await make(
                fixture, ["volumeClaimTemplates": claims, "persistentVolumeClaimRetentionPolicy": policy])
            _ = try await waitReady(fixture, 2)
            let kept = try await fixture.client.get(.persistentVolumeClaims, "data-db-0", in: "default")
            #expect(kept.ownerReferences.map(\.uid) == [set.uid])
            try await fixture.patch(.statefulSets, "db", ["spec": ["replicas": 1]])
            try await fixture.waitGone(.pods, "db-1")
            try await fixture.waitGone(.persistentVolumeClaims, "data-db-1")
        }
    }
}

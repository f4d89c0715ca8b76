import KubeClient
import KubeModel
import LabTesting
import Testing

@Suite("Deployment", .timeLimit(.minutes(5))) struct DeploymentTests {
    private func start(_ fixture: Fixture, _ change: (inout KubeObject) -> Void = { _ in }) async throws {
        var object = MemoryCluster.deployment("web", replicas: 2)
        change(&object)
        _ = try await fixture.client.create(.deployments, object)
    }

    @Test("it makes a ReplicaSet of its template, and that makes pods")
    func children() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            try await start(fixture)
            let deployment = try await fixture.waitRolledOut()
            let sets = try await fixture.client.list(.replicaSets, in: "default").items
            let set = try #require(sets.first)
            #expect(sets.count == 1)
            let hash = try #require(set.labels["pod-template-hash"])
            #expect(set.name == "web-\(hash)")
            #expect(set.labels["app"] == "web")
            #expect(ReplicaSet(set).selector.matches(["app": "web", "pod-template-hash": hash]))
            #expect(!ReplicaSet(set).selector.matches(["app": "web"]))
            #expect(set.ownerReferences == [OwnerReference(controller: deployment)])
            #expect(set.annotations["deployment.kubernetes.io/revision"] == "1")
            #expect(set.annotations["deployment.kubernetes.io/desired-replicas"] == "2")
            #expect(set.annotations["deployment.kubernetes.io/max-replicas"] == "3")
            #expect(deployment.annotations["deployment.kubernetes.io/revision"] == "1")
            let pods = try await fixture.pods()
            #expect(pods.count == 2)
            for pod in pods {
                #expect(pod.name.hasPrefix("web-\(hash)-"))
                #expect(pod.object.generateName == "web-\(hash)-")
                #expect(pod.object.ownerReferences == [OwnerReference(controller: set)])
                #expect(pod.object.labels == ["app": "web", "pod-template-hash": hash])
            }
            #expect(
                try await fixture.messages("ScalingReplicaSet", about: "web", count: 1) == [
                    "Scaled up replica set \(set.name) from 0 to 2"
                ])
        }
    }

    @Test("scaling changes the size of the ReplicaSet, and nothing else")
    func scaling() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            try await start(fixture)
            try await fixture.waitRolledOut()
            let before = Set(try await fixture.pods().map(\.uid))
            try await fixture.patch(.deployments, "web", ["spec": ["replicas": 4]])
            try await fixture.waitRolledOut()
            let set = try #require(try await fixture.sets(image: "web:1.0").first)
            #expect(set.replicas == 4)
            #expect(set.revision == 1)
            #expect(set.object.annotations["deployment.kubernetes.io/desired-replicas"] == "4")
            #expect(before.isSubset(of: Set(try await fixture.pods().map(\.uid))))
            try await fixture.patch(.deployments, "web", ["spec": ["replicas": 0]])
            try await fixture.waitAll(.pods) { $0.isEmpty }
            try await fixture.waitRolledOut()
            try await fixture.patch(.deployments, "web", ["spec": ["replicas": 1]])
            try await fixture.waitRolledOut()
            let texts = try await fixture.messages("ScalingReplicaSet", about: "web", count: 4)
            #expect(
                Set(texts) == [
                    "Scaled up replica set \(set.name) from 0 to 2", "Scaled up replica set \(set.name) from 2 to 4",
                    "Scaled down replica set \(set.name) from 4 to 0", "Scaled up replica set \(set.name) from 0 to 1",
                ])
        }
    }

    @Test("a new image makes a second ReplicaSet with revision 2, and empties the first")
    func update() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            try await start(fixture)
            try await fixture.waitRolledOut()
            try await fixture.setImage("web:1.1")
            let deployment = try await fixture.waitRolledOut()
            let old = try #require(try await fixture.sets(image: "web:1.0").first)
            let new = try #require(try await fixture.sets(image: "web:1.1").first)
            #expect(old.replicas == 0)
            #expect(new.replicas == 2)
            #expect([old.revision, new.revision] == [1, 2])
            #expect(deployment.annotations["deployment.kubernetes.io/revision"] == "2")
            try await fixture.waitAll(.pods) { $0.count == 2 }
            #expect(try await fixture.pods().allSatisfy { $0.containers.first?.image == "web:1.1" })
            let texts = try await fixture.messages("ScalingReplicaSet", about: "web", count: 5)
            #expect(texts.contains("Scaled up replica set \(new.name) from 0 to 1"))
            #expect(texts.contains("Scaled down replica set \(old.name) from 1 to 0"))
        }
    }

    @Test("going back to an old template reuses its ReplicaSet and gives it the newest revision")
    func rollback() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            try await start(fixture)
            try await fixture.waitRolledOut()
            let first = try #require(try await fixture.sets(image: "web:1.0").first)
            try await fixture.setImage("web:1.1")
            try await fixture.waitRolledOut()
            try await fixture.setImage("web:1.0")
            let deployment = try await fixture.waitRolledOut()
            let sets = try await fixture.sets(image: "web:1.0")
            #expect(sets.map(\.object.uid) == [first.object.uid])
            #expect(sets.map(\.revision) == [3])
            #expect(sets.first?.object.annotations["deployment.kubernetes.io/revision-history"] == "1")
            #expect(try await fixture.sets(image: "web:1.1").map(\.revision) == [2])
            #expect(deployment.annotations["deployment.kubernetes.io/revision"] == "3")
        }
    }

    @Test("only as many old ReplicaSets are kept as revisionHistoryLimit says, the newest ones")
    func history() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            try await start(fixture) { $0.value[["spec", "revisionHistoryLimit"]] = 1 }
            try await fixture.waitRolledOut()
            for version in ["1.1", "1.2", "1.3"] {
                try await fixture.setImage("web:\(version)")
                try await fixture.waitRolledOut()
            }
            let left = try await fixture.waitAll(.replicaSets) { $0.count == 2 }
            #expect(Set(left.map { ReplicaSet($0).revision }) == [3, 4])
        }
    }

    @Test("annotations and minReadySeconds reach the ReplicaSet of the present template without a rollout")
    func annotations() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            try await start(fixture) {
                $0.annotations = ["kubectl.kubernetes.io/last-applied-configuration": "{}", "team": "a"]
            }
            try await fixture.waitRolledOut()
            let set = try #require(try await fixture.sets(image: "web:1.0").first)
            #expect(set.object.annotations["team"] == "a")
            #expect(set.object.annotations["kubectl.kubernetes.io/last-applied-configuration"] == nil)
            try await fixture.patch(
                .deployments, "web", ["metadata": ["annotations": ["kubernetes.io/change-cause": "first"]]])
            try await fixture.wait(.replicaSets, set.name) {
                $0.annotations["kubernetes.io/change-cause"] == "first"
            }
            try await fixture.patch(.deployments, "web", ["spec": ["minReadySeconds": 1]])
            try await fixture.wait(.replicaSets, set.name) { ReplicaSet($0).minReadySeconds == 1 }
            #expect(try await fixture.client.list(.replicaSets, in: "default").items.count == 1)
            #expect(try await fixture.sets(image: "web:1.0").map(\.revision) == [1])
        }
    }

    @Test("a ReplicaSet without owner that matches is taken over instead of a new one being made")
    func adoption() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            try await start(fixture)
            try await fixture.waitRolledOut()
            let set = try #require(try await fixture.sets(image: "web:1.0").first)
            try await fixture.client.delete(
                .deployments, namespace: "default", name: "web", options: DeleteOptions(propagation: .orphan))
            try await fixture.waitGone(.deployments, "web")
            try await fixture.wait(.replicaSets, set.name) { $0.ownerReferences.isEmpty }
            let before = Set(try await fixture.pods().map(\.uid))
            try await start(fixture)
            let deployment = try await fixture.waitRolledOut()
            let sets = try await fixture.client.list(.replicaSets, in: "default").items
            #expect(sets.map(\.uid) == [set.object.uid])
            #expect(sets.first?.controllerOwner?.uid == deployment.uid)
            #expect(Set(try await fixture.pods().map(\.uid)) == before)
        }
    }

    @Test("the scale sub-resource changes the number of pods")
    func scaleSubresource() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            try await start(fixture)
            try await fixture.waitRolledOut()
            _ = try await fixture.client.patch(
                .deployments, namespace: "default", name: "web", .merge(["spec": ["replicas": 3]]),
                subresource: "scale", options: WriteOptions())
            try await fixture.waitAll(.pods) { $0.count == 3 && $0.allSatisfy { Pod($0).isReady } }
        }
    }
}

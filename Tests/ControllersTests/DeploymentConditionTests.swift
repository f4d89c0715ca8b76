import KubeClient
import KubeModel
import LabTesting
import Synchronization
import Testing

@Suite("Status of a Deployment", .timeLimit(.minutes(5))) struct DeploymentConditionTests {
    @Test("a finished rollout is Available and Progressing with the reasons that kubectl reads")
    func complete() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await fixture.client.create(.deployments, MemoryCluster.deployment("web", replicas: 2))
            let deployment = try await fixture.waitRolledOut()
            let set = try #require(try await fixture.sets(image: "web:1.0").first)
            let available = try #require(Deployment(deployment).conditions["Available"])
            #expect(available.isTrue)
            #expect(available.reason == "MinimumReplicasAvailable")
            #expect(available.message == "Deployment has minimum availability.")
            let progressing = try #require(Deployment(deployment).conditions["Progressing"])
            #expect(progressing.isTrue)
            #expect(progressing.message == "ReplicaSet \"\(set.name)\" has successfully progressed.")
            #expect(progressing.lastUpdateTime != nil)
            var status = deployment.value["status"]
            status?["conditions"] = nil
            #expect(
                status == [
                    "observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2,
                    "availableReplicas": 2,
                ])
        }
    }

    @Test("too few ready pods make it unavailable, and it recovers")
    func unavailable() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await fixture.client.create(.deployments, MemoryCluster.deployment("web", replicas: 2))
            try await fixture.waitRolledOut()
            let pod = try #require(try await fixture.pods().first)
            try await fixture.node.setReady(false, pod.name)
            let deployment = try await fixture.wait(.deployments, "web") {
                Deployment($0).conditions["Available"]?.isTrue == false
            }
            let available = try #require(Deployment(deployment).conditions["Available"])
            #expect(available.reason == "MinimumReplicasUnavailable")
            #expect(available.message == "Deployment does not have minimum availability.")
            #expect(deployment.value[["status", "unavailableReplicas"]] == 1)
            // What was complete and lost a pod is not progressing anew.
            #expect(Deployment(deployment).conditions["Progressing"]?.reason == "NewReplicaSetAvailable")
            try await fixture.node.setReady(true, pod.name)
            try await fixture.wait(.deployments, "web") { Deployment($0).conditions["Available"]?.isTrue == true }
        }
    }

    @Test("observedGeneration follows the spec")
    func observedGeneration() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await fixture.client.create(.deployments, MemoryCluster.deployment("web", replicas: 1))
            try await fixture.waitRolledOut()
            let changed = try await fixture.setImage("web:1.1")
            #expect(changed.generation == 2)
            try await fixture.wait(.deployments, "web") { $0.value[["status", "observedGeneration"]] == 2 }
        }
    }

    @Test("scaling what is rolled out is no new rollout: Progressing stays as it was")
    func scalingIsNoRollout() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await fixture.client.create(.deployments, MemoryCluster.deployment("web", replicas: 1))
            try await fixture.waitRolledOut()
            let start = try await fixture.client.list(.deployments, in: "default").resourceVersion
            try await fixture.patch(.deployments, "web", ["spec": ["replicas": 3]])
            try await fixture.wait(.deployments, "web") { $0.value[["status", "availableReplicas"]] == 3 }
            let changes = try await fixture.client.watch(
                .deployments, namespace: "default", options: WatchOptions(resourceVersion: start))
            for try await change in changes {
                guard let object = change.object else { continue }
                #expect(Deployment(object).conditions["Progressing"]?.reason == "NewReplicaSetAvailable")
                if object.value[["status", "availableReplicas"]] == 3 { break }
            }
        }
    }

    @Test("a rollout that gets nowhere exceeds its deadline; a working image ends that")
    func deadline() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            var object = MemoryCluster.deployment("web", replicas: 1)
            object.value[["spec", "progressDeadlineSeconds"]] = 1
            _ = try await fixture.client.create(.deployments, object)
            try await fixture.waitRolledOut()
            try await fixture.setImage("web:broken")
            let late = try await fixture.wait(.deployments, "web") {
                Deployment($0).conditions["Progressing"]?.reason == "ProgressDeadlineExceeded"
            }
            let broken = try #require(try await fixture.sets(image: "web:broken").first)
            let progressing = try #require(Deployment(late).conditions["Progressing"])
            #expect(!progressing.isTrue)
            #expect(progressing.message == "ReplicaSet \"\(broken.name)\" has timed out progressing.")
            #expect(try await fixture.sets(image: "web:1.0").map(\.readyReplicas) == [1])
            try await fixture.setImage("web:1.1")
            try await fixture.waitRolledOut()
        }
    }

    @Test("a paused Deployment does not roll out until it goes on")
    func paused() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await fixture.client.create(.deployments, MemoryCluster.deployment("web", replicas: 2))
            try await fixture.waitRolledOut()
            try await fixture.patch(.deployments, "web", ["spec": ["paused": true]])
            let changed = try await fixture.setImage("web:1.1")
            let paused = try await fixture.wait(.deployments, "web") {
                $0.value[["status", "observedGeneration"]]?.int == changed.generation
            }
            let progressing = try #require(Deployment(paused).conditions["Progressing"])
            #expect(progressing.status == "Unknown")
            #expect(progressing.reason == "DeploymentPaused")
            #expect(progressing.message == "Deployment is paused")
            #expect(try await fixture.sets(image: "web:1.1").isEmpty)
            try await fixture.patch(.deployments, "web", ["spec": ["paused": false]])
            try await fixture.waitRolledOut()
            #expect(try await fixture.sets(image: "web:1.1").map(\.readyReplicas) == [2])
        }
    }

    @Test("a paused Deployment is scaled all the same, to nothing and back")
    func pausedScaling() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await fixture.client.create(.deployments, MemoryCluster.deployment("web", replicas: 2))
            try await fixture.waitRolledOut()
            try await fixture.patch(.deployments, "web", ["spec": ["paused": true]])
            try await fixture.setImage("web:1.1")
            for size in [3, 0, 2] {
                try await fixture.patch(.deployments, "web", ["spec": ["replicas": JSONValue(size)]])
                try await fixture.waitAll(.pods) { $0.count == size }
            }
            #expect(try await fixture.sets(image: "web:1.0").map(\.replicas) == [2])
            #expect(try await fixture.sets(image: "web:1.1").isEmpty)
        }
    }

    @Test("pods that cannot be made are a ReplicaFailure, and an event, until they can")
    func replicaFailure() async throws {
        let isRefusing = Atomic(true)
        let fixture = try Fixture { request throws(Status) in
            guard request.verb == .create, request.resource == .pods, isRefusing.load(ordering: .relaxed) else {
                return
            }
            throw Status(code: 403, reason: "Forbidden", message: "pods \"web\" is forbidden: exceeded quota")
        }
        try await fixture.running {
            _ = try await fixture.client.create(.deployments, MemoryCluster.deployment("web", replicas: 1))
            let deployment = try await fixture.wait(.deployments, "web") {
                Deployment($0).conditions["ReplicaFailure"] != nil
            }
            let set = try #require(try await fixture.sets(image: "web:1.0").first)
            let failure = try #require(Deployment(deployment).conditions["ReplicaFailure"])
            #expect(failure.isTrue)
            #expect(failure.reason == "FailedCreate")
            #expect(failure.message == "pods \"web\" is forbidden: exceeded quota")
            let own = Conditions(set.object.value[["status", "conditions"]])["ReplicaFailure"]
            #expect(own?.message == failure.message)
            let texts = try await fixture.messages("FailedCreate", about: set.name, count: 1)
            #expect(texts == ["Error creating: pods \"web\" is forbidden: exceeded quota"])
            isRefusing.store(false, ordering: .relaxed)
            let healed = try await fixture.waitRolledOut()
            #expect(Deployment(healed).conditions["ReplicaFailure"] == nil)
        }
    }
}

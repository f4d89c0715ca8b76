import KubeClient
import KubeModel
import LabTesting
import Testing

@Suite("ReplicaSet", .timeLimit(.minutes(5))) struct ReplicaSetTests {
    private func make(_ fixture: Fixture, replicas: Int) async throws -> KubeObject {
        var set = KubeObject(.replicaSets, namespace: "default", name: "web")
        set.value["spec"] = [
            "replicas": JSONValue(replicas), "selector": ["matchLabels": ["app": "web"]],
            "template": [
                "metadata": ["labels": ["app": "web"]],
                "spec": ["containers": [["name": "main", "image": "web:1.0"]]],
            ],
        ]
        return try await fixture.client.create(.replicaSets, set)
    }

    private func waitReady(_ fixture: Fixture, _ count: Int) async throws -> [KubeObject] {
        let pods = try await fixture.waitAll(.pods, selector: "app=web") { pods in
            pods.count == count && pods.allSatisfy { Pod($0).isReady && $0.controllerOwner != nil }
        }
        try await fixture.wait(.replicaSets, "web") {
            $0.value[["status", "replicas"]]?.int == count && $0.value[["status", "readyReplicas"]]?.int == count
        }
        return pods
    }

    @Test("a pod that is deleted is replaced by another one")
    func replacement() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            let set = try await make(fixture, replicas: 2)
            let pods = try await waitReady(fixture, 2)
            try await fixture.client.delete(
                .pods, namespace: "default", name: pods[0].name, options: DeleteOptions())
            try await fixture.waitAll(.pods) { now in
                now.count == 2 && !now.contains { $0.uid == pods[0].uid } && now.allSatisfy { Pod($0).isReady }
            }
            let names = try await fixture.pods().map(\.name) + [pods[0].name]
            let texts = try await fixture.messages("SuccessfulCreate", about: set.name, count: 3)
            #expect(Set(texts) == Set(names.map { "Created pod: \($0)" }))
        }
    }

    @Test("a pod that has ended is replaced, and stays to be looked at")
    func endedPod() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await make(fixture, replicas: 1)
            let pod = try await waitReady(fixture, 1)[0]
            try await fixture.node.setPhase("Failed", pod.name)
            let both = try await fixture.waitAll(.pods) { $0.count == 2 && $0.contains { Pod($0).isActive } }
            #expect(both.contains { $0.uid == pod.uid && Pod($0).phase == "Failed" })
        }
    }

    @Test("scaling down takes the pod that is not ready first")
    func scaleDown() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            let set = try await make(fixture, replicas: 3)
            let pods = try await waitReady(fixture, 3)
            let victim = pods[1].name
            try await fixture.node.setReady(false, victim)
            try await fixture.patch(.replicaSets, "web", ["spec": ["replicas": 2]])
            try await fixture.waitGone(.pods, victim)
            let left = try await waitReady(fixture, 2)
            #expect(left.map(\.uid) == [pods[0].uid, pods[2].uid])
            #expect(
                try await fixture.messages("SuccessfulDelete", about: set.name, count: 1) == ["Deleted pod: \(victim)"])
        }
    }

    @Test("pods without owner that match are adopted before new ones are made")
    func adoption() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            let orphan = try await fixture.client.create(.pods, MemoryCluster.pod("web"))
            let set = try await make(fixture, replicas: 2)
            let pods = try await waitReady(fixture, 2)
            let adopted = try #require(pods.first { $0.uid == orphan.uid })
            #expect(adopted.ownerReferences == [OwnerReference(controller: set)])
            // One that comes later is one too many, and somebody has to go.
            _ = try await fixture.client.create(
                .pods,
                {
                    var late = MemoryCluster.pod("late")
                    late.labels = ["app": "web"]
                    return late
                }())
            _ = try await fixture.messages("SuccessfulDelete", about: set.name, count: 1)
            _ = try await waitReady(fixture, 2)
        }
    }

    @Test("a pod whose labels change is released and replaced, and lives on")
    func release() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await make(fixture, replicas: 1)
            let pod = try await waitReady(fixture, 1)[0]
            try await fixture.patch(.pods, pod.name, ["metadata": ["labels": ["app": "debug"]]])
            try await fixture.wait(.pods, pod.name) { $0.ownerReferences.isEmpty }
            let fresh = try await waitReady(fixture, 1)[0]
            #expect(fresh.uid != pod.uid)
            #expect(try await fixture.client.get(.pods, pod.name, in: "default").uid == pod.uid)
        }
    }

    @Test("a set whose pods are refused is told once, so that its own status is no reason to try again at once")
    func refusals() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            var quota = KubeObject(.resourceQuotas, namespace: "default", name: "none")
            quota.value[["spec", "hard", "pods"]] = "0"
            _ = try await fixture.client.create(.resourceQuotas, quota)
            _ = try await make(fixture, replicas: 1)
            let told = try await fixture.wait(.replicaSets, "web") {
                $0.value[["status", "conditions"]]?.array?.isEmpty == false
            }
            _ = try await fixture.messages("FailedCreate", about: "web", count: 5)
            let now = try await fixture.client.get(.replicaSets, "web", in: "default")
            #expect(now.resourceVersion == told.resourceVersion)
        }
    }

    @Test("its status counts pods that are there, labelled, ready and available")
    func status() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await make(fixture, replicas: 2)
            let pods = try await waitReady(fixture, 2)
            try await fixture.node.setReady(false, pods[0].name)
            let set = try await fixture.wait(.replicaSets, "web") { $0.value[["status", "readyReplicas"]] == 1 }
            #expect(
                set.value["status"] == [
                    "replicas": 2, "fullyLabeledReplicas": 2, "readyReplicas": 1, "availableReplicas": 1,
                    "observedGeneration": 1,
                ])
        }
    }
}

import KubeClient
import KubeModel
import LabTesting
import Testing

@Suite("Rolling update", .timeLimit(.minutes(5))) struct RollingUpdateTests {
    struct Limits: Sendable, CustomTestStringConvertible {
        var replicas: Int
        var surge: JSONValue
        var unavailable: JSONValue
        /// What the two come to.
        var most: Int
        var least: Int
        var testDescription: String { "\(replicas) replicas, surge \(surge.text), unavailable \(unavailable.text)" }

        init(_ replicas: Int, _ surge: JSONValue, _ unavailable: JSONValue, most: Int, least: Int) {
            self.replicas = replicas
            self.surge = surge
            self.unavailable = unavailable
            self.most = most
            self.least = least
        }
    }

    @Test(
        "it stays within its limits at every single change",
        arguments: [
            Limits(1, 1, 0, most: 2, least: 1), Limits(1, 0, 1, most: 1, least: 0),
            Limits(3, 1, 0, most: 4, least: 3), Limits(3, 0, 1, most: 3, least: 2),
            Limits(4, 2, 1, most: 6, least: 3), Limits(4, "25%", "25%", most: 5, least: 3),
            Limits(5, "50%", "0%", most: 8, least: 5), Limits(5, "0%", "50%", most: 5, least: 3),
            Limits(6, "100%", "100%", most: 12, least: 0),
        ])
    func limits(limits: Limits) async throws {
        let fixture = try Fixture()
        try await fixture.running {
            var object = MemoryCluster.deployment("web", replicas: limits.replicas)
            object.value[["spec", "strategy"]] = [
                "type": "RollingUpdate",
                "rollingUpdate": ["maxSurge": limits.surge, "maxUnavailable": limits.unavailable],
            ]
            _ = try await fixture.client.create(.deployments, object)
            try await fixture.waitRolledOut()
            var history = try await RolloutHistory(fixture.client)
            try await fixture.setImage("web:1.1")
            try await fixture.waitRolledOut()
            try await history.replay(fixture.client) { moment in
                #expect(moment.plannedPods <= limits.most, "\(moment)")
                #expect(moment.readyPods >= limits.least, "\(moment)")
                #expect(moment.overfilledSet == nil, "\(moment)")
            }
            #expect(history.momentCount > limits.replicas * 2)
        }
    }

    @Test("a broken image stops the rollout, and the old pods go on serving")
    func brokenImage() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await fixture.client.create(.deployments, MemoryCluster.deployment("web", replicas: 4))
            try await fixture.waitRolledOut()
            var history = try await RolloutHistory(fixture.client)
            try await fixture.setImage("web:broken")
            // 25 % of 4: one pod more, one pod fewer, and then nothing goes on.
            try await fixture.wait(.deployments, "web") { object in
                object.value[["status", "updatedReplicas"]] == 2 && object.value[["status", "replicas"]] == 5
                    && object.value[["status", "availableReplicas"]] == 3
                    && object.value[["status", "unavailableReplicas"]] == 2
            }
            let old = try #require(try await fixture.sets(image: "web:1.0").first)
            let new = try #require(try await fixture.sets(image: "web:broken").first)
            #expect([old.replicas, new.replicas] == [3, 2])
            let conditions = Deployment(try await fixture.client.get(.deployments, "web", in: "default")).conditions
            #expect(conditions["Available"]?.isTrue == true)
            #expect(conditions["Progressing"]?.reason == "ReplicaSetUpdated")
            #expect(conditions["Progressing"]?.message == "ReplicaSet \"\(new.name)\" is progressing.")

            try await fixture.setImage("web:1.0")
            try await fixture.waitRolledOut()
            try await history.replay(fixture.client) { moment in
                #expect(moment.readyPods >= 3, "\(moment)")
                #expect(moment.plannedPods <= 5, "\(moment)")
            }
        }
    }

    @Test("a rollout waits for pods that are told to be ready")
    func manualReadiness() async throws {
        let fixture = try Fixture(nodeIsAutomatic: false)
        try await fixture.running {
            _ = try await fixture.client.create(.deployments, MemoryCluster.deployment("web", replicas: 1))
            let pods = try await fixture.waitAll(.pods) { $0.count == 1 && Pod($0[0]).phase == "Running" }
            try await fixture.wait(.deployments, "web") { $0.value[["status", "unavailableReplicas"]] == 1 }
            try await fixture.node.setReady(true, pods[0].name)
            try await fixture.waitRolledOut()
            try await fixture.setImage("web:1.1")
            let two = try await fixture.waitAll(.pods) { $0.count == 2 && $0.allSatisfy { Pod($0).phase == "Running" } }
            let fresh = try #require(two.first { $0.uid != pods[0].uid })
            try await fixture.wait(.deployments, "web") {
                $0.value[["status", "updatedReplicas"]] == 1 && $0.value[["status", "replicas"]] == 2
            }
            #expect(try await fixture.sets(image: "web:1.0").map(\.replicas) == [1])
            try await fixture.node.setReady(true, fresh.name)
            try await fixture.waitRolledOut()
            try await fixture.waitGone(.pods, pods[0].name)
        }
    }

    @Test("a size that changes in the middle of a rollout is spread over both ReplicaSets")
    func scaledWhileStuck() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            var object = MemoryCluster.deployment("web", replicas: 10)
            object.value[["spec", "strategy"]] = ["rollingUpdate": ["maxSurge": 3, "maxUnavailable": 2]]
            _ = try await fixture.client.create(.deployments, object)
            try await fixture.waitRolledOut()
            try await fixture.setImage("web:broken")
            try await fixture.wait(.deployments, "web") {
                $0.value[["status", "updatedReplicas"]] == 5 && $0.value[["status", "replicas"]] == 13
                    && $0.value[["status", "availableReplicas"]] == 8
            }
            try await fixture.patch(.deployments, "web", ["spec": ["replicas": 15]])
            try await fixture.wait(.deployments, "web") {
                $0.value[["status", "updatedReplicas"]] == 7 && $0.value[["status", "replicas"]] == 18
            }
            #expect(try await fixture.sets(image: "web:1.0").map(\.replicas) == [11])
        }
    }
}

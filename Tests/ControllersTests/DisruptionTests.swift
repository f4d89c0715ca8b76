import KubeClient
import KubeModel
import LabTesting
import Testing

@testable import Controllers

@Suite("Disruption budgets", .timeLimit(.minutes(5))) struct DisruptionTests {
    private static let now = Timestamp(seconds: 1000)

    private static func budget(_ spec: JSONValue, status: JSONValue = [:]) -> DisruptionBudget {
        var object = KubeObject(.podDisruptionBudgets, namespace: "default", name: "web")
        object.value["spec"] = spec
        object.value["status"] = status
        return DisruptionBudget(object)
    }

    @Test(
        "a budget counts by number or by share, and rounds shares up",
        arguments: [
            (["minAvailable": 1], 3, 3, 1, 2), (["minAvailable": "50%"], 3, 3, 2, 1),
            (["maxUnavailable": 1], 3, 3, 2, 1), (["maxUnavailable": "50%"], 3, 3, 1, 2),
            (["maxUnavailable": 5], 3, 3, 0, 3), (["minAvailable": 5], 3, 3, 5, 0), ([:], 3, 0, 0, 0),
        ] as [(JSONValue, Int, Int, Int, Int)])
    func counts(spec: JSONValue, scale: Int, expected: Int, desired: Int, allowed: Int) {
        let pods = (1...3).map { Pod.example("web-\($0)") }
        let plan = DisruptionPlan(budget: Self.budget(spec), pods: pods, scale: scale, now: Self.now)
        #expect(plan.expectedPods == expected)
        #expect(plan.desiredHealthy == desired)
        #expect(plan.disruptionsAllowed == allowed)
    }

    @Test("pods that are not ready, going, or granted to go are not healthy")
    func healthy() {
        let pods = [
            Pod.example("a"), Pod.example("b", isReady: false), Pod.example("c").beingDeleted, Pod.example("d"),
            Pod.example("e"),
        ]
        let status: JSONValue = [
            "disruptedPods": [
                "d": .string(Timestamp(seconds: 990).text), "e": .string(Timestamp(seconds: 800).text),
                "gone": .string(Timestamp(seconds: 990).text),
            ]
        ]
        let plan = DisruptionPlan(
            budget: Self.budget(["minAvailable": 1], status: status), pods: pods, scale: 0, now: Self.now)
        #expect(plan.currentHealthy == 2)
        #expect(plan.disruptionsAllowed == 1)
        #expect(plan.disruptedPods == ["d": Timestamp(seconds: 990)])
        #expect(plan.undeletedPods == ["e"])
        #expect(plan.nextCheck == Timestamp(seconds: 1110))
    }

    private func evict(_ pod: String, _ fixture: Fixture) async throws {
        _ = try await fixture.client.call(
            "POST", .pods, namespace: "default", name: pod, subresource: "eviction",
            body: ["apiVersion": "policy/v1", "kind": "Eviction", "metadata": ["name": .string(pod)]])
    }

    private func make(_ spec: JSONValue, in fixture: Fixture) async throws {
        var budget = KubeObject(.podDisruptionBudgets, namespace: "default", name: "web")
        budget.value["spec"] = spec
        budget.value[["spec", "selector"]] = ["matchLabels": ["app": "web"]]
        _ = try await fixture.client.create(.podDisruptionBudgets, budget)
    }

    @Test("the budget of a deployment's pods follows its wished number, and grants evictions one by one")
    func eviction() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await fixture.client.create(.deployments, MemoryCluster.deployment("web", replicas: 3))
            try await fixture.waitRolledOut()
            try await make(["minAvailable": "60%"], in: fixture)
            let budget = try await fixture.wait(.podDisruptionBudgets, "web") {
                DisruptionBudget($0).disruptionsAllowed == 1
            }
            #expect(budget.value[["status", "expectedPods"]] == 3)
            #expect(budget.value[["status", "desiredHealthy"]] == 2)
            let condition = try #require(DisruptionBudget(budget).conditions["DisruptionAllowed"])
            #expect(condition.isTrue && condition.reason == "SufficientPods")

            fixture.node.cling()
            let names = try await fixture.pods().map(\.name).sorted()
            try await evict(names[0], fixture)
            let going = try await fixture.client.get(.pods, names[0], in: "default")
            #expect(going.isBeingDeleted)
            #expect(Pod(going).conditions["DisruptionTarget"]?.message == "Eviction API: evicting")
            // A new pod takes its place, and the budget can give again.
            try await fixture.wait(.podDisruptionBudgets, "web") { budget in
                DisruptionBudget(budget).disruptionsAllowed == 1 && DisruptionBudget(budget).disruptedPods.isEmpty
            }
        }
    }

    @Test("an eviction beyond the budget is refused with what the budget needs and has")
    func refusal() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await fixture.client.create(.deployments, MemoryCluster.deployment("web", replicas: 2))
            try await fixture.waitRolledOut()
            try await make(["maxUnavailable": 0], in: fixture)
            try await fixture.wait(.podDisruptionBudgets, "web") { DisruptionBudget($0).currentHealthy == 2 }
            let name = try #require(try await fixture.pods().first?.name)
            await #expect(
                throws: Status(
                    code: 429, reason: "TooManyRequests",
                    message: "Cannot evict pod as it would violate the pod's disruption budget.",
                    details: [
                        "causes": [
                            [
                                "reason": "DisruptionBudget",
                                "message": "The disruption budget web needs 2 healthy pods and has 2 currently",
                            ]
                        ]
                    ])
            ) { try await evict(name, fixture) }
            #expect(try await fixture.client.get(.pods, name, in: "default").isBeingDeleted == false)
        }
    }

    @Test("where nobody knows how many pods there are to be, a budget gives nothing and says why")
    func unknownScale() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            let owner = try await fixture.client.create(
                .configMaps, KubeObject(.configMaps, namespace: "default", name: "owner"))
            var pod = MemoryCluster.pod("web")
            pod.ownerReferences = [OwnerReference(controller: owner)]
            _ = try await fixture.client.create(.pods, pod)
            try await make(["maxUnavailable": 1], in: fixture)
            let budget = try await fixture.wait(.podDisruptionBudgets, "web") {
                DisruptionBudget($0).conditions["DisruptionAllowed"]?.reason == "SyncFailed"
            }
            #expect(DisruptionBudget(budget).disruptionsAllowed == 0)
            let messages = try await fixture.messages("CalculateExpectedPodCountFailed", about: "web", count: 1)
            #expect(
                messages.first
                    == "Failed to calculate the number of expected pods: found no controllers for pod \"web\"")
        }
    }

    @Test("without pods the budget says so, and allows nothing")
    func empty() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            try await make(["minAvailable": 1], in: fixture)
            let budget = try await fixture.wait(.podDisruptionBudgets, "web") {
                DisruptionBudget($0).observedGeneration == 1
            }
            #expect(DisruptionBudget(budget).conditions["DisruptionAllowed"]?.reason == "InsufficientPods")
            let messages = try await fixture.messages("NoPods", about: "web", count: 1)
            #expect(messages.first == "No matching pods found")
        }
    }
}

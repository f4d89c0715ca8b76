import KubeClient
import KubeModel
import Testing

@testable import APIServer

@Suite("Evictions", .timeLimit(.minutes(5))) struct EvictionTests {
    private static func pod(phase: String = "Running", isReady: Bool = true) -> KubeObject {
        var pod = KubeObject(.pods, namespace: "default", name: "web")
        pod.labels = ["app": "web"]
        pod.value["status"] = [
            "phase": .string(phase), "conditions": [["type": "Ready", "status": isReady ? "True" : "False"]],
        ]
        return pod
    }

    private static func budget(
        _ name: String = "b", allowed: Int = 1, healthy: Int = 2, desired: Int = 1, app: String = "web",
        policy: String? = nil
    ) -> DisruptionBudget {
        var object = KubeObject(.podDisruptionBudgets, namespace: "default", name: name)
        object.value["spec"] = ["selector": ["matchLabels": ["app": .string(app)]]]
        if let policy { object.value[["spec", "unhealthyPodEvictionPolicy"]] = .string(policy) }
        object.value["status"] = [
            "disruptionsAllowed": JSONValue(allowed), "currentHealthy": JSONValue(healthy),
            "desiredHealthy": JSONValue(desired), "observedGeneration": 1,
        ]
        object.value[["metadata", "generation"]] = 1
        return DisruptionBudget(object)
    }

    @Test("a budget is asked for pods that serve only")
    func decision() {
        #expect(Eviction(of: Self.pod(), budgets: []) == .free)
        #expect(Eviction(of: Self.pod(), budgets: [Self.budget(app: "other")]) == .free)
        #expect(Eviction(of: Self.pod(), budgets: [Self.budget()]) == .charged(budget: "b"))
        #expect(Eviction(of: Self.pod(), budgets: [Self.budget(), Self.budget("c")]) == .ambiguous)
        for phase in ["Pending", "Succeeded", "Failed"] {
            #expect(Eviction(of: Self.pod(phase: phase), budgets: [Self.budget(allowed: 0)]) == .free)
        }
    }

    @Test("a pod that is not ready goes when enough others are, or when the budget always lets such pods go")
    func unready() {
        let pod = Self.pod(isReady: false)
        #expect(Eviction(of: pod, budgets: [Self.budget(allowed: 0, healthy: 1)]) == .unready(budget: "b"))
        #expect(Eviction(of: pod, budgets: [Self.budget(allowed: 0, healthy: 0)]) == .charged(budget: "b"))
        let always = Self.budget(allowed: 0, healthy: 0, policy: "AlwaysAllow")
        #expect(Eviction(of: pod, budgets: [always]) == .unready(budget: "b"))
    }

    @Test("a charge takes one from what is allowed and notes the pod")
    func charge() throws {
        let now = Timestamp(seconds: 1000)
        let charged = try Eviction.charge(Self.budget(), for: "web", now: now)
        #expect(charged.disruptionsAllowed == 0)
        #expect(charged.disruptedPods == ["web": now])
        #expect(charged.conditions["DisruptionAllowed"]?.reason == "InsufficientPods")
    }

    @Test("a budget that its controller has not seen yet asks for patience")
    func unseen() throws {
        var budget = Self.budget()
        budget.object.value[["metadata", "generation"]] = 2
        let refusal = #expect(throws: Status.self) {
            try Eviction.charge(budget, for: "web", now: Timestamp(seconds: 1000))
        }
        #expect(refusal?.code == 429)
        #expect(refusal?.details?["retryAfterSeconds"] == 10)
        #expect(
            refusal?.details?["causes"]?.array?.first?["message"]
                == "The disruption budget b is still being processed by the server.")
    }

    @Test("the eviction must name the pod of its address")
    func wrongName() async throws {
        let fixture = try Fixture()
        try await fixture.makePod("web")
        let status = try await refusal {
            _ = try await fixture.client.call(
                "POST", .pods, namespace: "default", name: "web", subresource: "eviction",
                body: ["metadata": ["name": "other"]])
        }
        #expect(status.code == 400)
        #expect(status.message == "name in URL does not match name in Eviction object")
    }

    @Test("the cluster's own priority classes stay")
    func systemPriorities() async throws {
        let fixture = try Fixture()
        let status = try await refusal {
            try await fixture.client.delete(
                .priorityClasses, namespace: nil, name: "system-node-critical", options: DeleteOptions())
        }
        #expect(
            status.message == "priorityclasses.scheduling.k8s.io \"system-node-critical\" is forbidden: "
                + "this is a system priority class and cannot be deleted")
    }
}

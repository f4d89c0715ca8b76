import KubeModel
import Testing

@testable import Controllers

@Suite("Plan of a rolling update", .timeLimit(.minutes(5))) struct RolloutPlanTests {
    private func set(_ name: String, _ replicas: Int, _ available: Int) -> RolloutPlan.Set {
        RolloutPlan.Set(name: name, replicas: replicas, available: available)
    }

    @Test("the new set grows into the surge first")
    func grows() {
        let plan = RolloutPlan(replicas: 4, surge: 2, unavailable: 0, new: set("new", 0, 0), old: [set("old", 4, 4)])
        #expect(plan.sizes == ["new": 2])
    }

    @Test("the new set never grows beyond the wanted number")
    func bounded() {
        let plan = RolloutPlan(replicas: 2, surge: 5, unavailable: 0, new: set("new", 0, 0), old: [set("old", 2, 2)])
        #expect(plan.sizes == ["new": 2])
    }

    @Test("a new set that is too large shrinks to the wanted number")
    func shrinksNew() {
        let plan = RolloutPlan(replicas: 2, surge: 1, unavailable: 0, new: set("new", 5, 5), old: [])
        #expect(plan.sizes == ["new": 2])
    }

    @Test("old pods go as new ones become available, oldest set first")
    func shrinksOld() {
        let plan = RolloutPlan(
            replicas: 4, surge: 1, unavailable: 0, new: set("new", 2, 2), old: [set("a", 1, 1), set("b", 2, 2)])
        #expect(plan.sizes == ["a": 0])
    }

    @Test("nothing goes while the new pods are not available and none may be missing")
    func waits() {
        let plan = RolloutPlan(replicas: 3, surge: 1, unavailable: 0, new: set("new", 1, 0), old: [set("old", 3, 3)])
        #expect(plan.sizes.isEmpty)
    }

    @Test("pods that may be missing go at once")
    func unavailable() {
        let plan = RolloutPlan(replicas: 4, surge: 0, unavailable: 2, new: set("new", 0, 0), old: [set("old", 4, 4)])
        #expect(plan.sizes == ["old": 2])
    }

    @Test("old pods that do not work go before old pods that do")
    func broken() {
        let plan = RolloutPlan(
            replicas: 3, surge: 1, unavailable: 0, new: set("new", 1, 0), old: [set("good", 2, 2), set("bad", 1, 0)])
        #expect(plan.sizes.isEmpty)
        let later = RolloutPlan(
            replicas: 3, surge: 1, unavailable: 0, new: set("new", 1, 1), old: [set("good", 2, 2), set("bad", 1, 0)])
        #expect(later.sizes == ["bad": 0])
    }

    @Test("a rollout that is done changes nothing")
    func done() {
        let plan = RolloutPlan(replicas: 3, surge: 1, unavailable: 1, new: set("new", 3, 3), old: [set("old", 0, 0)])
        #expect(plan.sizes.isEmpty)
    }

    struct Limits: Sendable, CustomTestStringConvertible {
        var replicas: Int
        var surge: Int
        var unavailable: Int
        var testDescription: String { "\(replicas) replicas, surge \(surge), unavailable \(unavailable)" }

        static let all: [Limits] = (1...7).flatMap { replicas in
            (0...3).flatMap { surge in
                (0...3).filter { surge + $0 > 0 }.map { Limits(replicas: replicas, surge: surge, unavailable: $0) }
            }
        }
    }

    /// Old pods work; every pod of the new set does so at once.
    @Test(
        "carried out step by step, it ends with the new set only, within its limits all the way", arguments: Limits.all)
    func converges(limits: Limits) {
        var new = set("new", 0, 0)
        var old = [set("a", limits.replicas / 2, limits.replicas / 2), set("b", (limits.replicas + 1) / 2, 0)]
        old[1].available = old[1].replicas
        let least = limits.replicas - limits.unavailable
        for _ in 0..<100 {
            let plan = RolloutPlan(
                replicas: limits.replicas, surge: limits.surge, unavailable: limits.unavailable, new: new, old: old)
            if plan.sizes.isEmpty { break }
            new.replicas = plan.sizes["new"] ?? new.replicas
            for index in old.indices {
                old[index].replicas = plan.sizes[old[index].name] ?? old[index].replicas
                old[index].available = min(old[index].available, old[index].replicas)
            }
            let total = new.replicas + old.reduce(0) { $0 + $1.replicas }
            let available = new.available + old.reduce(0) { $0 + $1.available }
            #expect(total <= limits.replicas + limits.surge)
            #expect(available >= least)
            new.available = new.replicas
        }
        #expect(new.replicas == limits.replicas)
        #expect(old.allSatisfy { $0.replicas == 0 })
    }

    @Test("a changed size is spread in proportion (docs, \"Proportional scaling\")")
    func proportional() {
        let grown = RolloutPlan.proportional(total: 18, sets: [set("old", 8, 8), set("new", 5, 0)])
        #expect(grown.sizes == ["old": 11, "new": 7])
        let shrunk = RolloutPlan.proportional(total: 6, sets: [set("old", 8, 8), set("new", 4, 0)])
        #expect(shrunk.sizes == ["old": 4, "new": 2])
    }

    @Test("what rounding leaves over goes to the largest set")
    func leftover() {
        let plan = RolloutPlan.proportional(total: 4, sets: [set("a", 1, 1), set("b", 1, 1), set("c", 1, 1)])
        #expect(plan.sizes == ["a": 2])
    }

    @Test("spread to nothing, every set is empty")
    func toZero() {
        let plan = RolloutPlan.proportional(total: 0, sets: [set("a", 3, 3), set("b", 2, 1)])
        #expect(plan.sizes == ["a": 0, "b": 0])
    }

    @Test("spread over nothing, nothing happens")
    func ofNothing() {
        #expect(RolloutPlan.proportional(total: 5, sets: []).sizes.isEmpty)
        #expect(RolloutPlan.proportional(total: 5, sets: [set("a", 5, 5)]).sizes.isEmpty)
    }

    @Test(
        "percentages round up for the surge and down for what may be missing",
        arguments: [
            (4, "25%", "25%", 1, 1), (10, "25%", "25%", 3, 2), (3, "25%", "25%", 1, 0), (1, "0%", "50%", 0, 1),
            (10, "100%", "0%", 10, 0),
        ])
    func percentages(replicas: Int, surge: String, unavailable: String, pods: Int, missing: Int) {
        var object = KubeObject(.deployments, name: "web")
        object.value["spec"] = [
            "replicas": JSONValue(replicas),
            "strategy": ["rollingUpdate": ["maxSurge": .string(surge), "maxUnavailable": .string(unavailable)]],
        ]
        let limits = Deployment(object).surgeAndUnavailable
        #expect(limits.surge == pods)
        #expect(limits.unavailable == missing)
    }
}

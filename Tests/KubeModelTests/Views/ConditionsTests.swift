import KubeModel
import Testing

@Suite("Conditions", .timeLimit(.minutes(5))) struct ConditionsTests {
    private let early = Timestamp(seconds: 1_800_000_000)
    private let late = Timestamp(seconds: 1_800_000_060)

    @Test("a condition that says the same keeps its times")
    func same() {
        var conditions = Conditions([StatusCondition("Ready", true, reason: "R", at: early).value])
        conditions.set(StatusCondition("Ready", true, reason: "R", at: late, updates: true))
        #expect(conditions.list == [StatusCondition("Ready", true, reason: "R", at: early)])
    }

    @Test("a new reason keeps the time of the transition")
    func newReason() {
        var conditions = Conditions([StatusCondition("Ready", false, reason: "Old", at: early).value])
        conditions.set(StatusCondition("Ready", false, reason: "New", at: late, updates: true))
        #expect(conditions["Ready"]?.reason == "New")
        #expect(conditions["Ready"]?.lastTransitionTime == early)
        #expect(conditions["Ready"]?.lastUpdateTime == late)
    }

    @Test("a new status is a transition, and leaves the other conditions where they are")
    func transition() {
        var conditions = Conditions(nil)
        conditions.set(StatusCondition("A", true, at: early))
        conditions.set(StatusCondition("B", false, message: "why", at: early))
        conditions.set(StatusCondition("A", false, at: late))
        #expect(conditions.list.map(\.type) == ["A", "B"])
        #expect(conditions["A"]?.lastTransitionTime == late)
        #expect(conditions["B"]?.message == "why")
        conditions.remove("A")
        #expect(conditions["A"] == nil)
        #expect(conditions.value.array?.count == 1)
    }
}

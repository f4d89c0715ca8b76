import KubeModel
import Testing

@testable import Controllers

@Suite("Plan of a StatefulSet", .timeLimit(.minutes(5))) struct StatefulSetPlanTests {
    private func set(_ replicas: Int, _ spec: JSONValue = [:]) -> StatefulSet {
        var object = KubeObject(.statefulSets, namespace: "default", name: "db")
        object.value["spec"] = spec
        object.value[["spec", "replicas"]] = JSONValue(replicas)
        if object.value[["spec", "updateStrategy"]] == nil {
            object.value[["spec", "updateStrategy"]] = ["type": "RollingUpdate", "rollingUpdate": ["partition": 0]]
        }
        return StatefulSet(object)
    }

    private func pod(_ number: Int, _ revision: String = "new", isReady: Bool = true, phase: String = "Running") -> Pod
    {
        .example("db-\(number)", phase: phase, isReady: isReady, labels: [StatefulSet.revisionLabel: revision])
    }

    private func plan(_ set: StatefulSet, _ pods: [Pod], current: String = "new") -> StatefulSetPlan {
        StatefulSetPlan(
            set, pods: pods, currentRevision: current, updateRevision: "new", now: Timestamp(seconds: 1000))
    }

    private func ordinals(_ plan: StatefulSetPlan) -> [Int] { plan.creations.map(\.ordinal) }

    @Test("pods come one after the other, each when the one before is ready")
    func ordered() {
        #expect(ordinals(plan(set(3), [])) == [0])
        #expect(ordinals(plan(set(3), [pod(0, isReady: false)])) == [])
        #expect(ordinals(plan(set(3), [pod(0)])) == [1])
        #expect(ordinals(plan(set(3), [pod(0), pod(2)])) == [1])
    }

    @Test("in parallel all come and go at once")
    func parallel() {
        let parallel = set(3, ["podManagementPolicy": "Parallel"])
        #expect(ordinals(plan(parallel, [])) == [0, 1, 2])
        let less = set(1, ["podManagementPolicy": "Parallel"])
        #expect(plan(less, [pod(0), pod(1), pod(2)]).deletions == ["db-2", "db-1"])
    }

    @Test("pods go from the last to the first, one at a time")
    func scaleDown() {
        #expect(plan(set(1), [pod(0), pod(1), pod(2)]).deletions == ["db-2"])
        #expect(plan(set(1), [pod(0), pod(1), pod(2).beingDeleted]).deletions == [])
        #expect(plan(set(0), [pod(0), pod(1, isReady: false)]).deletions == ["db-1"])
        // The first one is not well either: two must not be missing.
        #expect(plan(set(0), [pod(0, isReady: false), pod(1, isReady: false)]).deletions == [])
    }

    @Test("numbers may start elsewhere")
    func start() {
        let later = set(2, ["ordinals": ["start": 5]])
        #expect(ordinals(plan(later, [])) == [5])
        #expect(plan(later, [pod(0), pod(5), pod(6)]).deletions == ["db-0"])
    }

    @Test("an update replaces the last pod first, and waits until it is well")
    func rolling() {
        let old = [pod(0, "old"), pod(1, "old"), pod(2, "old")]
        #expect(plan(set(3), old, current: "old").deletions == ["db-2"])
        #expect(plan(set(3), [old[0], old[1], pod(2, isReady: false)], current: "old").deletions == [])
        #expect(plan(set(3), [old[0], old[1], pod(2)], current: "old").deletions == ["db-1"])
        #expect(plan(set(3), [pod(0), pod(1), pod(2)]).deletions == [])
    }

    @Test("pods below the partition stay, and come back as they were")
    func partition() {
        let half = set(3, ["updateStrategy": ["type": "RollingUpdate", "rollingUpdate": ["partition": 2]]])
        #expect(plan(half, [pod(0, "old"), pod(1, "old"), pod(2)], current: "old").deletions == [])
        #expect(
            plan(half, [pod(0, "old"), pod(2)], current: "old").creations == [.init(ordinal: 1, isUpdated: false)])
        #expect(
            plan(half, [pod(0, "old"), pod(1, "old")], current: "old").creations == [.init(ordinal: 2, isUpdated: true)]
        )
    }

    @Test("with OnDelete an update waits for somebody")
    func onDelete() {
        let manual = set(2, ["updateStrategy": ["type": "OnDelete"]])
        #expect(plan(manual, [pod(0, "old"), pod(1, "old")], current: "old").deletions == [])
        #expect(plan(manual, [pod(0, "old")], current: "old").creations == [.init(ordinal: 1, isUpdated: true)])
    }

    @Test("a pod that has ended makes way before it is made anew")
    func ended() {
        let plan = plan(set(2), [pod(0, phase: "Failed"), pod(1)])
        #expect(plan.deletions == ["db-0"])
        #expect(plan.ended == ["db-0"])
        #expect(plan.creations == [])
    }

    @Test("names with other endings are not of the set")
    func names() {
        #expect(Pod.example("db-01").ordinal(in: "db") == nil)
        #expect(Pod.example("db-x").ordinal(in: "db") == nil)
        #expect(Pod.example("db-1-2").ordinal(in: "db") == nil)
        #expect(Pod.example("db-12").ordinal(in: "db") == 12)
    }
}

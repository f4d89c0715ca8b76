import CourseModel
import KubeClient
import KubeModel
import Testing

@testable import Checkers

@Suite("Pods, loads and drills", .timeLimit(.minutes(5)))
struct PodAndLoadTests {
    private static let pod = ObjectRef(kind: "Pod", name: "a")

    @Test("a pod that is there and ready holds; one that cannot get its image is hopeless")
    func podReady() {
        #expect(Fixture.judge([Fixture.pod("a")]).assess(.podReady(Self.pod)).state == .holds)
        let waiting = Fixture.pod("a", isReady: false).waiting("ImagePullBackOff")
        let assessment = Fixture.judge([waiting]).assess(.podReady(Self.pod))
        #expect(assessment.state == .hopeless)
        #expect(assessment.finding?.cause == .imagePull)
        #expect(Fixture.judge([]).assess(.podReady(Self.pod)).finding?.cause == .missing)
    }

    @Test("what Kubernetes lets nobody change has to be made anew, and the finding says how")
    func immutable() throws {
        let wanted = Requirement.value(try ValuePath(parsing: "spec.containers[0].ports[0].containerPort"), .equals(1))
        let assessment = Fixture.judge([Fixture.pod("a")]).assess(.object(Self.pod, [wanted]))
        #expect(assessment.state == .hopeless)
        #expect(assessment.finding?.cause == .immutable)
        #expect(assessment.finding?.text.contains("'kubectl delete pod a'") == true)
    }

    @Test("a pod without room is stuck, unless another one is about to leave some")
    func withoutRoom() {
        var pod = Fixture.pod("a", isReady: false)
        pod.value["status"] = [
            "phase": "Pending",
            "conditions": [
                [
                    "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                    "message": "0/1 nodes are available: 1 Insufficient memory.",
                ]
            ],
        ]
        let assessment = Fixture.judge([pod, Fixture.pod("b")]).assess(.podReady(Self.pod))
        #expect(assessment.state == .stuck)
        #expect(assessment.finding?.cause == .unschedulable)
        #expect(Fixture.judge([pod, Fixture.pod("b").terminating]).assess(.podReady(Self.pod)).state == .notYet)
    }

    @Test("what a ReplicaSet says of itself just now is stuck; an event may be of long ago")
    func refused() {
        let deployment = Fixture.deployment(ready: 2)
        var set = Fixture.replicaSet(of: deployment)
        let pods = [Fixture.pod("a"), Fixture.pod("b")]
        let event = Fixture.event("FailedCreate", "exceeded quota: tight", about: set)
        let wanted = ClusterCondition.ready(deployment: ObjectRef(kind: "Deployment", name: "web"), count: 3)
        let before = Fixture.judge([deployment, set, event] + pods).assess(wanted)
        #expect(before.finding?.cause == .refused && before.state == .notYet)
        set.value["status"] = [
            "conditions": [["type": "ReplicaFailure", "status": "True", "message": "exceeded quota: tight"]]
        ]
        let now = Fixture.judge([deployment, set] + pods).assess(wanted)
        #expect(now.finding?.text == "The pods cannot be created: exceeded quota: tight.")
        #expect(now.state == .stuck)
    }

    @Test(
        "of each kind it is known what can never be changed",
        arguments: [
            ("Pod", "spec.containers[0].env", true), ("Pod", "metadata.labels.app", false),
            ("Deployment", "spec.selector.matchLabels.app", true), ("Deployment", "spec.template", false),
            ("StatefulSet", "spec.serviceName", true), ("StatefulSet", "spec.template.spec", false),
            ("Job", "spec.template.spec", true), ("PersistentVolumeClaim", "spec.storageClassName", true),
            ("PersistentVolumeClaim", "spec.resources.requests.storage", false), ("Secret", "type", true),
            ("Secret", "data.DB_PASSWORD", false), ("ConfigMap", "data.PORT", false), ("Service", "spec.type", false),
        ])
    func immutableFields(kind: String, path: String, isImmutable: Bool) {
        let object = KubeObject(.pods, name: "a")
        #expect(object.isImmutable(at: path, kind: kind) == isImmutable)
    }

    @Test("a ConfigMap or Secret that was sealed keeps its data for good", arguments: ["ConfigMap", "Secret"])
    func sealed(kind: String) {
        var object = KubeObject(.configMaps, name: "a")
        object.value["immutable"] = true
        #expect(object.isImmutable(at: "data.PORT", kind: kind))
        #expect(!object.isImmutable(at: "metadata.labels", kind: kind))
    }

    @Test("the image of a pod may be changed, so waiting for that is not hopeless")
    func changeable() throws {
        let wanted = Requirement.value(try ValuePath(parsing: "spec.containers[0].image"), .equals("web:2"))
        #expect(Fixture.judge([Fixture.pod("a")]).assess(.object(Self.pod, [wanted])).finding?.cause == .wrongValue)
    }

    @Test(
        "lost requests are judged by their number; none sent proves nothing",
        arguments: [(0, 0, 0, false), (10, 0, 0, true), (10, 1, 0, false), (10, 1, 1, true)])
    func lost(sent: Int, failed: Int, most: Int, holds: Bool) {
        var judge = Fixture.judge([])
        judge.loads["load"] = LoadCount(sent: sent, failed: failed)
        #expect((judge.assess(.lost(load: "load", atMost: most)).state == .holds) == holds)
    }

    @Test("nodes are counted although they stand in no namespace")
    func nodes() {
        var view = ClusterView()
        _ = view.replace(.nodes, with: [KubeObject(.nodes, name: "one")])
        let judge = ConditionJudge(view: view, namespace: "velocitytech", victims: [:])
        #expect(judge.assess(.count(Selection(kind: "Node", selector: nil), [], .atLeast(1))).state == .holds)
    }

    @Test("a drill that has begun is read from its namespace, and the way back is on record")
    func stage() throws {
        var namespace = KubeObject(.namespaces, name: "velocitytech")
        #expect(DrillStage(namespace) == nil)
        namespace.annotations = [
            "velocitylab.dev/drill": "drill-pending", "velocitylab.dev/drill-fault": "too-much",
            "velocitylab.dev/drill-seed": "7", "velocitylab.dev/drill-started": "1000",
        ]
        let stage = try #require(DrillStage(namespace))
        let (start, end) = (Moment(milliseconds: 2000), Moment(milliseconds: 3500))
        let check = CheckResult(check: "c", title: "", verdict: .passed, started: start, finished: end)
        let result = CheckpointResult(
            lab: "week06", phase: "drill-pending", results: [check], started: start, finished: end)
        #expect(stage.note(in: result).results[0].measured == ["recovery": 2500])
        #expect(stage.note(in: result).results[0].evidence[0].what.contains("too-much, seed 7"))
        #expect(stage.note(in: result).seed == 7)
    }

    @Test("the clock of a drill stops when it is mended for the first time")
    func clockStops() async throws {
        let check = Check(
            id: "c", title: "", steps: [.expect(.absent(Self.pod), within: .zero)], hints: [Hint(text: "Look")])
        let fault = Fault(
            id: "f", title: "", breaking: [], mending: [],
            fails: Mutant.Expectation(check: "c", cause: .other, hint: []))
        let phase = Phase(
            id: "d", title: "", minutes: 1, objective: "", steps: [],
            checkpoint: Checkpoint(title: "", checks: [check]), faults: [fault])
        let lab = Lab(
            id: "l", title: "", week: "w", mission: "", success: "", namespace: "velocitytech", phases: [phase])
        let cluster = try await ScriptedCluster()
        _ = try await cluster.client.create(.namespaces, KubeObject(.namespaces, name: "velocitytech"))
        let runner = SolutionRunner(client: cluster.client, namespace: "velocitytech")
        try await DrillStage.begin(phase, of: lab, seed: 7, client: cluster.client, runner: runner)
        let began = try #require(DrillStage(try await cluster.client.get(.namespaces, "velocitytech")))
        #expect(began.recovery == nil)
        for minutes in [1, 9] as [Int64] {
            let now = Moment(milliseconds: began.started.milliseconds + minutes * 60_000)
            let result = await CheckEngine(client: cluster.client, options: CheckOptions(now: { now })).run(
                phase, of: lab)
            #expect(result.results.first?.measured["recovery"] == 60_000)
            #expect(result.seed == 7)
        }
        let mended = try #require(DrillStage(try await cluster.client.get(.namespaces, "velocitytech")))
        #expect(mended.recovery == .seconds(60))
        try await DrillStage.begin(phase, of: lab, seed: 8, client: cluster.client, runner: runner)
        #expect(DrillStage(try await cluster.client.get(.namespaces, "velocitytech"))?.recovery == nil)
    }

    @Test("a drill that nobody has begun is skipped, not passed")
    func notBegun() async throws {
        let fault = Fault(
            id: "f", title: "", breaking: [], mending: [],
            fails: Mutant.Expectation(check: "c", cause: .other, hint: []))
        let check = Check(
            id: "c", title: "", steps: [.expect(.absent(Self.pod), within: .zero)], hints: [Hint(text: "Look")])
        let phase = Phase(
            id: "d", title: "", minutes: 1, objective: "", steps: [],
            checkpoint: Checkpoint(title: "", checks: [check]),
            faults: [fault])
        let lab = Lab(
            id: "l", title: "", week: "w", mission: "", success: "", namespace: "velocitytech", phases: [phase])
        let cluster = try await ScriptedCluster()
        let result = await CheckEngine(client: cluster.client).run(phase, of: lab)
        #expect(
            result.results.map(\.verdict) == [
                .skipped(because: "the drill has not begun; 'velocity reset l/d' begins it, or the key b in its screen")
            ])
    }

    @Test("what needs the embedded cluster is skipped on another, with the author's reason")
    func embeddedOnly() async throws {
        let check = Check(
            id: "c", title: "", needsEmbedded: "it needs our registry",
            steps: [.expect(.absent(Self.pod), within: .zero)], hints: [Hint(text: "Look")])
        let phase = Phase(
            id: "d", title: "", minutes: 1, objective: "", steps: [], checkpoint: Checkpoint(title: "", checks: [check])
        )
        let lab = Lab(
            id: "l", title: "", week: "w", mission: "", success: "", namespace: "velocitytech", phases: [phase])
        let cluster = try await ScriptedCluster()
        let result = await CheckEngine(client: cluster.client, options: CheckOptions(isEmbedded: false))
            .run(phase, of: lab)
        #expect(result.results.map(\.verdict) == [.skipped(because: "it needs our registry")])
    }
}

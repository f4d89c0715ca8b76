import KubeModel
import LabTesting
import Testing

@testable import Scheduler

@Suite("Preemption", .timeLimit(.minutes(5))) struct PreemptionTests {
    private func running(_ name: String, cpu: String, priority: Int, labels: [String: String] = [:]) -> KubeObject {
        var pod = makePod(name, cpu: cpu, spec: ["priority": JSONValue(priority)])
        pod.labels = labels
        pod.value["status"] = ["phase": "Running", "startTime": .string("2026-05-04T13:37:0\(name.count)Z")]
        return pod
    }

    private func wanting(_ cpu: String, priority: Int = 10, _ spec: JSONValue = [:]) -> Pod {
        var spec = spec
        spec["priority"] = JSONValue(priority)
        return Pod(makePod("new", cpu: cpu, spec: spec))
    }

    private func decide(
        _ pod: Pod, _ nodes: [NodeState], budgets: [DisruptionBudget] = []
    ) -> (victims: [String], node: String) {
        guard
            case .preempting(let victims, let node, _) = SchedulingDecision(
                pod, in: ClusterPicture(nodes: nodes, budgets: budgets))
        else {
            return ([], "")
        }
        return (victims.map(\.name), node)
    }

    @Test("only pods of less priority go, and no more than have to: the most important of them stay")
    func fewest() {
        let node = makeState(
            makeNode(cpu: "4"),
            pods: [
                running("a", cpu: "1", priority: 1), running("b", cpu: "1", priority: 3),
                running("c", cpu: "1", priority: 2), running("d", cpu: "1", priority: 10),
            ])
        #expect(decide(wanting("2"), [node]) == (["c", "a"], "node-1"))
        #expect(decide(wanting("4"), [node]) == ([], ""))
    }

    @Test("of two pods of the same priority the one that has run for longer stays")
    func youngest() {
        let node = makeState(
            makeNode(cpu: "2"), pods: [running("bb", cpu: "1", priority: 1), running("a", cpu: "1", priority: 1)])
        #expect(decide(wanting("1"), [node]).victims == ["bb"])
    }

    @Test("the node is chosen where less important pods have to go, and then fewer")
    func node() {
        let one = makeState(makeNode("n1", cpu: "2"), pods: [running("a", cpu: "2", priority: 5)])
        let two = makeState(
            makeNode("n2", cpu: "2"), pods: [running("b", cpu: "1", priority: 2), running("c", cpu: "1", priority: 2)])
        let three = makeState(makeNode("n3", cpu: "2"), pods: [running("d", cpu: "2", priority: 2)])
        #expect(decide(wanting("2"), [one, two]) == (["b", "c"], "n2"))
        #expect(decide(wanting("2"), [one, two, three]) == (["d"], "n3"))
    }

    @Test("pods that a budget keeps go last")
    func budget() {
        var object = KubeObject(.podDisruptionBudgets, namespace: "default", name: "keep")
        object.value["spec"] = ["selector": ["matchLabels": ["app": "kept"]]]
        object.value["status"] = ["disruptionsAllowed": 0]
        let kept = running("kept", cpu: "1", priority: 1, labels: ["app": "kept"])
        let node = makeState(makeNode(cpu: "2"), pods: [kept, running("free", cpu: "1", priority: 2)])
        let budgets = [DisruptionBudget(object)]
        #expect(decide(wanting("1"), [node]).victims == ["kept"])
        #expect(decide(wanting("1"), [node], budgets: budgets).victims == ["free"])
        #expect(decide(wanting("2"), [node], budgets: budgets).victims == ["free", "kept"])
    }

    @Test("a pod with the policy Never takes nobody's place, and says so")
    func never() {
        let node = makeState(makeNode(cpu: "1"), pods: [running("a", cpu: "1", priority: 1)])
        let sentence = "0/1 nodes are available: 1 Insufficient cpu. preemption: "
        #expect(
            SchedulingDecision(wanting("1", ["preemptionPolicy": "Never"]), in: ClusterPicture(nodes: [node]))
                == .none(because: sentence + "not eligible due to preemptionPolicy=Never."))
    }

    @Test("while the pods of its node are on their way out the pod waits")
    func waiting() {
        var leaving = running("a", cpu: "1", priority: 1)
        leaving.value[["metadata", "deletionTimestamp"]] = "2026-05-04T13:37:00Z"
        leaving.value[["status", "conditions"]] = [
            ["type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"]
        ]
        var pod = wanting("1")
        pod.object.value["status"] = ["nominatedNodeName": "node-1"]
        #expect(
            SchedulingDecision(pod, in: ClusterPicture(nodes: [makeState(makeNode(cpu: "1"), pods: [leaving])]))
                == .waiting(
                    because: "0/1 nodes are available: 1 Insufficient cpu. preemption: "
                        + "not eligible due to a terminating pod on the nominated node."))
    }
}

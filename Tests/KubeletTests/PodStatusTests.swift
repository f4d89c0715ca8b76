import ContainerRuntime
import KubeModel
import Testing

@testable import Kubelet

@Suite("Pod status", .timeLimit(.minutes(5))) struct PodStatusTests {
    private let now = Timestamp(seconds: 1_000_000)

    /// Containers by letters: `w` waits for its first start, `b` is between two starts, `r` runs, `0` and `1` have ended.
    private func states(_ letters: String, ready: Bool = true) -> [ContainerState] {
        letters.enumerated().map { index, letter in
            var state = ContainerState(Container(["name": .string("c\(index)"), "image": "web:1.0"]), recorded: nil)
            guard letter != "w" else { return state }
            state.begin(at: now)
            if letter == "r" {
                state.isReady = ready
                state.isStarted = true
                return state
            }
            state.end(
                ContainerState.Termination(
                    exit: ContainerExit(code: letter == "0" ? 0 : 1), started: now, finished: now, containerID: "x"))
            if letter == "b" { state.wait("CrashLoopBackOff", "") }
            return state
        }
    }

    private func pod(_ policy: String, _ count: Int, initial: Int = 0, sidecar: Bool = false) -> Pod {
        func containers(_ count: Int, _ more: JSONValue) -> JSONValue {
            .array(
                (0..<count).map { index in
                    var container = more
                    container["name"] = .string("c\(index)")
                    container["image"] = "web:1.0"
                    return container
                })
        }
        var object = KubeObject(.pods, namespace: "default", name: "web")
        object.value["spec"] = ["restartPolicy": .string(policy), "containers": containers(count, [:])]
        object.value[["spec", "initContainers"]] = containers(initial, sidecar ? ["restartPolicy": "Always"] : [:])
        return Pod(object)
    }

    private func status(_ pod: Pod, _ initial: String, _ main: String, ready: Bool = true) -> PodStatus {
        let facts = PodStatus.Facts(
            address: nil, hostAddress: "192.0.2.1", started: now, hasSandbox: true, hasStopped: false)
        return PodStatus(
            pod: pod, initStates: states(initial), states: states(main, ready: ready), facts: facts, now: now)
    }

    @Test(
        "the phase follows from the containers and the restart policy",
        arguments: [
            ("Always", "w", "Pending"), ("Always", "r", "Running"), ("Always", "rw", "Pending"),
            ("Always", "rb", "Running"), ("Always", "0", "Running"), ("Always", "1", "Running"),
            ("OnFailure", "1", "Running"), ("OnFailure", "0", "Succeeded"), ("OnFailure", "01", "Running"),
            ("Never", "0r", "Running"), ("Never", "00", "Succeeded"), ("Never", "01", "Failed"),
        ])
    func phase(policy: String, main: String, phase: String) {
        #expect(status(pod(policy, main.count), "", main).phase == phase)
    }

    @Test(
        "init containers keep the pod Pending until they have succeeded; a failed one ends it with the policy Never",
        arguments: [
            ("Always", "r", "Pending"), ("Always", "0", "Running"), ("Always", "1", "Pending"),
            ("Never", "1", "Failed"), ("Never", "0", "Running"), ("OnFailure", "0r", "Pending"),
        ])
    func initialisation(policy: String, initial: String, phase: String) {
        let pod = pod(policy, 1, initial: initial.count)
        #expect(status(pod, initial, initial.allSatisfy { $0 == "0" } ? "r" : "w").phase == phase)
    }

    @Test(
        "a sidecar that has been up lets the pod run, and one that runs keeps it from its end",
        arguments: [
            ("w", "w", "Pending"), ("r", "r", "Running"), ("b", "r", "Running"), ("r", "0", "Running"),
            ("1", "0", "Succeeded"),
        ])
    func sidecars(sidecar: String, main: String, phase: String) {
        #expect(status(pod("Never", 1, initial: 1, sidecar: true), sidecar, main).phase == phase)
    }

    @Test(
        "a readiness gate keeps a pod unready whose containers are ready, until its condition is true",
        arguments: [
            (nil, "corresponding condition of pod readiness gate \"example.com/on\" does not exist."),
            ("False", "the status of pod readiness gate \"example.com/on\" is not \"True\", but False"), ("True", ""),
        ] as [(String?, String)])
    func readinessGates(state: String?, message: String) {
        var pod = pod("Always", 1)
        pod.object.value[["spec", "readinessGates"]] = [["conditionType": "example.com/on"]]
        if let state {
            pod.object.value[["status", "conditions"]] = [["type": "example.com/on", "status": .string(state)]]
        }
        let conditions = Conditions(status(pod, "", "r").value["conditions"])
        #expect(conditions["ContainersReady"]?.isTrue == true)
        #expect(conditions["Ready"]?.isTrue == message.isEmpty)
        #expect(conditions["Ready"]?.message == message)
        #expect(conditions["Ready"]?.reason == (message.isEmpty ? "" : "ReadinessGatesNotReady"))
    }

    @Test("a condition that says the same keeps its time, one that changes gets a new one")
    func transitions() {
        var pod = pod("Always", 1)
        pod.object.value["status"] = status(pod, "", "r", ready: false).value
        let later = PodStatus(
            pod: pod, initStates: [], states: states("r"),
            facts: .init(address: nil, hostAddress: "", started: now, hasSandbox: true, hasStopped: false),
            now: now + .seconds(60))
        let conditions = Conditions(later.value["conditions"])
        #expect(conditions["Ready"]?.isTrue == true)
        #expect(conditions["Ready"]?.lastTransitionTime == now + .seconds(60))
        #expect(conditions["Initialized"]?.lastTransitionTime == now)
    }

    @Test("what is not ready is named")
    func unready() {
        let conditions = Conditions(status(pod("Always", 3), "", "rww").value["conditions"])
        #expect(conditions["ContainersReady"]?.message == "containers with unready status: [c1 c2]")
    }
}

import ContainerRuntime
import KubeModel
import Testing

@testable import Kubelet

@Suite("Container state", .timeLimit(.minutes(5))) struct ContainerStateTests {
    private let container = Container(["name": "main", "image": "web:1.0"])
    private let start = Timestamp(seconds: 1_000_000)

    private func termination(_ code: Int) -> ContainerState.Termination {
        ContainerState.Termination(
            exit: ContainerExit(code: code), started: start, finished: start + .seconds(5), containerID: "velocity://a")
    }

    @Test("a new container waits in ContainerCreating")
    func new() {
        let state = ContainerState(container, recorded: nil)
        #expect(
            state.value == [
                "name": "main", "state": ["waiting": ["reason": "ContainerCreating"]], "lastState": [:], "ready": false,
                "restartCount": 0, "image": "web:1.0", "imageID": "", "started": false,
            ])
    }

    @Test("the entry says how volumes are mounted, in every state")
    func mounts() {
        let container = Container([
            "name": "main", "image": "web:1.0",
            "volumeMounts": [
                ["name": "data", "mountPath": "/data"],
                ["name": "token", "mountPath": "/token", "readOnly": true],
                ["name": "all", "mountPath": "/all", "readOnly": true, "recursiveReadOnly": "Enabled"],
            ],
        ])
        let mounts: JSONValue = [
            ["name": "data", "mountPath": "/data"],
            ["name": "token", "mountPath": "/token", "readOnly": true, "recursiveReadOnly": "Disabled"],
            ["name": "all", "mountPath": "/all", "readOnly": true, "recursiveReadOnly": "Enabled"],
        ]
        var state = ContainerState(container, recorded: nil)
        #expect(state.value["volumeMounts"] == mounts)
        state.begin(at: start)
        #expect(state.value["volumeMounts"] == mounts)
    }

    @Test("a terminated state has code, reason, times and container, and no signal")
    func terminated() {
        #expect(
            termination(143).value == [
                "exitCode": 143, "reason": "Error", "startedAt": .string(start.text),
                "finishedAt": .string((start + .seconds(5)).text), "containerID": "velocity://a",
            ])
        #expect(termination(0).value["reason"] == "Completed")
    }

    @Test("a restart is counted when the next run begins, not while it is waited for")
    func counting() {
        var state = ContainerState(container, recorded: nil)
        state.begin(at: start)
        #expect(state.restartCount == 0)
        state.end(termination(1))
        #expect(state.attempt == 1)
        state.wait("CrashLoopBackOff", "back-off")
        #expect(state.restartCount == 0)
        #expect(state.lastTermination == termination(1))
        #expect(state.value[["state", "waiting", "message"]] == "back-off")
        state.begin(at: start)
        #expect(state.restartCount == 1)
        #expect(state.lastTermination == termination(1))
    }

    @Test("a run that follows at once keeps the end of the one before, too")
    func immediate() {
        var state = ContainerState(container, recorded: nil)
        state.begin(at: start)
        state.end(termination(2))
        #expect(state.lastTermination == nil)
        state.begin(at: start)
        #expect(state.lastTermination == termination(2))
        #expect(state.isRunning)
    }

    @Test("a container that ends is neither ready nor started")
    func ended() {
        var state = ContainerState(container, recorded: nil)
        state.begin(at: start)
        state.isReady = true
        state.isStarted = true
        state.end(termination(0))
        #expect(!state.isReady)
        #expect(!state.isStarted)
    }

    @Test("what an earlier kubelet wrote of an ended container is taken up as it was")
    func recordedEnd() {
        var old = ContainerState(container, recorded: nil)
        old.begin(at: start)
        old.end(termination(3))
        let state = ContainerState(container, recorded: old.value)
        #expect(state.termination == termination(3))
        #expect(state.restartCount == 0)
        #expect(state.attempt == 1)
    }

    @Test("a container that ran under an earlier kubelet counts as lost")
    func recordedRun() {
        var old = ContainerState(container, recorded: nil)
        old.begin(at: start)
        let state = ContainerState(container, recorded: old.value)
        #expect(state.lastTermination?.exit == ContainerExit(code: 137, reason: "Unknown"))
        #expect(state.lastTermination?.started == start)
        #expect(state.attempt == 1)
        #expect(!state.isRunning)
    }

    @Test("a container that has never run keeps counting from nothing")
    func recordedWait() {
        let state = ContainerState(container, recorded: ContainerState(container, recorded: nil).value)
        #expect(state.attempt == 0)
        #expect(state.lastTermination == nil)
    }
}

import ContainerRuntime
import KubeClient
import KubeModel
import Testing

@Suite("Restarts", .timeLimit(.minutes(5))) struct RestartTests {
    @Test("a container that ends is started again at once; its last end is kept, and counted")
    func first() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let running = try await bed.ready(try await bed.makePod())
            bed.runtime.exit("main", code: 3)
            let ended = try await bed.version(from: running, "ended") { $0.status()[["state", "terminated"]] != nil }
            #expect(Pod(ended).status()[["state", "terminated", "exitCode"]] == 3)
            #expect(Pod(ended).status()[["state", "terminated", "reason"]] == "Error")
            #expect(Pod(ended).status()["ready"] == false)
            #expect(Pod(ended).phase == "Running")
            #expect(!Pod(ended).isReady)
            let again = Pod(try await bed.ready(ended))
            #expect(again.restartCount == 1)
            #expect(again.status()[["lastState", "terminated", "exitCode"]] == 3)
            #expect(
                again.status()[["lastState", "terminated", "containerID"]]
                    == .string("velocity://\(ContainerID("main-0").digits)"))
            #expect(again.status()["containerID"] == .string("velocity://\(ContainerID("main-1").digits)"))
            #expect(bed.runtime.calls.last == .start("main", attempt: 1))
        }
    }

    @Test("the second restart waits in CrashLoopBackOff, with the event BackOff")
    func crashLoop() async throws {
        let bed = try KubeletBed(timeFactor: 100)
        bed.runtime.planExits(of: "main", [1, 2])
        try await bed.run {
            let made = try await bed.makePod()
            let waiting = Pod(
                try await bed.version(from: made, "back-off") { $0.waitingReason() == "CrashLoopBackOff" })
            #expect(waiting.restartCount == 1)
            #expect(waiting.phase == "Running")
            #expect(waiting.status()[["lastState", "terminated", "exitCode"]] == 2)
            let message = waiting.status()[["state", "waiting", "message"]]?.string ?? ""
            #expect(message.hasSuffix("restarting failed container=main pod=web_default(\(made.uid))"))
            let event = try await bed.event(
                "BackOff", "Back-off restarting failed container main in pod web_default(\(made.uid))", about: made)
            #expect(event.value["type"] == "Warning")
            let again = Pod(try await bed.ready(waiting.object))
            #expect(again.restartCount == 2)
            #expect(!bed.runtime.calls.contains { $0 == .start("main", attempt: 3) })
        }
    }

    @Test("the policy Always restarts what has succeeded, too")
    func always() async throws {
        let bed = try KubeletBed()
        bed.runtime.planExits(of: "main", [0])
        try await bed.run {
            let again = try await bed.version(from: try await bed.makePod(), "again") {
                $0.restartCount == 1 && $0.isReady
            }
            #expect(Pod(again).status()[["lastState", "terminated", "reason"]] == "Completed")
        }
    }

    @Test("the policy OnFailure restarts until a run succeeds; then the pod has Succeeded")
    func onFailure() async throws {
        let bed = try KubeletBed()
        bed.runtime.planExits(of: "main", [1, 0])
        try await bed.run {
            let made = try await bed.makePod("job", ["restartPolicy": "OnFailure"])
            let pod = Pod(try await bed.version(from: made, "ended") { $0.isTerminal })
            #expect(pod.phase == "Succeeded")
            #expect(pod.restartCount == 1)
            #expect(pod.status()[["state", "terminated", "exitCode"]] == 0)
            #expect(pod.status()[["lastState", "terminated", "exitCode"]] == 1)
            for type in ["Ready", "ContainersReady"] {
                #expect(pod.conditions[type]?.isTrue == false)
                #expect(pod.conditions[type]?.reason == "PodCompleted")
            }
            #expect(pod.conditions["Initialized"]?.isTrue == true)
        }
    }

    @Test(
        "the policy Never runs a container once; its code decides between Succeeded and Failed",
        arguments: [(0, "Succeeded", "PodCompleted", "Completed"), (7, "Failed", "PodFailed", "Error")])
    func never(code: Int, phase: String, condition: String, reason: String) async throws {
        let bed = try KubeletBed()
        bed.runtime.planExits(of: "main", [code])
        try await bed.run {
            let made = try await bed.makePod("job", ["restartPolicy": "Never"])
            let pod = Pod(try await bed.version(from: made, "ended") { $0.isTerminal })
            #expect(pod.phase == phase)
            #expect(pod.restartCount == 0)
            #expect(pod.conditions["Ready"]?.reason == condition)
            #expect(pod.status()[["state", "terminated", "reason"]]?.string == reason)
            await bed.runtime.waitForCalls { $0.contains(.removeSandbox(podUID: made.uid)) }
            #expect(bed.runtime.calls.filter { $0 == .start("main", attempt: 0) }.count == 1)
        }
    }

    @Test("a pod has Failed when one of its containers has, and not before all have ended")
    func oneOfTwo() async throws {
        let bed = try KubeletBed()
        let spec: JSONValue = [
            "restartPolicy": "Never",
            "containers": [["name": "main", "image": "web:1.0"], ["name": "other", "image": "web:1.0"]],
        ]
        try await bed.run {
            let running = try await bed.ready(try await bed.makePod("job", spec))
            bed.runtime.exit("main", code: 1)
            let half = try await bed.version(from: running, "half") { $0.status()[["state", "terminated"]] != nil }
            #expect(Pod(half).phase == "Running")
            bed.runtime.exit("other", code: 0)
            #expect(Pod(try await bed.version(from: half, "ended") { $0.isTerminal }).phase == "Failed")
        }
    }

    @Test("a container that was killed for its memory says so")
    func outOfMemory() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let running = try await bed.ready(try await bed.makePod("job", ["restartPolicy": "Never"]))
            bed.runtime.exit("main", code: 137, reason: "OOMKilled")
            let pod = Pod(try await bed.version(from: running, "ended") { $0.isTerminal })
            #expect(pod.status()[["state", "terminated", "reason"]] == "OOMKilled")
            #expect(pod.status()[["state", "terminated", "signal"]] == nil)
        }
    }

    @Test("a program that is not in the image is RunContainerError, with the event Failed, until it is")
    func programNotFound() async throws {
        let bed = try KubeletBed()
        bed.runtime.failStart(of: "main", with: .programNotFound(name: "sevre"))
        try await bed.run {
            let made = try await bed.makePod()
            let failed = Pod(try await bed.version(from: made, "failed") { $0.waitingReason() == "RunContainerError" })
            let message = "failed to start the container: exec: \"sevre\": executable file not found in $PATH"
            #expect(failed.status()[["state", "waiting", "message"]]?.string == message)
            #expect(!failed.isReady)
            try await bed.event("Failed", "Error: \(message)", about: made)
            bed.runtime.failStart(of: "main", with: nil)
            _ = try await bed.ready(failed.object)
        }
    }

    @Test("starts that fail count as restarts, and lead to CrashLoopBackOff")
    func startCrashLoop() async throws {
        let bed = try KubeletBed(timeFactor: 100)
        bed.runtime.failStart(of: "main", with: .programNotFound(name: "sevre"))
        try await bed.run {
            let made = try await bed.makePod()
            let waiting = Pod(
                try await bed.version(from: made, "back-off") { $0.waitingReason() == "CrashLoopBackOff" })
            #expect(waiting.restartCount == 1)
            #expect(waiting.status()[["lastState", "terminated", "reason"]] == "StartError")
            #expect(waiting.status()[["lastState", "terminated", "exitCode"]] == 128)
        }
    }

    @Test("with the policy Never a failed start is the end: the pod has Failed")
    func startFailureIsFinal() async throws {
        let bed = try KubeletBed()
        bed.runtime.failStart(of: "main", with: .programNotFound(name: "sevre"))
        try await bed.run {
            let made = try await bed.makePod("job", ["restartPolicy": "Never"])
            let pod = Pod(try await bed.version(from: made, "ended") { $0.isTerminal })
            #expect(pod.phase == "Failed")
            #expect(pod.status()[["state", "terminated", "reason"]] == "StartError")
            #expect(pod.status()[["state", "terminated", "exitCode"]] == 128)
        }
    }

    @Test("a new kubelet counts on where the old one was in a crash loop")
    func takenUpInBackOff() async throws {
        let bed = try KubeletBed(timeFactor: 0.01)
        bed.runtime.planExits(of: "main", [1, 2])
        let made = try await bed.makePod()
        try await bed.run {
            _ = try await bed.version(from: made, "back-off") { $0.waitingReason() == "CrashLoopBackOff" }
        }
        try await bed.run {
            let again = Pod(try await bed.version(from: made, "again") { $0.isReady && $0.restartCount == 2 })
            #expect(again.status()[["lastState", "terminated", "exitCode"]] == 2)
            #expect(bed.runtime.calls.last == .start("main", attempt: 2))
        }
    }

    @Test("a sandbox that was lost is made anew, and the container starts in it")
    func lostSandbox() async throws {
        let bed = try KubeletBed()
        bed.runtime.failStart(of: "main", with: .sandboxLost("the pod's first process was killed"))
        try await bed.run {
            let pod = try await bed.makePod()
            try await bed.event(
                "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.", about: pod)
            bed.runtime.failStart(of: "main", with: nil)
            _ = try await bed.ready(pod)
            #expect(bed.runtime.calls.count { if case .runSandbox = $0 { true } else { false } } >= 2)
        }
    }

}

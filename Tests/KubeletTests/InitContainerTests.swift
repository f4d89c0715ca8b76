import ContainerRuntime
import KubeClient
import KubeModel
import Testing

@Suite("Init containers", .timeLimit(.minutes(5))) struct InitContainerTests {
    private func spec(_ more: JSONValue = [:]) -> JSONValue {
        var spec = more
        spec["initContainers"] = [["name": "one", "image": "tool:1.0"], ["name": "two", "image": "tool:1.0"]]
        spec["containers"] = [["name": "main", "image": "web:1.0"]]
        return spec
    }

    @Test("init containers run one after the other, and before the others")
    func order() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let made = try await bed.makePod("web", spec())
            let first = Pod(try await bed.version(from: made, "one runs") { $0.isRunning("one") })
            #expect(first.phase == "Pending")
            #expect(first.waitingReason("two") == "PodInitializing")
            #expect(first.waitingReason() == "PodInitializing")
            #expect(first.conditions["Initialized"]?.isTrue == false)
            #expect(first.conditions["Initialized"]?.reason == "ContainersNotInitialized")
            #expect(first.conditions["Initialized"]?.message == "containers with incomplete status: [one two]")
            bed.runtime.exit("one", code: 0)
            let second = Pod(try await bed.version(from: first.object, "two runs") { $0.isRunning("two") })
            #expect(second.conditions["Initialized"]?.message == "containers with incomplete status: [two]")
            bed.runtime.exit("two", code: 0)
            let ready = Pod(try await bed.ready(second.object))
            #expect(ready.conditions["Initialized"]?.isTrue == true)
            for name in ["one", "two"] {
                #expect(ready.status(name)[["state", "terminated", "reason"]] == "Completed")
                #expect(ready.status(name)["ready"] == true)
                #expect(ready.status(name)["started"] == false)
            }
            let starts = bed.runtime.calls.filter { if case .start = $0 { true } else { false } }
            #expect(starts == [.start("one", attempt: 0), .start("two", attempt: 0), .start("main", attempt: 0)])
        }
    }

    @Test("an init container that fails keeps the pod initialising, and is tried again")
    func failure() async throws {
        let bed = try KubeletBed(timeFactor: 100)
        bed.runtime.planExits(of: "one", [1, 1])
        try await bed.run {
            let made = try await bed.makePod("web", spec())
            let waiting = Pod(
                try await bed.version(from: made, "back-off") { $0.waitingReason("one") == "CrashLoopBackOff" })
            #expect(waiting.phase == "Pending")
            #expect(waiting.waitingReason() == "PodInitializing")
            #expect(waiting.conditions["Initialized"]?.isTrue == false)
            let running = try await bed.version(from: waiting.object, "runs") { $0.isRunning("one") }
            #expect(Pod(running).status("one")["restartCount"] == 2)
            #expect(!bed.runtime.calls.contains(.start("two", attempt: 0)))
        }
    }

    @Test("with the policy Never an init container that fails is the end of the pod")
    func never() async throws {
        let bed = try KubeletBed()
        bed.runtime.planExits(of: "one", [1])
        try await bed.run {
            let pod = Pod(
                try await bed.version(from: try await bed.makePod("web", spec(["restartPolicy": "Never"])), "ended") {
                    $0.isTerminal
                })
            #expect(pod.phase == "Failed")
            #expect(pod.status("one")[["state", "terminated", "exitCode"]] == 1)
            #expect(pod.waitingReason() == "PodInitializing")
            await bed.runtime.waitForCalls { $0.contains(.removeSandbox(podUID: pod.uid)) }
            #expect(!bed.runtime.calls.contains(.start("main", attempt: 0)))
        }
    }

    @Test("the events of an init container point to it")
    func events() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let pod = try await bed.makePod("web", spec())
            let started = try await bed.event("Started", "Started container one", about: pod)
            #expect(started.value[["involvedObject", "fieldPath"]] == "spec.initContainers{one}")
        }
    }

    @Test("a pod that is deleted while it initialises goes with its init container")
    func deleted() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let made = try await bed.makePod("web", spec())
            _ = try await bed.version(from: made, "one runs") { $0.isRunning("one") }
            try await bed.delete(made)
            try await bed.waitUntilGone(made)
            #expect(bed.runtime.calls.contains(.signal("one", 15)))
            #expect(!bed.runtime.calls.contains(.start("two", attempt: 0)))
        }
    }
}

@Suite("Sidecars", .timeLimit(.minutes(5))) struct SidecarTests {
    private func spec(_ more: JSONValue = [:], sidecar: JSONValue = [:]) -> JSONValue {
        var side: JSONValue = ["name": "side", "image": "tool:1.0", "restartPolicy": "Always"]
        for (key, value) in sidecar.object ?? [:] { side[key] = value }
        var spec = more
        spec["initContainers"] = [side]
        spec["containers"] = [["name": "main", "image": "web:1.0"]]
        return spec
    }

    @Test("a sidecar runs on beside the containers that start after it")
    func beside() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let pod = Pod(try await bed.ready(try await bed.makePod("web", spec())))
            #expect(pod.isRunning("side"))
            #expect(pod.status("side")["started"] == true)
            #expect(pod.status("side")["ready"] == true)
            #expect(pod.conditions["Initialized"]?.isTrue == true)
        }
    }

    @Test("the containers wait until the sidecar's startup probe has succeeded")
    func startup() async throws {
        let bed = try KubeletBed()
        bed.runtime.setResult(ExecutionResult(code: 1, output: "not yet"), of: ["check"])
        let probe: JSONValue = ["exec": ["command": ["check"]], "periodSeconds": 1, "failureThreshold": 100_000]
        try await bed.run {
            let pod = try await bed.makePod("web", spec(sidecar: ["startupProbe": probe]))
            try await bed.event("Unhealthy", "Startup probe failed: not yet", about: pod)
            #expect(!bed.runtime.calls.contains(.start("main", attempt: 0)))
            bed.runtime.setResult(ExecutionResult(code: 0, output: ""), of: ["check"])
            _ = try await bed.ready(pod)
        }
    }

    @Test("a sidecar that ends is started again, whatever the pod's policy")
    func restart() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let ready = try await bed.ready(try await bed.makePod("web", spec(["restartPolicy": "Never"])))
            bed.runtime.exit("side", code: 1)
            let again = try await bed.version(from: ready, "again") {
                $0.status("side")["restartCount"] == 1 && $0.isRunning("side")
            }
            #expect(Pod(again).phase == "Running")
            #expect(Pod(again).restartCount == 0)
        }
    }

    @Test("the end of the last container stops the sidecars, and the pod has Succeeded")
    func end() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let ready = try await bed.ready(try await bed.makePod("job", spec(["restartPolicy": "Never"])))
            bed.runtime.exit("main", code: 0)
            let ended = try await bed.version(from: ready, "ended") { $0.isTerminal && !$0.isRunning("side") }
            #expect(Pod(ended).phase == "Succeeded")
            #expect(Pod(ended).status("side")["ready"] == false)
            #expect(bed.runtime.calls.contains(.signal("side", 15)))
        }
    }

    @Test("hooks before the stop run at once, but sidecars end after those that they serve, the last one first")
    func hooksAndOrder() async throws {
        let bed = try KubeletBed()
        func sidecar(_ name: String) -> JSONValue {
            [
                "name": .string(name), "image": "tool:1.0", "restartPolicy": "Always",
                "lifecycle": ["preStop": ["exec": ["command": [.string("drain-\(name)")]]]],
            ]
        }
        let spec: JSONValue = [
            "terminationGracePeriodSeconds": 1_000_000, "initContainers": [sidecar("one"), sidecar("two")],
            "containers": [["name": "main", "image": "web:1.0"]],
        ]
        bed.runtime.makeDeafToTerm("main")
        try await bed.run {
            let ready = try await bed.ready(try await bed.makePod("web", spec))
            try await bed.delete(ready)
            await bed.runtime.waitForCalls { calls in
                calls.contains(.signal("main", 15)) && calls.contains(.execute("one", ["drain-one"]))
                    && calls.contains(.execute("two", ["drain-two"]))
            }
            #expect(!bed.runtime.calls.contains(.signal("two", 15)))
            bed.runtime.exit("main", code: 0)
            try await bed.waitUntilGone(ready)
            let signals = bed.runtime.calls.filter { if case .signal = $0 { true } else { false } }
            #expect(signals == [.signal("main", 15), .signal("two", 15), .signal("one", 15)])
        }
    }

    @Test("a sidecar that waits for its restart does not keep the pod from its end")
    func endInBackOff() async throws {
        let bed = try KubeletBed(timeFactor: 0.1)
        try await bed.run {
            let ready = try await bed.ready(try await bed.makePod("job", spec(["restartPolicy": "Never"])))
            bed.runtime.exit("side", code: 1)
            let again = try await bed.version(from: ready, "again") {
                $0.status("side")["restartCount"] == 1 && $0.isRunning("side")
            }
            bed.runtime.exit("side", code: 1)
            let waiting = try await bed.version(from: again, "back-off") {
                $0.waitingReason("side") == "CrashLoopBackOff"
            }
            bed.runtime.exit("main", code: 0)
            _ = try await bed.version(from: waiting, "ended") { $0.isTerminal }
            await bed.runtime.waitForCalls { $0.last == .removeSandbox(podUID: ready.uid) }
            #expect(!bed.runtime.calls.contains(.start("side", attempt: 2)))
        }
    }

    @Test("a deletion stops the sidecars after the containers")
    func deletion() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let ready = try await bed.ready(try await bed.makePod("web", spec()))
            try await bed.delete(ready)
            try await bed.waitUntilGone(ready)
            let signals = bed.runtime.calls.filter { if case .signal = $0 { true } else { false } }
            #expect(signals == [.signal("main", 15), .signal("side", 15)])
        }
    }
}

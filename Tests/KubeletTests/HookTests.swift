import ContainerRuntime
import KubeClient
import KubeModel
import Testing

@Suite("Lifecycle hooks", .timeLimit(.minutes(5)))
struct HookTests {
    private func spec(_ lifecycle: JSONValue) -> JSONValue {
        ["containers": [["name": "main", "image": "x", "lifecycle": lifecycle]], "terminationGracePeriodSeconds": 5]
    }

    @Test("postStart runs after the start, and before the container counts as running")
    func postStart() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let pod = try await bed.ready(
                bed.makePod("web", spec(["postStart": ["exec": ["command": ["warm", "up"]]]])))
            #expect(bed.runtime.calls.suffix(2) == [.start("main", attempt: 0), .execute("main", ["warm", "up"])])
            #expect(try await bed.events(about: pod).allSatisfy { !$0.hasPrefix("FailedPostStartHook") })
        }
    }

    @Test("a container whose postStart fails is stopped, says so, and starts again")
    func failedPostStart() async throws {
        let bed = try KubeletBed()
        bed.runtime.setResult(ExecutionResult(code: 4, output: "cold"), of: ["warm", "up"])
        try await bed.run {
            let pod = try await bed.makePod("web", spec(["postStart": ["exec": ["command": ["warm", "up"]]]]))
            let failed = try await bed.version(from: pod) { $0.waitingReason() == "PostStartHookError" }
            let message = Pod(failed).status()[["state", "waiting", "message"]]?.string ?? ""
            #expect(message.hasPrefix("Exec lifecycle hook ([warm up]) for Container \"main\" in Pod \"web_default("))
            #expect(message.contains("failed - error: command 'warm up' exited with 4: cold"))
            try await bed.event("FailedPostStartHook", "PostStartHook failed", about: pod)
            try await bed.event("Killing", "FailedPostStartHook", about: pod)
            bed.runtime.setResult(ExecutionResult(code: 0, output: ""), of: ["warm", "up"])
            let ready = try await bed.ready(failed)
            #expect(Pod(ready).restartCount >= 1)
        }
    }

    @Test("httpGet and sleep are hooks as well; one that nobody answers has failed")
    func otherHooks() async throws {
        let bed = try KubeletBed()
        bed.runtime.setAnswer(.http(status: 500), port: 8080)
        try await bed.run {
            let pod = try await bed.ready(
                bed.makePod(
                    "web",
                    spec([
                        "postStart": ["httpGet": ["port": 8080, "path": "warm"]], "preStop": ["sleep": ["seconds": 1]],
                    ])))
            try await bed.delete(pod)
            try await bed.waitUntilGone(pod)
            #expect(try await bed.events(about: pod).allSatisfy { !$0.contains("Hook") })
            let other = try await bed.ready(
                bed.makePod("other", spec(["preStop": ["httpGet": ["port": 81, "path": "/"]]])))
            try await bed.delete(other)
            try await bed.event("FailedPreStopHook", "PreStopHook failed", about: other)
            try await bed.waitUntilGone(other)
        }
    }
}

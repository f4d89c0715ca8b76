import ContainerRuntime
import KubeClient
import KubeModel
import Testing

@testable import Kubelet

@Suite("Probes", .timeLimit(.minutes(5))) struct ProbeTests {
    private func spec(_ probes: JSONValue, _ more: JSONValue = [:]) -> JSONValue {
        var container: JSONValue = [
            "name": "main", "image": "web:1.0", "ports": [["name": "http", "containerPort": 8080]],
        ]
        for (kind, probe) in probes.object ?? [:] { container[kind] = probe }
        var spec = more
        spec["containers"] = [container]
        return spec
    }

    private let http: JSONValue = ["httpGet": ["path": "/healthz", "port": "http"]]

    private func exec(_ command: String, _ more: JSONValue = [:]) -> JSONValue {
        var probe = more
        probe[["exec", "command"]] = [.string(command)]
        return probe
    }

    @Test("a container is ready when its http probe answers with 200, and not before")
    func readiness() async throws {
        let bed = try KubeletBed()
        bed.runtime.setAnswer(.http(status: 503), port: 8080)
        try await bed.run {
            let made = try await bed.makePod("web", spec(["readinessProbe": http]))
            let event = try await bed.event(
                "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", about: made)
            #expect(event.value["type"] == "Warning")
            let unready = Pod(try await bed.version(from: made, "running") { $0.isRunning() })
            #expect(!unready.isReady)
            #expect(unready.status()["ready"] == false)
            #expect(unready.status()["started"] == true)
            #expect(unready.phase == "Running")
            bed.runtime.setAnswer(.http(status: 200), port: 8080)
            let ready = Pod(try await bed.ready(unready.object))
            #expect(ready.status()["ready"] == true)
            #expect(ready.restartCount == 0)
        }
    }

    @Test(
        "a redirection is followed on the same host, and nowhere else",
        arguments: [
            ("/healthz", "/healthz", 8080), ("up?now", "/a/up?now", 8080), ("http://10.244.0.2:81/x", "/x", 81),
            ("http://10.244.0.2", "/", 80), ("http://0.0.0.0/x", nil, 0), ("//10.244.0.2/x", nil, 0),
            ("https://10.244.0.2/x", nil, 0),
        ] as [(String, String?, Int)])
    func redirect(location: String, path: String?, port: Int) {
        let found = ProbeRedirect(status: 302, to: location, from: "/a/b?c=/d", host: "10.244.0.2", port: 8080)
        #expect(found?.path == path)
        #expect(found.map(\.port) == path.map { _ in port })
    }

    @Test("a condition that somebody else sets counts at once where a readiness gate asks for it")
    func readinessGate() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let made = try await bed.makePod("web", ["readinessGates": [["conditionType": "example.com/on"]]])
            let waiting = Pod(
                try await bed.version(from: made, "waits") { $0.conditions["ContainersReady"]?.isTrue == true })
            #expect(!waiting.isReady)
            let patch: JSONValue = ["status": ["conditions": [["type": "example.com/on", "status": "True"]]]]
            _ = try await bed.client.patch(
                .pods, namespace: "default", name: "web", ObjectPatch(.strategic, patch), subresource: "status",
                options: WriteOptions())
            _ = try await bed.ready(waiting.object)
        }
    }

    @Test(
        "a gRPC probe goes by what the health service says",
        arguments: [
            (2, "service unhealthy (responded with \"NOT_SERVING\")"),
            (0, "service unhealthy (responded with \"UNKNOWN\")"),
        ])
    func health(status: UInt8, message: String) async throws {
        let bed = try KubeletBed()
        bed.runtime.setAnswer(.health(status: status), port: 5000)
        try await bed.run {
            let made = try await bed.makePod("web", spec(["readinessProbe": ["grpc": ["port": 5000]]]))
            try await bed.event("Unhealthy", "Readiness probe failed: \(message)", about: made)
            bed.runtime.setAnswer(.health(status: 1), port: 5000)
            _ = try await bed.ready(made)
        }
    }

    @Test("a gRPC probe of a port that speaks something else says that there is no service")
    func healthOverHTTP() async throws {
        let bed = try KubeletBed()
        bed.runtime.setAnswer(.http(status: 200), port: 5000)
        try await bed.run {
            let made = try await bed.makePod("web", spec(["livenessProbe": ["grpc": ["port": 5000]]]))
            try await bed.event(
                "Unhealthy",
                "Liveness probe failed: timeout: failed to connect service \"10.244.0.1:5000\" within 1s: "
                    + "context deadline exceeded", about: made)
        }
    }

    @Test("a redirection counts as success, too", arguments: [204, 302, 399])
    func success(status: Int) async throws {
        let bed = try KubeletBed()
        bed.runtime.setAnswer(.http(status: status), port: 8080)
        try await bed.run { _ = try await bed.ready(try await bed.makePod("web", spec(["readinessProbe": http]))) }
    }

    @Test("a ready container is unready after as many failures as the threshold says, and ready again after a success")
    func failureThreshold() async throws {
        let bed = try KubeletBed()
        var probe = exec("check")
        probe["failureThreshold"] = 4
        let wanted = probe
        try await bed.run {
            let ready = try await bed.ready(try await bed.makePod("web", spec(["readinessProbe": wanted])))
            bed.runtime.setResult(ExecutionResult(code: 1, output: "busy\n"), of: ["check"])
            let unready = Pod(try await bed.version(from: ready, "unready") { !$0.isReady })
            #expect(unready.isRunning())
            #expect(unready.conditions["Ready"]?.reason == "ContainersNotReady")
            let events = try await bed.client.waitFor(.events, namespace: "default", timeout: KubeletBed.patience) {
                $0.contains { $0.value["reason"] == "Unhealthy" && $0.value["count"]?.int ?? 0 >= 4 }
            }
            let unhealthy = events?.filter { $0.value["reason"] == "Unhealthy" }
            #expect(unhealthy?.first?.value["message"]?.string?.hasPrefix("Readiness probe failed: busy") == true)
            bed.runtime.setResult(ExecutionResult(code: 0, output: ""), of: ["check"])
            #expect(Pod(try await bed.ready(unready.object)).restartCount == 0)
        }
    }

    @Test("a liveness probe that fails kills the container, which is started again")
    func liveness() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let ready = try await bed.ready(try await bed.makePod("web", spec(["livenessProbe": exec("check")])))
            bed.runtime.setResult(ExecutionResult(code: 1, output: "stuck"), of: ["check"])
            try await bed.event("Unhealthy", "Liveness probe failed: stuck", about: ready)
            let killing = try await bed.event(
                "Killing", "Container main failed liveness probe, will be restarted", about: ready)
            #expect(killing.value["type"] == "Normal")
            bed.runtime.setResult(ExecutionResult(code: 0, output: ""), of: ["check"])
            let again = Pod(try await bed.version(from: ready, "again") { $0.restartCount == 1 && $0.isReady })
            #expect(again.isRunning())
            #expect(bed.runtime.calls.contains(.signal("main", 15)))
        }
    }

    @Test("a container that does not end on TERM is killed when its time is over")
    func livenessGrace() async throws {
        let bed = try KubeletBed()
        bed.runtime.makeDeafToTerm("main")
        try await bed.run {
            let made = try await bed.makePod(
                "web", spec(["livenessProbe": exec("check")], ["terminationGracePeriodSeconds": 5]))
            let ready = try await bed.ready(made)
            bed.runtime.setResult(ExecutionResult(code: 1, output: ""), of: ["check"])
            let dead = Pod(
                try await bed.version(from: ready, "dead") { $0.status()[["lastState", "terminated"]] != nil })
            #expect(dead.status()[["lastState", "terminated", "exitCode"]] == 137)
            let signals = bed.runtime.calls.filter { if case .signal = $0 { true } else { false } }
            #expect(Array(signals.prefix(2)) == [.signal("main", 15), .signal("main", 9)])
        }
    }

    @Test("a container with a preStop hook gets it from a failed liveness probe, too")
    func livenessHook() async throws {
        let bed = try KubeletBed()
        let hook: JSONValue = ["preStop": ["exec": ["command": ["drain"]]]]
        try await bed.run {
            let made = try await bed.makePod("web", spec(["livenessProbe": exec("check"), "lifecycle": hook]))
            let ready = try await bed.ready(made)
            bed.runtime.setResult(ExecutionResult(code: 1, output: ""), of: ["check"])
            _ = try await bed.version(from: ready, "again") { $0.restartCount == 1 }
            let calls = bed.runtime.calls
            let hooked = try #require(calls.firstIndex(of: .execute("main", ["drain"])))
            #expect(hooked < calls.firstIndex(of: .signal("main", 15)) ?? 0)
            #expect(try await bed.events(about: ready).filter { $0.hasPrefix("Killing") }.count == 1)
        }
    }

    @Test("with the policy Never a container that fails its liveness probe is not announced to be restarted")
    func livenessNever() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let made = try await bed.makePod("web", spec(["livenessProbe": exec("check")], ["restartPolicy": "Never"]))
            let ready = try await bed.ready(made)
            bed.runtime.setResult(ExecutionResult(code: 1, output: ""), of: ["check"])
            _ = try await bed.version(from: ready, "ended") { $0.isTerminal }
            let killing = try await bed.event("Killing", about: ready)
            #expect(killing.value["message"] == "Container main failed liveness probe")
        }
    }

    @Test("a startup probe holds the other probes back until it succeeds")
    func startup() async throws {
        let bed = try KubeletBed()
        bed.runtime.setResult(ExecutionResult(code: 1, output: "booting"), of: ["up"])
        let probes: JSONValue = [
            "startupProbe": exec("up", ["failureThreshold": 100_000, "periodSeconds": 1]),
            "livenessProbe": exec("live"), "readinessProbe": exec("ready"),
        ]
        try await bed.run {
            let made = try await bed.makePod("web", spec(probes))
            let running = try await bed.version(from: made, "running") { $0.isRunning() }
            #expect(Pod(running).status()["started"] == false)
            await bed.runtime.waitForCalls { $0.filter { $0 == .execute("main", ["up"]) }.count >= 3 }
            #expect(!bed.runtime.calls.contains(.execute("main", ["live"])))
            #expect(!bed.runtime.calls.contains(.execute("main", ["ready"])))
            try await bed.event("Unhealthy", "Startup probe failed: booting", about: made)
            bed.runtime.setResult(ExecutionResult(code: 0, output: ""), of: ["up"])
            let ready = try await bed.ready(running)
            #expect(Pod(ready).status()["started"] == true)
            await bed.runtime.waitForCalls { $0.contains(.execute("main", ["live"])) }
            #expect(bed.runtime.calls.last { $0 != .execute("main", ["live"]) } == .execute("main", ["ready"]))
        }
    }

    @Test("a startup probe that never succeeds has its container restarted")
    func startupFailure() async throws {
        let bed = try KubeletBed()
        bed.runtime.setResult(ExecutionResult(code: 1, output: ""), of: ["up"])
        try await bed.run {
            let made = try await bed.makePod("web", spec(["startupProbe": exec("up", ["failureThreshold": 2])]))
            try await bed.event("Killing", "Container main failed startup probe, will be restarted", about: made)
            _ = try await bed.version(from: made, "again") { $0.restartCount == 1 }
        }
    }

    @Test("a command that takes too long is a failure that says so")
    func execTimeout() async throws {
        let bed = try KubeletBed()
        bed.runtime.setResult(ExecutionResult(code: 137, output: "", isTimedOut: true), of: ["check"])
        try await bed.run {
            let made = try await bed.makePod("web", spec(["readinessProbe": exec("check", ["timeoutSeconds": 3])]))
            try await bed.event(
                "Unhealthy", "Readiness probe failed: command timed out: \"check\" timed out after 3s", about: made)
        }
    }

    @Test("a tcp probe succeeds when something listens, and says that nothing does")
    func tcp() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let made = try await bed.makePod("web", spec(["readinessProbe": ["tcpSocket": ["port": 8080]]]))
            try await bed.event(
                "Unhealthy", "Readiness probe failed: dial tcp 10.244.0.1:8080: connect: connection refused",
                about: made)
            bed.runtime.setAnswer(.silence, port: 8080)
            _ = try await bed.ready(made)
        }
    }

    @Test("an http probe that nobody hears names the address that it asked")
    func httpRefused() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let made = try await bed.makePod("web", spec(["livenessProbe": http]))
            try await bed.event(
                "Unhealthy",
                "Liveness probe failed: Get \"http://10.244.0.1:8080/healthz\": dial tcp 10.244.0.1:8080: connect: connection refused",
                about: made)
        }
    }

    @Test("an http probe that gets no answer in time says so")
    func httpTimeout() async throws {
        let bed = try KubeletBed()
        bed.runtime.setAnswer(.silence, port: 8080)
        try await bed.run {
            let made = try await bed.makePod("web", spec(["readinessProbe": http]))
            try await bed.event("Unhealthy", "Client.Timeout exceeded while awaiting headers", about: made)
        }
    }

    @Test("a port name that no port has is a failure that names it")
    func unknownPort() async throws {
        let bed = try KubeletBed()
        let probe: JSONValue = ["httpGet": ["port": "metrics"]]
        try await bed.run {
            let made = try await bed.makePod("web", spec(["readinessProbe": probe]))
            try await bed.event("Unhealthy", "Readiness probe failed: couldn't find port: metrics", about: made)
        }
    }

    @Test("a restarted container is not ready until its probe has succeeded again")
    func readinessAfterRestart() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let ready = try await bed.ready(try await bed.makePod("web", spec(["readinessProbe": exec("check")])))
            bed.runtime.setResult(ExecutionResult(code: 1, output: "cold"), of: ["check"])
            bed.runtime.exit("main", code: 1)
            let again = try await bed.version(from: ready, "again") { $0.restartCount == 1 && $0.isRunning() }
            #expect(!Pod(again).isReady)
            try await bed.event("Unhealthy", "Readiness probe failed: cold", about: ready)
            bed.runtime.setResult(ExecutionResult(code: 0, output: ""), of: ["check"])
            _ = try await bed.ready(again)
        }
    }
}

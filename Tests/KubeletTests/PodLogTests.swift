import KubeClient
import KubeModel
import Testing

@Suite("Logs of pods", .timeLimit(.minutes(5))) struct PodLogTests {
    private func read(_ bed: KubeletBed, _ options: LogOptions = LogOptions()) async throws -> String {
        var bytes: [UInt8] = []
        for try await piece in try await bed.client.logs(namespace: "default", pod: "web", options: options) {
            bytes += piece
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func refusal(_ agent: any NodeAgent, _ pod: KubeObject, _ options: LogOptions) async throws -> Status? {
        do throws(Status) { _ = try await agent.logs(of: pod, options: options) } catch { return error }
        return nil
    }

    @Test("the log of the run now, and with --previous of the run before")
    func previous() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let first = try await bed.ready(try await bed.makePod())
            bed.runtime.say("main", "first")
            #expect(try await read(bed) == "first\n")
            bed.runtime.exit("main", code: 1)
            _ = try await bed.version(from: first, "again") { $0.restartCount == 1 && $0.isReady }
            bed.runtime.say("main", "second")
            #expect(try await read(bed) == "second\n")
            #expect(try await read(bed, LogOptions(isPrevious: true)) == "first\n")
        }
    }

    @Test("in CrashLoopBackOff both are the log of the run that has just ended")
    func crashing() async throws {
        let bed = try KubeletBed(timeFactor: 0.1)
        try await bed.run {
            let first = try await bed.ready(try await bed.makePod())
            bed.runtime.exit("main", code: 1)
            let second = try await bed.version(from: first, "again") { $0.restartCount == 1 && $0.isReady }
            bed.runtime.say("main", "second")
            bed.runtime.exit("main", code: 1)
            _ = try await bed.version(from: second, "back-off") { $0.waitingReason() == "CrashLoopBackOff" }
            #expect(try await read(bed) == "second\n")
            #expect(try await read(bed, LogOptions(isPrevious: true)) == "second\n")
        }
    }

    @Test("the log of a pod that has ended stays to be read")
    func ended() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let ready = try await bed.ready(try await bed.makePod("web", ["restartPolicy": "Never"]))
            bed.runtime.say("main", "done")
            bed.runtime.exit("main", code: 0)
            _ = try await bed.version(from: ready, "ended") { $0.isTerminal }
            await bed.runtime.waitForCalls { $0.contains(.removeSandbox(podUID: ready.uid)) }
            #expect(try await read(bed) == "done\n")
        }
    }

    @Test("a log that is followed ends with the container")
    func follow() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            _ = try await bed.ready(try await bed.makePod("web", ["restartPolicy": "Never"]))
            bed.runtime.say("main", "one")
            let stream = try await bed.client.logs(
                namespace: "default", pod: "web", options: LogOptions(isFollowing: true))
            var bytes: [UInt8] = []
            for try await piece in stream {
                if bytes.isEmpty {
                    bed.runtime.say("main", "two")
                    bed.runtime.exit("main", code: 0)
                }
                bytes += piece
            }
            #expect(String(decoding: bytes, as: UTF8.self) == "one\ntwo\n")
        }
    }

    @Test(
        "a container that waits for its start has no log, and says what it waits for",
        arguments: [
            ("ErrImagePull", "trying and failing to pull image"),
            ("ImagePullBackOff", "trying and failing to pull image"),
            ("ContainerCreating", "ContainerCreating"), ("CreateContainerConfigError", "CreateContainerConfigError"),
        ])
    func waiting(reason: String, shown: String) async throws {
        let bed = try KubeletBed()
        var pod = try await bed.makePod()
        pod.value[["status", "containerStatuses"]] = [
            ["name": "main", "restartCount": 0, "state": ["waiting": ["reason": .string(reason)]]]
        ]
        let status = try await refusal(bed.makeKubelet(), pod, LogOptions(container: "main"))
        #expect(status?.code == 400)
        #expect(status?.message == "container \"main\" in pod \"web\" is waiting to start: \(shown)")
    }

    @Test("a container that was never restarted has no previous log")
    func noPrevious() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let ready = try await bed.ready(try await bed.makePod())
            let status = try await refusal(bed.makeKubelet(), ready, LogOptions(container: "main", isPrevious: true))
            #expect(status?.code == 400)
            #expect(status?.message == "previous terminated container \"main\" in pod \"web\" not found")
        }
    }

    @Test("an init container's log is read by its name")
    func initContainer() async throws {
        let bed = try KubeletBed()
        let spec: JSONValue = [
            "initContainers": [["name": "setup", "image": "tool:1.0"]],
            "containers": [["name": "main", "image": "web:1.0"]],
        ]
        try await bed.run {
            let made = try await bed.makePod("web", spec)
            let running = try await bed.version(from: made, "initialising") { $0.isRunning("setup") }
            bed.runtime.say("setup", "ready to go")
            bed.runtime.exit("setup", code: 0)
            _ = try await bed.ready(running)
            #expect(try await read(bed, LogOptions(container: "setup")) == "ready to go\n")
            #expect(try await read(bed, LogOptions(container: "main")).isEmpty)
        }
    }
}

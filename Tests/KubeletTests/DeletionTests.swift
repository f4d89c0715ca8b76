import ContainerRuntime
import Foundation
import KubeClient
import KubeModel
import LabTesting
import Testing

@Suite("Deletion of pods", .timeLimit(.minutes(5))) struct DeletionTests {
    private func signals(_ bed: KubeletBed) -> [ScriptedRuntime.Call] {
        bed.runtime.calls.filter { if case .signal = $0 { true } else { false } }
    }

    @Test("a deleted pod is asked to stop with TERM; then its sandbox, its address and its object go")
    func graceful() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let ready = try await bed.ready(try await bed.makePod())
            try await bed.delete(ready)
            try await bed.waitUntilGone(ready)
            #expect(signals(bed) == [.signal("main", 15)])
            #expect(bed.runtime.calls.contains(.removeSandbox(podUID: ready.uid)))
            #expect(bed.addresses.taken.isEmpty)
            try await bed.event("Killing", "Stopping container main", about: ready)
        }
    }

    @Test("a deleted pod leaves no file; one whose kubelet stops keeps its own")
    func files() async throws {
        let bed = try KubeletBed()
        let spec: JSONValue = [
            "volumes": [["name": "data", "emptyDir": [:]]],
            "containers": [
                ["name": "main", "image": "web:1.0", "volumeMounts": [["name": "data", "mountPath": "/data"]]]
            ],
        ]
        let pod = try await bed.makePod("web", spec)
        let folder = "\(bed.directory)/pods/\(pod.uid)"
        let log = "\(bed.directory)/logs/default_web_\(pod.uid)"
        try await bed.run {
            _ = try await bed.ready(pod)
            let data = try #require(bed.runtime.configuration(of: "main")?.mounts.first).hostPath
            try "kept".write(toFile: data + "/note", atomically: true, encoding: .utf8)
            try FileManager.default.createDirectory(atPath: log + "/main", withIntermediateDirectories: true)
        }
        #expect(access(folder + "/volumes/data/note", F_OK) == 0)
        try await bed.run {
            try await bed.delete(pod)
            try await bed.waitUntilGone(pod)
            #expect(access(folder, F_OK) != 0)
            #expect(access(log, F_OK) != 0)
        }
    }

    @Test("until its containers have ended a deleted pod stays, Running")
    func waits() async throws {
        let bed = try KubeletBed()
        bed.runtime.makeDeafToTerm("main")
        try await bed.run {
            let made = try await bed.makePod("web", ["terminationGracePeriodSeconds": 1_000_000])
            let ready = try await bed.ready(made)
            try await bed.delete(ready)
            await bed.runtime.waitForCalls { $0.contains(.signal("main", 15)) }
            let leaving = Pod(try await bed.client.get(.pods, "web", in: "default"))
            #expect(leaving.object.isBeingDeleted)
            #expect(leaving.isRunning())
            #expect(bed.addresses.taken[made.uid] == leaving.podIP)
            bed.runtime.exit("main", code: 0)
            try await bed.waitUntilGone(ready)
            #expect(signals(bed) == [.signal("main", 15)])
        }
    }

    @Test("a container that goes on after TERM is killed when the grace period is over")
    func killed() async throws {
        let bed = try KubeletBed()
        bed.runtime.makeDeafToTerm("main")
        try await bed.run {
            let ready = try await bed.ready(try await bed.makePod("web", ["terminationGracePeriodSeconds": 20]))
            try await bed.delete(ready)
            let dead = Pod(
                try await bed.version(from: ready, "dead") { $0.status()[["state", "terminated"]] != nil })
            #expect(dead.status()[["state", "terminated", "exitCode"]] == 137)
            #expect(!dead.isReady)
            try await bed.waitUntilGone(ready)
            #expect(signals(bed) == [.signal("main", 15), .signal("main", 9)])
        }
    }

    @Test(
        "a container that is being started when its pod is deleted is stopped as soon as it runs, and killed in the end",
        arguments: [false, true])
    func startedTooLate(isDeaf: Bool) async throws {
        let bed = try KubeletBed()
        bed.runtime.holdStart(of: "main")
        if isDeaf { bed.runtime.makeDeafToTerm("main") }
        try await bed.run {
            let made = try await bed.makePod("web", ["terminationGracePeriodSeconds": 20])
            await bed.runtime.waitForCalls { $0.contains(.start("main", attempt: 0)) }
            try await bed.delete(made)
            _ = try await bed.version(from: made, "deleted") { $0.object.isBeingDeleted }
            bed.runtime.releaseStarts()
            try await bed.waitUntilGone(made)
            #expect(signals(bed) == [.signal("main", 15)] + (isDeaf ? [.signal("main", 9)] : []))
        }
    }

    @Test("where states stay in sight, a pod whose containers have stopped is still seen Terminating")
    func visible() async throws {
        let bed = try KubeletBed(visiblePause: .milliseconds(200))
        try await bed.run {
            let ready = try await bed.ready(try await bed.makePod())
            let deleted = ContinuousClock.now
            try await bed.delete(ready)
            try await bed.waitUntilGone(ready)
            #expect(ContinuousClock.now - deleted >= .milliseconds(200))
        }
    }

    @Test("a container that is being started when its pod is deleted is killed, if it does not heed TERM")
    func startedTooLateAndDeaf() async throws {
        let bed = try KubeletBed()
        bed.runtime.holdStart(of: "main")
        bed.runtime.makeDeafToTerm("main")
        try await bed.run {
            let made = try await bed.makePod()
            await bed.runtime.waitForCalls { $0.contains(.start("main", attempt: 0)) }
            try await bed.delete(made)
            _ = try await bed.version(from: made, "deleted") { $0.object.isBeingDeleted }
            bed.runtime.releaseStarts()
            try await bed.waitUntilGone(made)
            #expect(signals(bed) == [.signal("main", 15), .signal("main", 9)])
        }
    }

    @Test("a pod that a finalizer keeps says how it ended, whatever its restart policy")
    func kept() async throws {
        let bed = try KubeletBed()
        bed.runtime.makeDeafToTerm("main")
        try await bed.run {
            var pod = MemoryCluster.pod("web", node: "n1", spec: ["terminationGracePeriodSeconds": 1])
            pod.finalizers = ["example.com/keep"]
            let ready = try await bed.ready(try await bed.client.create(.pods, pod))
            try await bed.delete(ready)
            let ended = Pod(try await bed.version(from: ready, "ended", \.isTerminal))
            #expect(ended.phase == "Failed")
            #expect(ended.conditions["Ready"]?.reason == "PodFailed")
        }
    }

    @Test("a deletion without grace kills at once, and releases the address")
    func forced() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let ready = try await bed.ready(try await bed.makePod())
            try await bed.delete(ready, grace: 0)
            await bed.runtime.waitForCalls { $0.contains(.removeSandbox(podUID: ready.uid)) }
            #expect(signals(bed) == [.signal("main", 9)])
            for await uid in bed.addresses.releases where uid == ready.uid { break }
            #expect(bed.addresses.taken[ready.uid] == nil)
        }
    }

    @Test("a second deletion without grace ends the waiting of the first")
    func impatience() async throws {
        let bed = try KubeletBed()
        bed.runtime.makeDeafToTerm("main")
        try await bed.run {
            let made = try await bed.makePod("web", ["terminationGracePeriodSeconds": 1_000_000])
            let ready = try await bed.ready(made)
            try await bed.delete(ready)
            await bed.runtime.waitForCalls { $0.contains(.signal("main", 15)) }
            try await bed.delete(ready, grace: 0)
            await bed.runtime.waitForCalls { $0.contains(.removeSandbox(podUID: ready.uid)) }
            #expect(signals(bed) == [.signal("main", 15), .signal("main", 9)])
        }
    }

    @Test("a second deletion with less grace shortens the waiting of the first")
    func shortened() async throws {
        let bed = try KubeletBed()
        bed.runtime.makeDeafToTerm("main")
        try await bed.run {
            let made = try await bed.makePod("web", ["terminationGracePeriodSeconds": 1_000_000])
            let ready = try await bed.ready(made)
            try await bed.delete(ready)
            await bed.runtime.waitForCalls { $0.contains(.signal("main", 15)) }
            try await bed.delete(ready, grace: 1)
            try await bed.waitUntilGone(ready)
            #expect(signals(bed).last == .signal("main", 9))
        }
    }

    @Test("the preStop hook runs before TERM")
    func hook() async throws {
        let bed = try KubeletBed()
        let container: JSONValue = [
            "name": "main", "image": "web:1.0", "lifecycle": ["preStop": ["exec": ["command": ["drain", "now"]]]],
        ]
        try await bed.run {
            let ready = try await bed.ready(try await bed.makePod("web", ["containers": [container]]))
            try await bed.delete(ready)
            try await bed.waitUntilGone(ready)
            let calls = bed.runtime.calls.filter {
                $0 == .execute("main", ["drain", "now"]) || $0 == .signal("main", 15)
            }
            #expect(calls == [.execute("main", ["drain", "now"]), .signal("main", 15)])
        }
    }

    @Test("a pod whose image cannot be found goes when it is deleted")
    func neverStarted() async throws {
        let bed = try KubeletBed(timeFactor: 0.1)
        bed.runtime.removeImage("web:1.0")
        try await bed.run {
            let made = try await bed.makePod()
            let waiting = try await bed.version(from: made, "back-off") { $0.waitingReason() == "ImagePullBackOff" }
            try await bed.delete(waiting)
            try await bed.waitUntilGone(waiting)
            #expect(signals(bed).isEmpty)
            #expect(bed.addresses.taken.isEmpty)
        }
    }

    @Test("a pod in CrashLoopBackOff goes when it is deleted, and is not started again")
    func crashing() async throws {
        let bed = try KubeletBed(timeFactor: 0.1)
        bed.runtime.planExits(of: "main", [1, 1])
        try await bed.run {
            let made = try await bed.makePod()
            let waiting = try await bed.version(from: made, "back-off") { $0.waitingReason() == "CrashLoopBackOff" }
            try await bed.delete(waiting)
            try await bed.waitUntilGone(waiting)
            #expect(!bed.runtime.calls.contains(.start("main", attempt: 2)))
        }
    }

    @Test("a pod that comes back under its name is another pod, with a sandbox of its own")
    func sameName() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let first = try await bed.ready(try await bed.makePod())
            try await bed.delete(first, grace: 0)
            let second = try await bed.ready(try await bed.makePod())
            await bed.runtime.waitForCalls { $0.contains(.removeSandbox(podUID: first.uid)) }
            #expect(second.uid != first.uid)
            #expect(Pod(second).podIP != Pod(first).podIP)
            #expect(!bed.runtime.calls.contains(.removeSandbox(podUID: second.uid)))
        }
    }
}

import ContainerRuntime
import Foundation
import KubeClient
import KubeModel
import Testing

@Suite("Ends of containers and pods", .timeLimit(.minutes(5)))
struct TerminationTests {
    private func end(
        _ container: JSONValue, code: Int, _ bed: KubeletBed, _ act: (ContainerConfiguration.Mount) throws -> Void
    ) async throws -> JSONValue? {
        var container = container
        container["name"] = "main"
        container["image"] = "x"
        let pod = try await bed.ready(
            bed.makePod("web", ["restartPolicy": "Never", "containers": [container]]))
        try act(try #require(bed.runtime.configuration(of: "main")?.mounts.last))
        bed.runtime.exit("main", code: code)
        let ended = try await bed.version(from: pod) { $0.isTerminal }
        return Pod(ended).status()[["state", "terminated", "message"]]
    }

    @Test("what a container writes to its termination log is its last message, of which the end counts")
    func message() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let message = try await end([:], code: 0, bed) { mount in
                #expect(mount.containerPath == "/dev/termination-log" && !mount.isReadOnly)
                let text = String(repeating: "-", count: 5000) + "done"
                try Data(text.utf8).write(to: URL(fileURLWithPath: mount.hostPath))
            }
            #expect(message?.string == String(repeating: "-", count: 4092) + "done")
        }
    }

    @Test("the containers of a pod share 12 KiB of last messages, of which each has its part")
    func share() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let names = ["main", "b", "c", "d", "e", "f"]
            let containers = names.map { ["name": .string($0), "image": "x"] as JSONValue }
            let pod = try await bed.ready(
                bed.makePod("web", ["restartPolicy": "Never", "containers": .array(containers)]))
            let mount = try #require(bed.runtime.configuration(of: "main")?.mounts.last)
            try Data(String(repeating: "-", count: 4000).utf8).write(to: URL(fileURLWithPath: mount.hostPath))
            for name in names { bed.runtime.exit(name, code: 0) }
            let ended = try await bed.version(from: pod) { $0.isTerminal }
            let message = Pod(ended).status()[["state", "terminated", "message"]]?.string
            #expect(message?.count == 2048)
        }
    }

    @Test(
        "with FallbackToLogsOnError a failure says the end of its log, a success nothing",
        arguments: [(1, "one\ntwo\n"), (0, nil)])
    func log(_ code: Int, _ expected: String?) async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let container: JSONValue = [
                "terminationMessagePolicy": "FallbackToLogsOnError", "terminationMessagePath": "/tmp/last",
            ]
            let message = try await end(container, code: code, bed) { mount in
                #expect(mount.containerPath == "/tmp/last")
                bed.runtime.say("main", "one")
                bed.runtime.say("main", "two")
            }
            #expect(message?.string == expected)
        }
    }

    @Test("a container is asked to stop with the signal that its image names", arguments: [("quits", 3), ("x", 15)])
    func stopSignal(image: String, signal: Int32) async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let pod = try await bed.ready(
                bed.makePod("web", ["containers": [["name": "main", "image": .string(image)]]]))
            try await bed.delete(pod)
            try await bed.waitUntilGone(pod)
            #expect(bed.runtime.calls.contains(.signal("main", signal)))
        }
    }

    @Test("a deadline can be set, and brought forward, while the pod runs")
    func newDeadline() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let ready = try await bed.ready(try await bed.makePod("web", ["terminationGracePeriodSeconds": 5]))
            for seconds in [100_000_000, 1] {
                let patch: JSONValue = ["spec": ["activeDeadlineSeconds": JSONValue(seconds)]]
                _ = try await bed.client.patch(
                    .pods, namespace: "default", name: "web", .merge(patch), subresource: nil, options: WriteOptions())
            }
            let failed = try await bed.version(from: ready) { $0.phase == "Failed" }
            #expect(failed.value[["status", "reason"]] == "DeadlineExceeded")
            #expect(Pod(failed).status()[["state", "terminated"]] != nil && !Pod(failed).isReady)
            #expect(bed.runtime.calls.contains(.signal("main", 15)))
            try await bed.delete(failed)
            try await bed.waitUntilGone(failed)
            #expect(bed.runtime.calls.filter { $0 == .start("main", attempt: 0) }.count == 1)
        }
    }

    @Test("a pod that is active for longer than its deadline is ended however far it came, and stays as failed")
    func deadline() async throws {
        let bed = try KubeletBed()
        try await bed.run {
            let pod = try await bed.makePod("web", ["activeDeadlineSeconds": 500, "terminationGracePeriodSeconds": 5])
            let failed = try await bed.version(from: pod) { $0.phase == "Failed" }
            #expect(failed.value[["status", "reason"]] == "DeadlineExceeded")
            let text = "Pod was active on the node longer than the specified deadline"
            #expect(failed.value[["status", "message"]]?.string == text)
            try await bed.event("DeadlineExceeded", text, about: pod)
            try await bed.delete(failed)
            try await bed.waitUntilGone(failed)
        }
    }
}

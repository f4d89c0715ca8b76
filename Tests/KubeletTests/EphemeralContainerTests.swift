import ContainerRuntime
import KubeClient
import KubeModel
import Kubelet
import Testing

@Suite("Ephemeral containers", .timeLimit(.minutes(5)))
struct EphemeralContainerTests {
    private func add(_ name: String, to pod: KubeObject, _ bed: KubeletBed, _ more: JSONValue = [:]) async throws {
        var container: JSONValue = ["name": .string(name), "image": "busybox", "stdin": true, "tty": true]
        for (member, value) in more.object ?? [:] { container[member] = value }
        _ = try await bed.client.patch(
            .pods, namespace: "default", name: pod.name,
            ObjectPatch(.strategic, ["spec": ["ephemeralContainers": [container]]]),
            subresource: "ephemeralcontainers", options: WriteOptions())
    }

    private func status(_ name: String, of pod: Pod) -> JSONValue? {
        pod.object.value[["status", "ephemeralContainerStatuses"]]?.array?.first { $0["name"]?.string == name }
    }

    @Test("one that is added to a running pod starts, is told of, and ends for good; the pod goes on")
    func life() async throws {
        let bed = try KubeletBed()
        try await bed.run { kubelet in
            let pod = try await bed.ready(bed.makePod())
            try await add("debugger-1", to: pod, bed, ["targetContainerName": "main"])
            let running = try await bed.version(from: pod) {
                status("debugger-1", of: $0)?[["state", "running"]] != nil
            }
            let shown = try #require(status("debugger-1", of: Pod(running)))
            #expect(shown["ready"] == false && shown["started"] == nil && shown["restartCount"] == 0)
            #expect(shown["image"] == "busybox")
            #expect(Pod(running).isReady && Pod(running).phase == "Running")
            let configuration = try #require(bed.runtime.configuration(of: "debugger-1"))
            #expect(configuration.hasInput && configuration.isTerminal)
            for (reason, text) in [
                ("Pulling", "Pulling image \"busybox\""), ("Created", "debugger-1"), ("Started", "debugger-1"),
            ] {
                let event = try await bed.event(reason, text, about: pod)
                #expect(
                    event.value[["involvedObject", "fieldPath"]] == "spec.ephemeralContainers{debugger-1}")
            }
            let session = try await kubelet.attach(to: running, ExecRequest(container: "debugger-1", hasInput: true))
            await session.close()
            bed.runtime.exit("debugger-1", code: 3)
            let ended = try await bed.version(from: running) {
                status("debugger-1", of: $0)?[["state", "terminated", "exitCode"]] == 3
            }
            #expect(Pod(ended).isReady && status("debugger-1", of: Pod(ended))?["restartCount"] == 0)
            // A second one, beside the first, which does not start again.
            try await add("debugger-2", to: pod, bed)
            _ = try await bed.version(from: ended) { status("debugger-2", of: $0)?[["state", "running"]] != nil }
            let starts = bed.runtime.calls.filter { if case .start = $0 { true } else { false } }
            #expect(
                starts == [
                    .start("main", attempt: 0), .start("debugger-1", attempt: 0), .start("debugger-2", attempt: 0),
                ])
        }
    }

    @Test("one whose image is missing waits for it, and the pod does not mind")
    func missingImage() async throws {
        let bed = try KubeletBed()
        bed.runtime.removeImage("busybox")
        try await bed.run { _ in
            let pod = try await bed.ready(bed.makePod())
            try await add("debugger", to: pod, bed)
            let waiting = try await bed.version(from: pod) {
                status("debugger", of: $0)?[["state", "waiting", "reason"]] == "ErrImagePull"
            }
            #expect(Pod(waiting).isReady)
            bed.runtime.addImage("busybox")
            _ = try await bed.version(from: waiting) { status("debugger", of: $0)?[["state", "running"]] != nil }
        }
    }

    @Test("it starts also while an init container keeps the others waiting")
    func duringInitialization() async throws {
        let bed = try KubeletBed()
        try await bed.run { _ in
            let pod = try await bed.makePod(
                "web",
                ["initContainers": [["name": "first", "image": "x"]], "containers": [["name": "main", "image": "x"]]])
            await bed.runtime.waitForCalls { $0.contains(.start("first", attempt: 0)) }
            try await add("debugger", to: pod, bed)
            _ = try await bed.version(from: pod) { status("debugger", of: $0)?[["state", "running"]] != nil }
            #expect(!bed.runtime.calls.contains(.start("main", attempt: 0)))
        }
    }

    @Test("it is stopped with its pod, whether that is deleted or has come to its end")
    func end() async throws {
        let bed = try KubeletBed()
        try await bed.run { _ in
            let pod = try await bed.ready(bed.makePod())
            try await add("debugger", to: pod, bed)
            _ = try await bed.version(from: pod) { status("debugger", of: $0)?[["state", "running"]] != nil }
            try await bed.delete(pod)
            try await bed.waitUntilGone(pod)
            #expect(bed.runtime.calls.contains(.signal("debugger", 15)))

            let job = try await bed.ready(
                bed.makePod("job", ["restartPolicy": "Never", "containers": [["name": "work", "image": "x"]]]))
            try await add("helper", to: job, bed)
            _ = try await bed.version(from: job) { status("helper", of: $0)?[["state", "running"]] != nil }
            bed.runtime.exit("work", code: 0)
            _ = try await bed.version(from: job) { status("helper", of: $0)?[["state", "terminated"]] != nil }
            _ = try await bed.version(from: job) { $0.phase == "Succeeded" }
        }
    }

    @Test("a kubelet that starts anew finds the ones of before ended, and does not run them again")
    func newKubelet() async throws {
        let bed = try KubeletBed()
        let pod = try await bed.makePod()
        try await bed.run { _ in
            let pod = try await bed.ready(pod)
            try await add("debugger", to: pod, bed)
            _ = try await bed.version(from: pod) { status("debugger", of: $0)?[["state", "running"]] != nil }
        }
        try await bed.run { _ in
            _ = try await bed.version(from: pod) { status("debugger", of: $0)?[["state", "terminated"]] != nil }
            await bed.runtime.waitForCalls { $0.filter { $0 == .start("main", attempt: 1) }.count == 1 }
            #expect(bed.runtime.calls.filter { if case .start("debugger", _) = $0 { true } else { false } }.count == 1)
        }
    }
}

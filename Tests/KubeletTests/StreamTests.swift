import ContainerRuntime
import Glibc
import KubeClient
import KubeModel
import Kubelet
import Testing

@Suite("Streams of a node", .timeLimit(.minutes(5)))
struct StreamTests {
    private func refusal(_ body: () async throws(Status) -> some Any) async -> Status? {
        do throws(Status) {
            _ = try await body()
            return nil
        } catch {
            return error
        }
    }

    @Test("a command goes to the container that is asked for, as it is asked")
    func exec() async throws {
        let bed = try KubeletBed()
        try await bed.run { kubelet in
            let pod = try await bed.ready(
                bed.makePod("web", ["containers": [["name": "one", "image": "x"], ["name": "two", "image": "x"]]]))
            let request = ExecRequest(
                container: "two", command: ["sh", "-c", "exit"], hasInput: true, hasErrorOutput: false, isTerminal: true
            )
            let session = try await kubelet.exec(in: pod, request)
            #expect(await session.exit() == .code(0))
            await session.close()
            #expect(bed.runtime.calls.last == .exec("two", request))
            let attached = try await kubelet.attach(to: pod, ExecRequest(container: "one"))
            await attached.close()
            #expect(bed.runtime.calls.last == .attach("one", ExecRequest(container: "one")))
        }
    }

    @Test("a container that is not there, or does not run, is not found; in the kubelet's words")
    func notFound() async throws {
        let bed = try KubeletBed()
        bed.runtime.planExits(of: "main", [0])
        try await bed.run { kubelet in
            let made = try await bed.makePod("web", ["restartPolicy": "Never"])
            let pod = try await bed.version(from: made) { $0.phase == "Succeeded" }
            for name in ["main", "other"] {
                let request = ExecRequest(container: name, command: ["true"])
                let exec = await refusal { () async throws(Status) in try await kubelet.exec(in: pod, request) }
                #expect(exec?.message == "container not found (\"\(name)\")")
                #expect(exec?.code == 500 && exec?.reason == "InternalError")
                let attach = await refusal { () async throws(Status) in try await kubelet.attach(to: pod, request) }
                #expect(attach?.message == "container \(name) not found in pod web_default(\(pod.uid))")
            }
        }
    }

    @Test(
        "a command that cannot be started says so at its end, in the words of containerd and runc",
        arguments: [
            (RuntimeError.programNotFound(name: "nope"), "exec: \"nope\": executable file not found in $PATH"),
            (.programNotFound(name: "/nope"), "exec: \"/nope\": stat /nope: no such file or directory"),
            (.programRefused(name: "/etc", because: "permission denied"), "exec: \"/etc\": permission denied"),
        ])
    func cannotStart(_ failure: RuntimeError, _ text: String) async throws {
        let bed = try KubeletBed()
        bed.runtime.failCommand(["nope"], with: failure)
        try await bed.run { kubelet in
            let pod = try await bed.ready(bed.makePod())
            let session = try await kubelet.exec(in: pod, ExecRequest(container: "main", command: ["nope"]))
            #expect(await session.nextOutput() == nil)
            guard case .failed(let message) = await session.exit() else {
                Issue.record("it has started")
                return
            }
            let start = "failed to exec in container: failed to start exec \""
            let end = "\": OCI runtime exec failed: exec failed: unable to start container process: \(text): unknown"
            #expect(message.hasPrefix(start) && message.hasSuffix(end), "\(message)")
            await session.close()
        }
    }

    @Test("a port that nobody listens on is refused as by the dialer in a pod's namespace; one that answers connects")
    func connect() async throws {
        let bed = try KubeletBed()
        bed.runtime.setAnswer(.silence, port: 8080)
        try await bed.run { kubelet in
            let pod = try await bed.ready(bed.makePod())
            let descriptor = try await kubelet.connect(to: pod, port: 8080)
            #expect(fcntl(descriptor, F_GETFD) >= 0)
            close(descriptor)
            let refused = await refusal { () async throws(Status) in try await kubelet.connect(to: pod, port: 81) }
            #expect(
                refused?.message.contains(
                    "failed to connect to localhost:81 inside namespace \"\(pod.uid)\", IPv4: dial tcp4 127.0.0.1:81:"
                        + " connect: connection refused ") ?? false)
        }
    }

    @Test("a container gets the input and the terminal that its manifest asks for")
    func configuration() async throws {
        let bed = try KubeletBed()
        try await bed.run { _ in
            let containers: JSONValue = [
                ["name": "plain", "image": "x"],
                ["name": "shell", "image": "x", "stdin": true, "stdinOnce": true, "tty": true],
            ]
            _ = try await bed.ready(bed.makePod("web", ["containers": containers]))
            let plain = try #require(bed.runtime.configuration(of: "plain"))
            #expect(!plain.hasInput && !plain.isInputOnce && !plain.isTerminal)
            let shell = try #require(bed.runtime.configuration(of: "shell"))
            #expect(shell.hasInput && shell.isInputOnce && shell.isTerminal)
        }
    }
}

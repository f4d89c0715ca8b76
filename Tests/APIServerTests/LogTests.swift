import APIServer
import KubeClient
import KubeModel
import Testing

/// A node whose containers have written one line, which repeats what was asked.
private struct EchoAgent: NodeAgent {
    func logs(of pod: KubeObject, options: LogOptions) async throws(Status) -> AsyncThrowingStream<[UInt8], any Error> {
        let line = "\(pod.name)/\(options.container ?? "") tail=\(options.tailLines ?? -1)\n"
        return AsyncThrowingStream {
            $0.yield(Array(line.utf8))
            $0.finish()
        }
    }
}

@Suite("Logs", .timeLimit(.minutes(5))) struct LogTests {
    private func makePod(_ fixture: Fixture, _ containers: [String], state: JSONValue) async throws {
        var object = KubeObject(.pods, namespace: "default", name: "web")
        object.value["spec"] = [
            "nodeName": "n1",
            "containers": .array(containers.map { ["name": .string($0), "image": "web:1.0"] }),
        ]
        object = try await fixture.client.create(.pods, object)
        object.value[["status", "containerStatuses"]] = .array(
            containers.map {
                [
                    "name": .string($0), "image": "web:1.0", "imageID": "", "ready": false, "restartCount": 0,
                    "state": state,
                ]
            })
        _ = try await fixture.client.updateStatus(.pods, object)
        fixture.server.setNodeAgent(EchoAgent(), node: "n1")
    }

    private func read(_ fixture: Fixture, _ options: LogOptions) async throws -> String {
        var bytes: [UInt8] = []
        for try await piece in try await fixture.client.logs(namespace: "default", pod: "web", options: options) {
            bytes += piece
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private let running: JSONValue = ["running": ["startedAt": "2026-05-04T13:37:00Z"]]

    @Test("the log comes from the pod's node, of the only container if none is named")
    func onlyContainer() async throws {
        let fixture = try Fixture()
        try await makePod(fixture, ["main"], state: running)
        #expect(try await read(fixture, LogOptions(tailLines: 5)) == "web/main tail=5\n")
    }

    @Test("with two containers one has to be named")
    func choice() async throws {
        let fixture = try Fixture()
        try await makePod(fixture, ["main", "side"], state: running)
        let status = try await refusal { _ = try await read(fixture, LogOptions()) }
        #expect(status.code == 400)
        #expect(status.message == "a container name must be specified for pod web, choose one of: [main side]")
        let wrong = try await refusal { _ = try await read(fixture, LogOptions(container: "x")) }
        #expect(wrong.message == "container x is not valid for pod web")
        #expect(try await read(fixture, LogOptions(container: "side")) == "web/side tail=-1\n")
    }

    @Test(
        "a container that has not run says why",
        arguments: [
            ("ContainerCreating", "is waiting to start: ContainerCreating"),
            ("ErrImagePull", "is waiting to start: image can't be pulled"),
            ("ImagePullBackOff", "is waiting to start: trying and failing to pull image"),
        ])
    func waiting(reason: String, message: String) async throws {
        let fixture = try Fixture()
        try await makePod(fixture, ["main"], state: ["waiting": ["reason": .string(reason)]])
        let status = try await refusal { _ = try await read(fixture, LogOptions()) }
        #expect(status.message == "container \"main\" in pod \"web\" \(message)")
    }

    @Test("there is no log of a container's earlier life when it had none")
    func previous() async throws {
        let fixture = try Fixture()
        try await makePod(fixture, ["main"], state: running)
        let status = try await refusal { _ = try await read(fixture, LogOptions(isPrevious: true)) }
        #expect(status.message == "previous terminated container \"main\" in pod \"web\" not found")
    }
}

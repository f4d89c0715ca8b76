import APIServer
import KubeModel
import LabTesting
import Synchronization
import Testing

@testable import KubeClient

@Suite("Commands over HTTPS", .timeLimit(.minutes(5))) struct ExecTests {
    /// A node whose commands say their arguments on both outputs, and end with as many.
    private struct Agent: NodeAgent {
        func logs(
            of pod: KubeObject, options: LogOptions
        ) async throws(Status) -> AsyncThrowingStream<[UInt8], any Error> { AsyncThrowingStream { $0.finish() } }

        func exec(in pod: KubeObject, _ request: ExecRequest) async throws(Status) -> any ContainerSession {
            Session(request)
        }
    }

    private final class Session: ContainerSession {
        private let request: ExecRequest
        private let pieces: Mutex<[SessionOutput]>
        private let (isClosed, closing) = AsyncStream<Void>.makeStream()

        init(_ request: ExecRequest) {
            self.request = request
            let text = Array("\(request.container): \(request.command.dropFirst().joined(separator: "|"))".utf8)
            pieces = Mutex([true, false].map { SessionOutput(bytes: text, isErrorOutput: $0) })
        }

        func nextOutput() async -> SessionOutput? { pieces.withLock { $0.popLast() } }
        func exit() async -> SessionExit {
            if request.command.first == "hang" { for await _ in isClosed {} }
            return .code(request.command.count - 1)
        }
        func write(_ bytes: [UInt8]) async {}
        func closeInput() async {}
        func resize(columns: Int, rows: Int) async {}
        func close() async { closing.finish() }
    }

    private func withPod(_ body: @escaping @Sendable (any ClusterClient) async throws -> Void) async throws {
        try await MemoryCluster.overHTTPS { cluster, client in
            cluster.server.setNodeAgent(Agent(), node: "n1")
            let pod = try await cluster.client.create(.pods, MemoryCluster.pod("web", node: "n1"))
            var running = pod
            running.value["status"] = ["phase": "Running"]
            _ = try await cluster.client.update(.pods, running, subresource: "status", options: WriteOptions())
            for way in [client as any ClusterClient, cluster.client] { try await body(way) }
        }
    }

    @Test("both outputs and the exit code come back, by network and in process; arguments stay as they are")
    func runs() async throws {
        try await withPod { client in
            let request = ExecRequest(container: "", command: ["say", "a b&c", "grüße"])
            let result = try await client.exec(namespace: "default", pod: "web", request, timeout: .seconds(30))
            #expect(String(decoding: result.output, as: UTF8.self) == "main: a b&c|grüße")
            #expect(result.errorOutput == result.output)
            #expect(result.exitCode == 2)
            let silent = ExecRequest(container: "main", command: ["true"])
            let success = try await client.exec(namespace: "default", pod: "web", silent, timeout: .seconds(30))
            #expect(success.exitCode == 0)
        }
    }

    @Test("a pod that does not exist is the server's own answer")
    func missing() async throws {
        try await withPod { client in
            let request = ExecRequest(container: "", command: ["true"])
            let error = await #expect(throws: Status.self) {
                try await client.exec(namespace: "default", pod: "nobody", request, timeout: .seconds(30))
            }
            #expect(error?.isNotFound == true)
        }
    }

    @Test("a command that does not end is given up after the time")
    func timeout() async throws {
        try await withPod { client in
            let request = ExecRequest(container: "", command: ["hang"])
            let error = await #expect(throws: Status.self) {
                try await client.exec(namespace: "default", pod: "web", request, timeout: .milliseconds(1))
            }
            #expect(error?.reason == "Timeout")
        }
    }

    private static let upgraded = Array("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n".utf8)

    private static func frame(_ opcode: UInt8, _ payload: [UInt8], isLast: Bool = true) -> [UInt8] {
        [(isLast ? 0x80 : 0) | opcode, UInt8(payload.count)] + payload
    }

    @Test("a server that is not there is named, with the reason")
    func unreachable() async throws {
        let port = try UnheardPort()
        let client = try ScriptedServer.client(port.number)
        let status = try await refusal {
            _ = try await client.exec(
                namespace: "default", pod: "web", ExecRequest(container: "", command: ["say"]), timeout: .seconds(30))
        }
        #expect(status.reason == "Unreachable")
        #expect(status.message.contains("Connection refused"))
        _ = consume port
    }

    @Test("frames may come byte by byte and in parts, with pings between them")
    func frames() throws {
        let status = Array(#"{"status":"Failure","details":{"causes":[{"reason":"ExitCode","message":"7"}]}}"#.utf8)
        let bytes =
            Self.upgraded + Self.frame(2, [1] + Array("he".utf8), isLast: false) + Self.frame(9, [5, 6])
            + Self.frame(0, Array("llo".utf8)) + Self.frame(2, [2, 33]) + Self.frame(2, [3] + status)
        var answer = ExecAnswer()
        var replies: [[UInt8]] = []
        for byte in bytes { replies += try answer.take([byte]) }
        #expect(answer.result == ExecResult(output: Array("hello".utf8), errorOutput: [33], exitCode: 7))
        #expect(replies == [[0x8A, 0x82, 0, 0, 0, 0, 5, 6]])
    }

    @Test("a refusal is read by its length; a connection that closes without a word is an error")
    func refusals() throws {
        var refused = ExecAnswer()
        let body = #"{"kind":"Status","status":"Failure","message":"no","reason":"Forbidden","code":403}"#
        let text = "HTTP/1.1 403 Forbidden\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        #expect(try refused.take(Array(text.utf8.dropLast())).isEmpty)
        let error = #expect(throws: Status.self) { try refused.take([UInt8(ascii: "}")]) }
        #expect(error?.code == 403 && error?.message == "no")
        var closed = ExecAnswer()
        _ = try closed.take(Self.upgraded)
        #expect(throws: Status.self) { try closed.take(Self.frame(8, [])) }
    }
}

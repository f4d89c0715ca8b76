import Glibc
import KubeClient
import Testing

@testable import ContainerRuntime

/// A runtime of one of the two real levels, with one pod in it.
struct SessionBench {
    let runtime: any ContainerRuntime
    let logs: ContainerLogs
    let folder: String

    /// The levels that this machine has.
    static var levels: [RuntimeLevel] { RuntimeProbe.run().level == .sandbox ? [.sandbox, .plain] : [.plain] }

    static func with(_ level: RuntimeLevel, _ body: (SessionBench) async throws -> Void) async throws {
        var template = Array("/tmp/velocity-session-XXXXXX".utf8CString)
        let folder = String(cString: try #require(mkdtemp(&template)))
        let logs = ContainerLogs()
        let runtime: any ContainerRuntime =
            level == .sandbox
            ? try SandboxRuntime(images: .ofThisProgram(), logs: logs)
            : try PlainRuntime(images: .ofThisProgram(), logs: logs)
        let bench = SessionBench(runtime: runtime, logs: logs, folder: folder)
        do {
            try await bench.makePod()
            try await body(bench)
        } catch {
            await runtime.shutDown()
            throw error
        }
        await runtime.shutDown()
        let removal = "rm -r \(folder)"
        #expect(system(removal) == 0)
    }

    private func makePod() async throws {
        let network = runtime.podNetwork?.number ?? 10 << 24 | 244 << 16
        try await runtime.runPodSandbox(
            PodSandboxConfiguration(
                podUID: "pod", name: "pod", namespace: "default", hostName: "pod",
                address: IPv4Address(network | 7).description, resolverConfiguration: "nameserver 10.96.0.10\n",
                hosts: "127.0.0.1 localhost\n"))
    }

    /// Starts a container with a shell script; the default does nothing for long.
    func start(
        _ script: String = "exec sleep 1000", name: String = "main", user: Int? = nil,
        _ change: (inout ContainerConfiguration) -> Void = { _ in }
    ) async throws -> ContainerID {
        var configuration = ContainerConfiguration(
            podUID: "pod", name: name, image: try await runtime.pullImage("busybox"),
            arguments: ["bash", "-c", script],
            environment: ["GREETING=hello"], workingDirectory: "/tmp", runAsUser: user,
            logPath: "\(folder)/\(name).log")
        change(&configuration)
        return try await runtime.startContainer(configuration)
    }

    /// Runs a shell script in a container as `kubectl exec` would.
    func exec(
        _ container: ContainerID, _ script: String, input: Bool = false, terminal: Bool = false
    ) async throws -> any ContainerSession {
        try await runtime.exec(
            container,
            ExecRequest(
                container: "main", command: ["bash", "-c", script], hasInput: input, hasErrorOutput: !terminal,
                isTerminal: terminal))
    }

    /// What a script in a container prints, and its exit.
    func run(_ container: ContainerID, _ script: String) async throws -> (text: String, exit: SessionExit) {
        let session = try await exec(container, script)
        let text = await session.rest()
        let exit = await session.exit()
        await session.close()
        return (text, exit)
    }

    func log(_ name: String = "main") async throws -> String {
        var text = ""
        for try await piece in try logs.read("\(folder)/\(name).log", LogOptions()) {
            text += String(decoding: piece, as: UTF8.self)
        }
        return text
    }
}

extension ContainerSession {
    /// All output until the end.
    func rest() async -> String {
        var bytes: [UInt8] = []
        while let piece = await nextOutput() { bytes += piece.bytes }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Output until this text is in it.
    func output(until text: String) async -> String {
        var bytes: [UInt8] = []
        while !String(decoding: bytes, as: UTF8.self).contains(text), let piece = await nextOutput() {
            bytes += piece.bytes
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    func write(_ text: String) async { await write(Array(text.utf8)) }
}

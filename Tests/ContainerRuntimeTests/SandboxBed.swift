import ContainerRuntime
import Glibc
import KubeClient
import LabTesting

/// A runtime of level `sandbox` with one pod in it, for as long as a test.
struct SandboxBed: Sendable {
    let runtime: SandboxRuntime
    let logs = ContainerLogs()
    let folder: String
    static let isPossible = RuntimeProbe.run().level == .sandbox
    static let isRoot = geteuid() == 0

    /// Runs `body` with a pod `a`; afterwards nothing is left.
    static func run(
        images: ImageCatalog = .ofThisProgram(), sysctls: [String] = [],
        _ body: @Sendable (SandboxBed) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let bed = try SandboxBed(images: images, folder: folder)
            do {
                try await bed.makePod("a", sysctls: sysctls)
                try await body(bed)
            } catch {
                await bed.runtime.shutDown()
                throw error
            }
            await bed.runtime.shutDown()
        }
    }

    private init(images: ImageCatalog, folder: String) throws {
        self.folder = folder
        runtime = try SandboxRuntime(images: images, logs: logs)
    }

    func makePod(_ uid: String, address: String = "10.244.0.2", sysctls: [String] = []) async throws {
        var configuration = PodSandboxConfiguration(
            podUID: uid, name: uid, namespace: "default", hostName: "host-\(uid)", address: address,
            resolverConfiguration: "nameserver 10.96.0.10\n", hosts: "127.0.0.1 localhost\n")
        configuration.sysctls = sysctls
        try await runtime.runPodSandbox(configuration)
    }

    /// Starts a shell script; its log has the container's name.
    func start(
        _ script: String, name: String = "main", image: String = "busybox",
        _ change: (inout ContainerConfiguration) -> Void = { _ in }
    ) async throws -> ContainerID {
        let image = try await runtime.pullImage(image)
        var configuration = ContainerConfiguration(
            podUID: "a", name: name, image: image, arguments: ["sh", "-c", script], runAsUser: image.user,
            logPath: "\(folder)/\(name).log")
        change(&configuration)
        return try await runtime.startContainer(configuration)
    }

    /// Runs a shell script to its end and returns what it wrote.
    func output(
        _ script: String, name: String = "main", image: String = "busybox",
        _ change: (inout ContainerConfiguration) -> Void = { _ in }
    ) async throws -> String {
        _ = await runtime.waitForExit(try await start(script, name: name, image: image, change))
        return try await log(name)
    }

    func log(_ name: String = "main") async throws -> String {
        var text = ""
        for try await bytes in try logs.read("\(folder)/\(name).log", LogOptions()) {
            text += String(decoding: bytes, as: UTF8.self)
        }
        return text
    }

    /// Waits until a running container has written a line.
    func wait(for line: String, name: String = "main") async throws {
        for try await bytes in try logs.read("\(folder)/\(name).log", LogOptions(isFollowing: true)) {
            if String(decoding: bytes, as: UTF8.self).contains(line) { return }
        }
    }
}

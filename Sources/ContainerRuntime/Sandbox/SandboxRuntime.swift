import CSandbox
import Glibc
import KubeModel
import Synchronization

/// Pods in namespaces of their own: level `sandbox`.
///
/// Everything that needs a namespace is done by `sandboxd`.
public final class SandboxRuntime: ContainerRuntime {
    public let level = RuntimeLevel.sandbox
    private let channel: SandboxChannel
    private let processes: ProcessTable
    private let logs: ContainerLogs
    private let images: ImageCatalog

    private struct PodRecord {
        var configuration: PodSandboxConfiguration
        var programs: [String] = []
    }
    private let pods = Mutex<[String: PodRecord]>([:])
    private let executions = Mutex(0)

    /// What a container is started from, after its image has been added.
    struct Launch: Sendable {
        let pod: PodSandboxConfiguration
        let container: String
        var arguments: [String]
        var environment: [String]
        var workingDirectory: String
        var mounts: [ContainerConfiguration.Mount]
        var files: [SystemFiles.File]
    }

    /// Changes a launch for a machine that cannot do it as it is: level `plain`.
    typealias Adapt = @Sendable (Launch) throws(RuntimeError) -> Launch
    private let adapt: Adapt?

    public convenience init(images: ImageCatalog, logs: ContainerLogs) throws(RuntimeError) {
        try self.init(images: images, logs: logs, role: "__sandboxd", adapt: nil)
    }

    init(images: ImageCatalog, logs: ContainerLogs, role: String, adapt: Adapt?) throws(RuntimeError) {
        self.adapt = adapt
        let processes = ProcessTable()
        self.processes = processes
        self.logs = logs
        self.images = images
        channel = try SandboxChannel(role: role) { name, status in processes.exited(name, status: status) }
    }

    /// What the other side said when it was ready.
    var greeting: String { channel.greeting }

    public func pullImage(_ reference: String) async throws(RuntimeError) -> Image {
        try images.resolve(reference).image
    }

    public func runPodSandbox(_ configuration: PodSandboxConfiguration) async throws(RuntimeError) {
        var request = SandboxRequest(VS_POD_CREATE)
        request.add(configuration.podUID)
        request.add(configuration.hostName)
        request.add(configuration.address)
        try await channel.perform(request)
        pods.withLock { $0[configuration.podUID] = PodRecord(configuration: configuration) }
    }

    public func startContainer(_ configuration: ContainerConfiguration) async throws(RuntimeError) -> ContainerID {
        guard let pod = pods.withLock({ $0[configuration.podUID]?.configuration }) else {
            throw .notFound("pod \(configuration.podUID)")
        }
        let recipe = try images.resolve(configuration.image.reference)
        let id = "\(configuration.podUID)/\(configuration.name)/\(configuration.attempt)"
        var launch = Launch(
            pod: pod, container: id, arguments: configuration.arguments,
            environment: Self.withPath(configuration.environment), workingDirectory: configuration.workingDirectory,
            mounts: recipe.mounts + configuration.mounts, files: SystemFiles.files(for: pod) + recipe.files)
        if let adapt { launch = try adapt(launch) }
        let log = logs.begin(configuration.logPath)
        processes.add(id, pipes: 2) { log.finish(now: .now) }
        let streams = try await openStreams(id) { bytes, stream in log.append(bytes, stream: stream, now: .now) }
        defer { for descriptor in streams { close(descriptor) } }

        var request = SandboxRequest(VS_CONTAINER_START)
        request.add(configuration.podUID)
        request.add(id)
        request.add(launch.workingDirectory)
        request.add(configuration.runAsUser ?? -1)
        request.add(launch.arguments)
        request.add(launch.environment)
        request.add(launch.mounts.count)
        for mount in launch.mounts {
            request.add(mount.hostPath)
            request.add(mount.containerPath)
            request.add(mount.isReadOnly ? 1 : 0)
        }
        request.add(launch.files.count)
        for file in launch.files {
            request.add(file.path)
            request.add(Array(file.content.utf8))
        }
        let reply: SandboxReply
        do throws(RuntimeError) { reply = try await channel.call(request, descriptors: streams) } catch {
            processes.remove(id)
            throw error
        }
        guard reply.error == 0 else {
            processes.remove(id)
            let program = launch.arguments.first ?? ""
            let isMissing = reply.error == ENOENT && reply.sentence == program
            throw isMissing ? .programNotFound(name: program) : .system(reply.sentence)
        }
        pods.withLock { $0[configuration.podUID]?.programs.append(id) }
        return ContainerID(id)
    }

    static func withPath(_ environment: [String]) -> [String] {
        environment.contains { $0.hasPrefix("PATH=") } ? environment : environment + ["PATH=\(SystemFiles.path)"]
    }

    /// Pipes for standard output and standard error of a program; returns their writing ends.
    private func openStreams(
        _ name: String, _ received: @escaping @Sendable ([UInt8], String) -> Void
    ) async throws(RuntimeError) -> [Int32] {
        let processes = processes
        var ends: [Int32] = []
        for stream in ["stdout", "stderr"] {
            do throws(RuntimeError) {
                ends.append(
                    try await OutputPipe.open(received: { received($0, stream) }, ended: { processes.pipeEnded(name) }))
            } catch {
                for descriptor in ends { close(descriptor) }
                processes.remove(name)
                throw error
            }
        }
        return ends
    }

    public func waitForExit(_ container: ContainerID) async -> ContainerExit {
        await processes.wait(container.rawValue)
    }

    public func signal(_ container: ContainerID, _ signal: Int32) async {
        var request = SandboxRequest(VS_CONTAINER_SIGNAL)
        request.add(container.rawValue)
        request.add(Int(signal))
        _ = try? await channel.call(request)
    }

    public func execute(
        _ container: ContainerID, command: [String], timeout: Duration
    ) async throws(RuntimeError) -> ExecutionResult {
        let name = executions.withLock { number in
            number += 1
            return "\(container)#\(number)"
        }
        let box = OutputBox()
        processes.add(name, pipes: 2) {}
        let streams = try await openStreams(name) { bytes, _ in box.append(bytes) }
        var request = SandboxRequest(VS_EXECUTE)
        request.add(container.rawValue)
        request.add(name)
        request.add(command)
        request.add(Self.withPath([]))
        let reply: SandboxReply
        do throws(RuntimeError) { reply = try await channel.call(request, descriptors: streams) } catch {
            for descriptor in streams { close(descriptor) }
            processes.remove(name)
            throw error
        }
        for descriptor in streams { close(descriptor) }
        defer { processes.remove(name) }
        guard reply.error == 0 else {
            let isMissing = reply.error == ENOENT && reply.sentence == command.first
            throw isMissing ? .programNotFound(name: command.first ?? "") : .system(reply.sentence)
        }
        let processes = processes
        let exit = await withTaskGroup(of: ContainerExit?.self) { group in
            group.addTask { await processes.wait(name) }
            group.addTask {
                try? await ContinuousClock().sleep(for: timeout)
                return nil
            }
            let first = await group.next() ?? nil
            if first == nil {
                await self.signal(ContainerID(name), 9)
                processes.giveUpPipes(name)
            }
            group.cancelAll()
            return first
        }
        return ExecutionResult(code: exit?.code ?? 137, output: box.text, isTimedOut: exit == nil)
    }

    public func removePodSandbox(_ podUID: String) async {
        let record = pods.withLock { $0.removeValue(forKey: podUID) }
        var request = SandboxRequest(VS_POD_REMOVE)
        request.add(podUID)
        _ = try? await channel.call(request)
        for program in record?.programs ?? [] {
            processes.giveUpPipes(program)
            processes.remove(program)
        }
    }

    public func shutDown() async { await channel.shutDown() }

    // MARK: Network

    public func apply(_ rules: [ServiceRule]) async throws(RuntimeError) {
        var request = SandboxRequest(VS_RULES)
        request.add(ServiceRuleTable(rules).bytes)
        try await channel.perform(request)
    }

    public func listen(_ transport: TransportProtocol, address: String, port: Int) async throws(RuntimeError) -> Int32 {
        var request = SandboxRequest(VS_LISTEN)
        request.add(transport == .tcp ? 6 : 17)
        request.add(address)
        request.add(port)
        let reply = try await channel.perform(request)
        guard reply.descriptor >= 0 else { throw .system("no socket came for \(address):\(port)") }
        return reply.descriptor
    }

    public func connect(
        address: String, port: Int, insidePod podUID: String?, timeout: Duration
    ) async throws(ConnectError) -> Int32 {
        var request = SandboxRequest(VS_CONNECT)
        request.add(podUID ?? "")
        request.add(address)
        request.add(port)
        let parts = timeout.components
        request.add(max(1, Int(parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000)))
        let reply: SandboxReply
        do throws(RuntimeError) { reply = try await channel.call(request) } catch { throw .system("\(error)") }
        switch reply.error {
        case 0 where reply.descriptor >= 0: return reply.descriptor
        case ECONNREFUSED: throw .refused
        case ETIMEDOUT: throw .timedOut
        case EHOSTUNREACH, ENETUNREACH: throw .unreachable
        default: throw .system(reply.sentence)
        }
    }
}

/// What a command printed, at most 64 KiB of it.
private final class OutputBox: Sendable {
    private let bytes = Mutex<[UInt8]>([])

    func append(_ more: [UInt8]) {
        bytes.withLock { $0 += more.prefix(max(0, 64 * 1024 - $0.count)) }
    }

    var text: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }
}

import CSandbox
import Glibc
import KubeClient
import KubeModel
import Synchronization

/// Pods in namespaces of their own: level `sandbox`.
///
/// Everything that needs a namespace is done by `sandboxd`.
public final class SandboxRuntime: ContainerRuntime {
    public let level = RuntimeLevel.sandbox
    let channel: SandboxChannel
    let processes: ProcessTable
    private let logs: ContainerLogs
    private let images: ImageCatalog
    private let holds = LayerHolds()

    private struct PodRecord {
        var configuration: PodSandboxConfiguration
        var programs: [String] = []
    }
    private let pods = Mutex<[String: PodRecord]>([:])

    /// A container that runs: what commands in it need, and what attaches to it.
    struct Running: Sendable {
        let configuration: ContainerConfiguration
        let launch: Launch
        let streams: ProgramStreams
    }
    let running = Mutex<[String: Running]>([:])
    let executions = Mutex(0)
    /// The first process of each container that runs, as this machine numbers it.
    private let processIDs = Mutex<[String: Int32]>([:])

    public func process(of container: ContainerID) -> Int32? { processIDs.withLock { $0[container.rawValue] } }

    /// What a container is started from, after its image has been added.
    struct Launch: Sendable {
        let pod: PodSandboxConfiguration
        let container: String
        var arguments: [String]
        var environment: [String]
        var workingDirectory: String
        var mounts: [ContainerConfiguration.Mount]
        var files: [SystemFiles.File]
        var layers: ImageCatalog.Layers?
        /// Where what the container changes is kept; empty: nowhere.
        var changes = ""
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
        channel = try SandboxChannel(role: role) { name, status, isOutOfMemory in
            processes.exited(name, status: status, isOutOfMemory: isOutOfMemory)
        }
    }

    /// What the other side said when it was ready.
    var greeting: String { channel.greeting }

    public func pullImage(_ reference: String) async throws(RuntimeError) -> Image {
        try images.resolve(reference).image
    }

    public func hasImage(_ reference: String) -> Bool { images.isStored(reference) }

    public func runPodSandbox(_ configuration: PodSandboxConfiguration) async throws(RuntimeError) {
        var request = SandboxRequest(VS_POD_CREATE)
        request.add(configuration.podUID)
        request.add(configuration.hostName)
        request.add(configuration.address)
        request.add(configuration.sysctls)
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
        try addLayers(of: recipe, to: &launch)
        let configuration = Self.withGroups(configuration, recipe)
        if let adapt { launch = try adapt(launch) }
        if configuration.isTerminal { launch.environment = Self.withTerminal(launch.environment) }
        let wish = ExecRequest(
            container: configuration.name, hasInput: configuration.hasInput, isTerminal: configuration.isTerminal)
        let layers = launch.layers
        if let layers, !holds.hold(layers.digests, of: layers.store) {
            throw .system("a layer of the image \"\(recipe.image.reference)\" has been removed")
        }
        let log = logs.begin(configuration.logPath)
        let processes = processes
        processes.add(id, pipes: ProgramStreams.sourceCount(wish)) { [weak self] in
            log.finish(now: .now)
            self?.running.withLock { $0.removeValue(forKey: id) }?.streams.close()
            self?.processIDs.withLock { _ = $0.removeValue(forKey: id) }
            if let layers { self?.holds.release(layers.digests) }
        }
        do throws(RuntimeError) {
            let hub = OutputHub { log.append($0, stream: $1 ? "stderr" : "stdout", now: .now) }
            let (streams, ends) = try await ProgramStreams.make(wish, hub: hub) { processes.pipeEnded(id) }
            defer { for end in ends { close(end) } }
            let running = Running(configuration: configuration, launch: launch, streams: streams)
            self.running.withLock { $0[id] = running }
            let request = Self.request(launch, configuration, wish)
            let process = try await start(request, launch.arguments, streams, ends)
            if !processes.hasEnded(id) { processIDs.withLock { $0[id] = process } }
        } catch {
            processes.remove(id)
            throw error
        }
        pods.withLock { $0[configuration.podUID]?.programs.append(id) }
        return ContainerID(id)
    }

    /// Fills in the groups that a manifest leaves open.
    private static func withGroups(
        _ configuration: ContainerConfiguration, _ recipe: ImageCatalog.Recipe
    ) -> ContainerConfiguration {
        var configuration = configuration
        let user = configuration.runAsUser ?? 0
        let own = ImageCatalog.groups(of: user, recipe.layers)
        if configuration.security.group == nil {
            configuration.security.group = user == recipe.image.user ? recipe.image.group ?? own[0] : own[0]
        }
        configuration.security.supplementalGroups += own.dropFirst()
        return configuration
    }

    private static func request(
        _ launch: Launch, _ configuration: ContainerConfiguration, _ wish: ExecRequest
    ) -> SandboxRequest {
        var request = SandboxRequest(VS_CONTAINER_START)
        request.add(launch.pod.podUID)
        request.add(launch.container)
        request.add(launch.workingDirectory)
        request.add(configuration.runAsUser ?? -1)
        request.add(wish.isTerminal ? 1 : 0)
        request.add(launch.arguments)
        request.add(launch.environment)
        request.add(rights: configuration.security)
        request.add(launch.mounts.count)
        for mount in launch.mounts {
            request.add(mount.hostPath)
            request.add(mount.subPath)
            request.add(mount.containerPath)
            request.add(mount.isReadOnly ? 1 : 0)
            request.add(mount.memory == nil ? 0 : 1)
            // Rounded up to what the kernel counts in; 0 leaves it to the kernel.
            request.add(mount.memory?.bytesMax.map { max(1, ($0 + 1023) / 1024) } ?? 0)
        }
        request.add(launch.files.count)
        for file in launch.files {
            request.add(file.path)
            request.add(Array(file.content.utf8))
        }
        request.add(launch.layers == nil ? 0 : 1)
        request.add(launch.layers?.hasSystem ?? false ? 1 : 0)
        request.add(launch.changes)
        request.add(launch.layers.map { layers in layers.digests.map(layers.store.tree) } ?? [])
        if case .container(let neighbour) = configuration.security.processes {
            request.add(neighbour.rawValue)
        } else {
            request.add("")
        }
        let memory = UInt64(max(0, configuration.memoryLimitBytes ?? 0))
        request.add(Int(memory & 0xFFFF_FFFF))
        request.add(Int(memory >> 32))
        request.add(max(0, configuration.cpuLimitMillicores ?? 0))
        return request
    }

    /// Has a program started, and takes over its terminal where it has one; returns its process.
    @discardableResult
    func start(
        _ request: SandboxRequest, _ arguments: [String], _ streams: ProgramStreams, _ ends: [Int32]
    ) async throws(RuntimeError) -> Int32 {
        let reply = try await channel.call(request, descriptors: ends)
        if reply.error == 0, streams.isTerminal { try await streams.adopt(terminal: reply.descriptor) }
        guard reply.error != 0 else { return Int32(reply.number) }
        let program = arguments.first ?? ""
        // The program's name alone says that all went well until it was to run.
        guard reply.sentence == program else {
            throw reply.error == ESRCH ? .notFound(reply.sentence) : .system(reply.sentence)
        }
        guard reply.error != ENOENT else { throw .programNotFound(name: program) }
        throw .programRefused(name: program, because: String(cString: strerror(reply.error)).lowercased())
    }

    static func withPath(_ environment: [String]) -> [String] {
        environment.contains { $0.hasPrefix("PATH=") } ? environment : environment + ["PATH=\(SystemFiles.path)"]
    }

    static func withTerminal(_ environment: [String]) -> [String] {
        environment.contains { $0.hasPrefix("TERM=") } ? environment : environment + ["TERM=xterm"]
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

    public func shutDown() async {
        await channel.shutDown()
        processes.removeAll()
    }

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

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
    public let breakdown: AsyncStream<Void>
    private let logs: ContainerLogs
    private let images: ImageCatalog
    let holds = LayerHolds()

    struct PodRecord {
        var configuration: PodSandboxConfiguration
        var programs: [String] = []
    }
    let pods = Mutex<[String: PodRecord]>([:])

    /// A container that runs: what commands in it need, and what attaches to it.
    struct Running: Sendable {
        let configuration: ContainerConfiguration
        let launch: Launch
        let streams: ProgramStreams
    }
    let running = Mutex<[String: Running]>([:])
    let executions = Mutex(0)
    private let memory = Mutex<MemoryFolder?>(nil)
    /// The first process of each container that runs, as this machine numbers it.
    let processIDs = Mutex<[String: Int32]>([:])

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
        /// Folders of the host's system that are the container's user's, with their files.
        var owned: [String] = []
        var layers: ImageCatalog.Layers?
        /// Where what the container changes is kept; empty: nowhere.
        var changes = ""
    }

    /// Changes a launch for a machine that cannot do it as it is: level `plain`.
    typealias Adapt = @Sendable (Launch) throws(RuntimeError) -> Launch
    private let adapt: Adapt?

    public convenience init(images: ImageCatalog, logs: ContainerLogs) throws(RuntimeError) {
        try self.init(images: images, logs: logs, role: "sandbox", adapt: nil)
    }

    init(images: ImageCatalog, logs: ContainerLogs, role: String, adapt: Adapt?) throws(RuntimeError) {
        self.adapt = adapt
        let processes = ProcessTable()
        self.processes = processes
        self.logs = logs
        self.images = images
        let (breakdown, told) = AsyncStream<Void>.makeStream()
        self.breakdown = breakdown
        channel = try SandboxChannel(role: role) { name, status, isOutOfMemory in
            processes.exited(name, status: status, isOutOfMemory: isOutOfMemory)
        } broken: {
            processes.removeAll()
            told.yield()
        }
    }

    /// What the other side said when it was ready.
    var greeting: String { channel.greeting }

    public func memoryFolder(over path: String) async -> MemoryFolder? {
        if let known = memory.withLock({ $0 }) { return known }
        mkdir(path, 0o755)
        var request = SandboxRequest(VS_MEMORY_FOLDER)
        request.add(path)
        guard let reply = try? await channel.perform(request), reply.descriptor >= 0 else { return nil }
        // Whoever asks at the same time gets another name of the same folder.
        let folder = MemoryFolder(mountPath: path, descriptor: reply.descriptor)
        return memory.withLock { memory in
            if memory == nil { memory = folder }
            return memory
        }
    }

    public func pullImage(_ reference: String, with keyring: RegistryKeyring) async throws(RuntimeError) -> Image {
        try await images.pull(reference, with: keyring)
        return try images.resolve(reference).image
    }

    public func findImage(_ reference: String, with keyring: RegistryKeyring) async throws(RuntimeError) -> Image {
        do { return try images.resolve(reference).image } catch {
            return try await pullImage(reference, with: keyring)
        }
    }

    public func hasImage(_ reference: String) -> Bool { images.isStored(reference) }

    public func runPodSandbox(_ configuration: PodSandboxConfiguration) async throws(RuntimeError) {
        var request = SandboxRequest(VS_POD_CREATE)
        request.add(configuration.podUID)
        request.add(configuration.hostName)
        request.add(configuration.isInNodeNetwork ? "" : configuration.address)
        request.add(configuration.sysctls)
        request.add(configuration.resources)
        try await channel.perform(request)
        pods.withLock { $0[configuration.podUID] = PodRecord(configuration: configuration) }
    }

    public func startContainer(_ configuration: ContainerConfiguration) async throws(RuntimeError) -> ContainerID {
        guard let pod = pods.withLock({ $0[configuration.podUID]?.configuration }) else {
            throw .notFound("pod \(configuration.podUID)")
        }
        let recipe = try images.resolve(configuration.image.reference)
        let id = Self.name(configuration)
        var launch = Launch(
            pod: pod, container: id, arguments: configuration.arguments,
            environment: Self.withPath(configuration.environment), workingDirectory: configuration.workingDirectory,
            mounts: recipe.mounts + configuration.mounts, files: SystemFiles.files(for: pod) + recipe.files)
        launch.owned = recipe.owned
        // Where the host's files are the pod's as well, they are left alone.
        if adapt == nil {
            launch.files += recipe.defaults + SystemFiles.account(recipe.account, of: configuration.runAsUser)
        }
        try addLayers(of: recipe, to: &launch)
        let configuration = Self.withGroups(configuration, recipe)
        if let adapt { launch = try adapt(launch) }
        let log = logs.begin(configuration.logPath)
        return try await start(launch, configuration) { bytes, isError in
            log.append(bytes, stream: isError ? "stderr" : "stdout", now: .now)
        } finished: {
            log.finish(now: .now)
        }
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

    public func apply(_ policies: PolicyRules) async throws(RuntimeError) {
        var request = SandboxRequest(VS_POLICY)
        request.add(PolicyTable(policies).bytes)
        try await channel.perform(request)
    }

    public func apply(_ rules: [ServiceRule]) async throws(RuntimeError) {
        var request = SandboxRequest(VS_RULES)
        request.add(ServiceRuleTable(rules).bytes)
        try await channel.perform(request)
    }

    /// A number that follows from the service rules that the kernel has, whatever the order in which they came to be.
    package func sumOfRules() async throws(RuntimeError) -> String {
        try await channel.perform(SandboxRequest(VS_RULES_SUM)).sentence
    }

    public func sockets(_ count: Int) async throws(RuntimeError) -> [Int32] {
        var request = SandboxRequest(VS_SOCKETS)
        request.add(count)
        return try await channel.perform(request).descriptors
    }

    public func divertOutgoing(to address: IPv4Address, port: Int) async throws(RuntimeError) -> Int32? {
        var request = SandboxRequest(VS_EGRESS)
        let inside: [(IPv4Address, UInt8)] = [
            (IPv4Address(10, 244, 0, 0), 16), (IPv4Address(10, 96, 0, 0), 16), (IPv4Address(127, 0, 0, 0), 8),
            (address, 32),
        ]
        request.add(EgressTable(gateway: address, port: port, inside: inside).bytes)
        return try await channel.perform(request).descriptors.first
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
        try await connect(address, port, podUID ?? "", source: "", timeout)
    }

    public func connect(
        address: String, port: Int, from source: String, timeout: Duration
    ) async throws(ConnectError) -> Int32 {
        try await connect(address, port, "", source: source, timeout)
    }

    private func connect(
        _ address: String, _ port: Int, _ podUID: String, source: String, _ timeout: Duration
    ) async throws(ConnectError) -> Int32 {
        var request = SandboxRequest(VS_CONNECT)
        request.add(podUID)
        request.add(address)
        request.add(port)
        let parts = timeout.components
        request.add(max(1, Int(parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000)))
        request.add(source)
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

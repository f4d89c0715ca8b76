public import KubeClient
import Synchronization

/// Pods without namespaces: level `plain`.
///
/// Containers are ordinary processes on loopback addresses of their own. A supervisor beside each container turns
/// cluster addresses into loopback addresses (`supervisor.c`); services and node ports go
/// through proxies in this process. What is missing compared with a sandbox is in `RuntimeLevel.reductions`.
public final class PlainRuntime: ContainerRuntime {
    public let level = RuntimeLevel.plain
    private let programs: SandboxRuntime
    private let network: PlainNetwork
    private let folders: PlainFolders

    /// Starts `plaind`.
    ///
    /// - Throws: If this kernel cannot supervise system calls, or 32 clusters run on this machine already.
    public init(images: ImageCatalog, logs: ContainerLogs) throws(RuntimeError) {
        let network = try PlainNetwork()
        let folders = PlainFolders()
        self.network = network
        self.folders = folders
        programs = try SandboxRuntime(images: images, logs: logs, role: "plain") { launch throws(RuntimeError) in
            try folders.adapt(launch)
        }
        folders.root.withLock { $0 = programs.greeting }
    }

    public var breakdown: AsyncStream<Void> { programs.breakdown }

    public func pullImage(_ reference: String, with keyring: RegistryKeyring) async throws(RuntimeError) -> Image {
        try await programs.pullImage(reference, with: keyring)
    }

    public func findImage(_ reference: String, with keyring: RegistryKeyring) async throws(RuntimeError) -> Image {
        try await programs.findImage(reference, with: keyring)
    }

    public func hasImage(_ reference: String) -> Bool { programs.hasImage(reference) }

    public func runPodSandbox(_ configuration: PodSandboxConfiguration) async throws(RuntimeError) {
        try await programs.runPodSandbox(configuration)
        network.add(configuration.podUID, address: configuration.address)
    }

    public func startContainer(_ configuration: ContainerConfiguration) async throws(RuntimeError) -> ContainerID {
        try await programs.startContainer(configuration)
    }

    public func waitForExit(_ container: ContainerID) async -> ContainerExit { await programs.waitForExit(container) }

    public func process(of container: ContainerID) -> Int32? { programs.process(of: container) }

    public func signal(_ container: ContainerID, _ signal: Int32) async { await programs.signal(container, signal) }

    public func execute(
        _ container: ContainerID, command: [String], timeout: Duration
    ) async throws(RuntimeError) -> ExecutionResult {
        let paths = folders.paths(of: container.rawValue)
        return try await programs.execute(container, command: command.map(paths.rewrite), timeout: timeout)
    }

    public func exec(
        _ container: ContainerID, _ request: ExecRequest
    ) async throws(RuntimeError) -> any ContainerSession {
        var request = request
        request.command = request.command.map(folders.paths(of: container.rawValue).rewrite)
        return try await programs.exec(container, request)
    }

    public func attach(
        _ container: ContainerID, _ request: ExecRequest
    ) async throws(RuntimeError) -> any ContainerSession {
        try await programs.attach(container, request)
    }

    public func removePodSandbox(_ podUID: String) async {
        await programs.removePodSandbox(podUID)
        network.remove(podUID)
        folders.remove(podUID)
    }

    public func shutDown() async {
        await network.shutDown()
        await programs.shutDown()
        folders.removeAll()
    }

    public var podNetwork: IPv4Address? { network.block.pods }

    public func apply(_ rules: [ServiceRule]) async throws(RuntimeError) { try await network.apply(rules) }

    public func listen(_ transport: TransportProtocol, address: String, port: Int) async throws(RuntimeError) -> Int32 {
        try network.listen(transport, address: address, port: port)
    }

    public func sockets(_ count: Int) async throws(RuntimeError) -> [Int32] { try network.sockets(count) }

    public func place(of address: String, port: Int) -> (address: IPv4Address, port: UInt16)? {
        network.place(address, port)
    }

    public func connect(
        address: String, port: Int, insidePod podUID: String?, timeout: Duration
    ) async throws(ConnectError) -> Int32 {
        try await network.connect(address: address, port: port, insidePod: podUID, timeout: timeout)
    }
}

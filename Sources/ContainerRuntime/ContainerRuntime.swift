public import KubeClient

/// What runs pods on this machine: sandboxes, containers, images, and sockets into them.
///
/// The shape follows the Kubernetes Container Runtime Interface. Implementations: `SandboxRuntime` (namespaces),
/// `PlainRuntime` (processes on loopback addresses), and in tests one that plays a script.
public protocol ContainerRuntime: NetworkDatapath {
    var level: RuntimeLevel { get }

    /// Finds the recipe behind an image reference, or throws what the kubelet reports as `ErrImagePull`.
    ///
    /// - Parameter keyring: The logins that its registry may be shown.
    func pullImage(_ reference: String, with keyring: RegistryKeyring) async throws(RuntimeError) -> Image

    /// The image behind a reference as it is here; it is pulled only where it is not.
    func findImage(_ reference: String, with keyring: RegistryKeyring) async throws(RuntimeError) -> Image

    /// Whether an image was brought to this machine, so that no pull is needed.
    func hasImage(_ reference: String) -> Bool

    /// Makes the sandbox of a pod: its namespaces, its address, its files. It holds no container yet.
    ///
    /// One that is there already stays as it is; one that was lost is made anew.
    func runPodSandbox(_ configuration: PodSandboxConfiguration) async throws(RuntimeError)

    /// Starts a container in the sandbox of `configuration.podUID`; returns when its process is running.
    func startContainer(_ configuration: ContainerConfiguration) async throws(RuntimeError) -> ContainerID

    /// Waits until the container's process ends. Answers at once, and every time, after that.
    func waitForExit(_ container: ContainerID) async -> ContainerExit

    /// Sends a signal to the container's first process; nothing happens if it has ended.
    func signal(_ container: ContainerID, _ signal: Int32) async

    /// Runs a command in a running container and waits for it, at most `timeout`, after which it is killed.
    func execute(_ container: ContainerID, command: [String], timeout: Duration) async throws(RuntimeError)
        -> ExecutionResult

    /// Starts a command in a running container, with the container's environment, user, folder and files.
    ///
    /// - Throws: `programNotFound` and `programRefused` when the command cannot be run, `notFound` when the container does not
    ///   run.
    func exec(_ container: ContainerID, _ request: ExecRequest) async throws(RuntimeError) -> any ContainerSession

    /// Joins the main process of a running container: its output from now on, and its input where it has one.
    func attach(_ container: ContainerID, _ request: ExecRequest) async throws(RuntimeError) -> any ContainerSession

    /// Kills what is left of the pod and removes its sandbox, address and files (its logs stay). Unknown pods are fine.
    func removePodSandbox(_ podUID: String) async

    /// Has an element when what keeps the pods has ended without having been asked to: every program has ended with it.
    var breakdown: AsyncStream<Void> { get }

    /// Ends everything this runtime started. Nothing is left afterwards.
    func shutDown() async

    /// The first process of a running container, as this machine numbers it; nil where there is none.
    func process(of container: ContainerID) -> Int32?

    /// The runtime's folder in memory; nil where there is none.
    ///
    /// - Parameter path: An empty folder that it lies over, for the runtime's eyes, made where it is missing; the first one counts.
    func memoryFolder(over path: String) async -> MemoryFolder?

    /// Bytes that a running container keeps of what it has written outside its volumes; nil where that cannot be told.
    func writtenBytes(of container: ContainerID) -> Int?
}

extension ContainerRuntime {
    /// Containers without processes use nothing that could be measured.
    public func process(of container: ContainerID) -> Int32? { nil }

    public func writtenBytes(of container: ContainerID) -> Int? { nil }

    public func memoryFolder(over path: String) async -> MemoryFolder? { nil }

    public var breakdown: AsyncStream<Void> { AsyncStream { _ in } }

    public func hasImage(_ reference: String) -> Bool { false }

    public func findImage(_ reference: String, with keyring: RegistryKeyring) async throws(RuntimeError) -> Image {
        try await pullImage(reference, with: keyring)
    }

    /// Without a login.
    public func pullImage(_ reference: String) async throws(RuntimeError) -> Image {
        try await pullImage(reference, with: RegistryKeyring())
    }
}

/// The three levels of runtime; the level is probed at start and shown.
public enum RuntimeLevel: String, Sendable, CaseIterable {
    /// Namespaces: every pod has its own network, files, processes and host name.
    case sandbox
    /// Namespaces are denied: pods are processes on addresses of their own in 127.0.0.0/8.
    case plain
    /// No process at all: pods follow rules.
    case simulated
}

/// A container, for as long as the cluster process lives.
public struct ContainerID: Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String
    public init(_ rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }

    /// 64 hexadecimal digits, the same for the same container, as other container runtimes number theirs.
    public var digits: String { Digest(of: Array(rawValue.utf8)).hex }
}

/// An image reference resolved to what is run.
public struct Image: Sendable, Hashable {
    /// The reference as given, with the tag that was implied (`busybox:latest`).
    public var reference: String
    /// A content digest, `sha256:…`.
    public var digest: String
    public var entrypoint: [String]
    public var command: [String]
    public var environment: [String]
    public var workingDirectory: String
    /// `uid` the image asks for; nil means 0.
    public var user: Int?
    /// The user's name, where the image asks for it by that.
    public var userName: String?
    /// The group the image asks for; nil: that of its user.
    public var group: Int?
    /// The bytes of its own files; what is built in has none.
    public var bytes: Int64 = 0
    /// The signal that asks the program to stop, SIGTERM unless the image says otherwise.
    public var stopSignal: Int32

    public init(
        reference: String, digest: String, entrypoint: [String] = [], command: [String] = [],
        environment: [String] = [],
        workingDirectory: String = "/", user: Int? = nil, stopSignal: Int32 = 15
    ) {
        self.reference = reference
        self.digest = digest
        self.entrypoint = entrypoint
        self.command = command
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.user = user
        self.stopSignal = stopSignal
    }
}

/// What a pod's sandbox is made from.
public struct PodSandboxConfiguration: Sendable, Hashable {
    public var podUID: String
    public var name: String
    public var namespace: String
    public var hostName: String
    /// The address given by the network, for example `10.244.0.5`; the node's for a pod in the node's network.
    public var address: String
    /// The pod has no network of its own, but the node's: that of the cluster, never this machine's.
    public var isInNodeNetwork = false
    /// Text of `/etc/resolv.conf`.
    public var resolverConfiguration: String
    /// Text of `/etc/hosts`.
    public var hosts: String
    /// Settings of the kernel for the pod's network and shared memory: `net.ipv4.tcp_syncookies=1`.
    public var sysctls: [String] = []
    /// What its containers ask for and may use together.
    public var resources = ResourceAmounts()

    public init(
        podUID: String, name: String, namespace: String, hostName: String, address: String,
        resolverConfiguration: String, hosts: String
    ) {
        self.podUID = podUID
        self.name = name
        self.namespace = namespace
        self.hostName = hostName
        self.address = address
        self.resolverConfiguration = resolverConfiguration
        self.hosts = hosts
    }
}

/// What a container is started from.
///
/// Everything that a manifest leaves open has been filled in from the image.
public struct ContainerConfiguration: Sendable, Hashable {
    public var podUID: String
    public var name: String
    /// How often this container was started before; 0 the first time.
    public var attempt: Int
    public var image: Image
    /// The whole argument vector; the first element is looked up in PATH inside the sandbox.
    public var arguments: [String]
    /// `NAME=value`, in order.
    public var environment: [String]
    public var workingDirectory: String
    public var runAsUser: Int?
    /// What its processes may do besides.
    public var security = ContainerSecurity()
    public var mounts: [Mount]
    public var resources: ResourceAmounts
    /// Where the output goes, in the CRI log format: `TIME stdout F LINE`.
    public var logPath: String
    /// The process has an input, which is empty until somebody attaches; otherwise it is at its end.
    public var hasInput = false
    /// The input ends with the first client that was attached to it.
    public var isInputOnce = false
    /// The process has a terminal instead of pipes.
    public var isTerminal = false

    public struct Mount: Sendable, Hashable {
        public var hostPath: String
        public var containerPath: String
        public var isReadOnly: Bool
        /// The file or folder in `hostPath` that is seen instead of all of it; no link in it leads out of `hostPath`.
        ///
        /// What is missing is made, a folder with the mode of `hostPath`. Empty: all of it.
        public var subPath = ""
        /// Where the host has an empty folder, the pod has files in memory, which go with it; nil for files on disk.
        public var memory: Memory?

        public struct Memory: Sendable, Hashable {
            /// More than so many bytes do not fit; nil: half of this machine's memory.
            public var bytesMax: Int?
            public init(bytesMax: Int? = nil) { self.bytesMax = bytesMax }
        }

        public init(hostPath: String, containerPath: String, isReadOnly: Bool) {
            self.hostPath = hostPath
            self.containerPath = containerPath
            self.isReadOnly = isReadOnly
        }
    }

    public init(
        podUID: String, name: String, attempt: Int = 0, image: Image, arguments: [String], environment: [String] = [],
        workingDirectory: String = "/", runAsUser: Int? = nil, mounts: [Mount] = [],
        resources: ResourceAmounts = ResourceAmounts(), logPath: String
    ) {
        self.podUID = podUID
        self.name = name
        self.attempt = attempt
        self.image = image
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.runAsUser = runAsUser
        self.mounts = mounts
        self.resources = resources
        self.logPath = logPath
    }
}

/// How a container ended.
public struct ContainerExit: Sendable, Hashable {
    /// The exit code, or 128 plus the signal that ended it.
    public var code: Int
    /// `Completed`, `Error` or `OOMKilled`, as `state.terminated.reason` shows it.
    public var reason: String

    public init(code: Int, reason: String? = nil) {
        self.code = code
        self.reason = reason ?? (code == 0 ? "Completed" : "Error")
    }
}

/// What a command in a container did.
public struct ExecutionResult: Sendable, Hashable {
    public var code: Int
    /// Standard output and standard error, at most 64 KiB.
    public var output: String
    public var isTimedOut: Bool

    public init(code: Int, output: String, isTimedOut: Bool = false) {
        self.code = code
        self.output = output
        self.isTimedOut = isTimedOut
    }
}

/// Why the runtime could not do something.
public enum RuntimeError: Error, Sendable, Hashable {
    /// No recipe answers to this reference; `because` says what was looked for, and what would help.
    case imageNotFound(reference: String, because: String)
    /// The reference cannot be read as one.
    case invalidImageName(reference: String)
    /// The container's program is not in the image (`RunContainerError` of the kubelet).
    case programNotFound(name: String)
    /// The container's program is there and cannot be run, for example `permission denied`.
    case programRefused(name: String, because: String)
    /// There is no such pod or container.
    case notFound(String)
    /// What held the pod together has ended; its sandbox has to be made anew.
    case sandboxLost(String)
    /// A system call failed.
    case system(String)
}

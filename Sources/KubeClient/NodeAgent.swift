public import KubeModel

/// What the API server needs of a node: the streams that come from its containers.
///
/// `Kubelet` implements it; `Cluster` hands it to the API server, so that no arrow points upwards.
public protocol NodeAgent: Sendable {
    /// The log of a container of `pod`, a `v1.Pod` that is bound to this node.
    func logs(of pod: KubeObject, options: LogOptions) async throws(Status) -> AsyncThrowingStream<[UInt8], any Error>

    /// Starts a command in a running container of `pod`.
    func exec(in pod: KubeObject, _ request: ExecRequest) async throws(Status) -> any ContainerSession

    /// Joins the main process of a running container of `pod`, without a command of its own.
    func attach(to pod: KubeObject, _ request: ExecRequest) async throws(Status) -> any ContainerSession

    /// A connected stream socket to a TCP port inside `pod`; the caller owns the descriptor.
    func connect(to pod: KubeObject, port: Int) async throws(Status) -> Int32
}

extension NodeAgent {
    /// A node without processes has nothing to run a command in.
    public func exec(in pod: KubeObject, _ request: ExecRequest) async throws(Status) -> any ContainerSession {
        throw Self.hasNoProcesses
    }

    public func attach(to pod: KubeObject, _ request: ExecRequest) async throws(Status) -> any ContainerSession {
        throw Self.hasNoProcesses
    }

    public func connect(to pod: KubeObject, port: Int) async throws(Status) -> Int32 { throw Self.hasNoProcesses }

    private static var hasNoProcesses: Status {
        Status(code: 501, reason: "NotImplemented", message: "pods of this node have no processes to connect to")
    }
}

/// What `exec` and `attach` ask for (`v1.PodExecOptions`).
public struct ExecRequest: Sendable, Hashable {
    public var container: String
    /// Empty for `attach`.
    public var command: [String]
    public var hasInput: Bool
    public var hasOutput: Bool
    public var hasErrorOutput: Bool
    /// Whether the process gets a terminal, which joins standard error to standard output.
    public var isTerminal: Bool

    public init(
        container: String, command: [String] = [], hasInput: Bool = false, hasOutput: Bool = true,
        hasErrorOutput: Bool = true, isTerminal: Bool = false
    ) {
        self.container = container
        self.command = command
        self.hasInput = hasInput
        self.hasOutput = hasOutput
        self.hasErrorOutput = hasErrorOutput
        self.isTerminal = isTerminal
    }
}

/// A conversation with a process in a container.
///
/// Nothing is buffered without bound on either side: a writer waits for a program that does not read, and a program waits
/// for a reader that does not take its output.
public protocol ContainerSession: Sendable {
    /// Hands bytes to the process; returns when they are in its input. Bytes for a process that has ended are dropped.
    func write(_ bytes: [UInt8]) async

    /// Ends the process's input.
    func closeInput() async

    /// Tells the process's terminal its size; nothing happens without a terminal.
    func resize(columns: Int, rows: Int) async

    /// The next piece of output in the order in which it was written; nil when there will be no more.
    ///
    /// Called by one task at a time.
    func nextOutput() async -> SessionOutput?

    /// How the process ended: waits for it. For `attach`, the end of the container.
    func exit() async -> SessionExit

    /// Ends the conversation: kills what `exec` started and is still running, lets go of what was attached to.
    ///
    /// Called once, whatever happened before, also while other calls wait; these then return. Afterwards nothing of the
    /// session is left.
    func close() async
}

public struct SessionOutput: Sendable, Hashable {
    public var bytes: [UInt8]
    public var isErrorOutput: Bool

    public init(bytes: [UInt8], isErrorOutput: Bool) {
        self.bytes = bytes
        self.isErrorOutput = isErrorOutput
    }
}

public enum SessionExit: Sendable, Hashable {
    /// The exit code, or 128 plus the signal that ended the process.
    case code(Int)
    /// The process did not start, or its end could not be seen.
    case failed(String)
}

import CSandbox
import FoundationEssentials
import Glibc
public import KubeModel

/// The background process of a cluster, seen from outside: start it, ask after it, stop it.
///
/// Whether it lives is told by a lock that the kernel releases when it dies, however it dies; process ids alone are not trusted.
public struct ClusterProcess: Sendable {
    public let directory: ClusterDirectory

    public init(_ directory: ClusterDirectory) { self.directory = directory }

    /// What a running cluster says of itself.
    public struct State: Sendable, Hashable {
        public var processID: Int32
        public var level: String
        public var pace: String
        public var timeFactor: Double
        public var port: Int
        public var node: String
        public var startedAt: String
        /// Plain sentences: a port that was taken, a level that is reduced.
        public var remarks: [String]

        public init(
            processID: Int32, level: String, pace: String, timeFactor: Double, port: Int, node: String,
            startedAt: String, remarks: [String]
        ) {
            self.processID = processID
            self.level = level
            self.pace = pace
            self.timeFactor = timeFactor
            self.port = port
            self.node = node
            self.startedAt = startedAt
            self.remarks = remarks
        }

        init?(_ value: JSONValue) {
            guard let processID = value["pid"]?.int.flatMap(Int32.init(exactly:)), let port = value["port"]?.int else {
                return nil
            }
            self.init(
                processID: processID, level: value["runtime"]?.string ?? "", pace: value["pace"]?.string ?? "",
                timeFactor: value["timeFactor"]?.double ?? 1, port: port, node: value["node"]?.string ?? "",
                startedAt: value["startedAt"]?.string ?? "",
                remarks: value["remarks"]?.array?.compactMap(\.string) ?? [])
        }

        public var value: JSONValue {
            [
                "pid": .int(Int64(processID)), "runtime": .string(level), "pace": .string(pace),
                "timeFactor": .double(timeFactor), "port": JSONValue(port), "node": .string(node),
                "startedAt": .string(startedAt), "remarks": .array(remarks.map(JSONValue.string)),
            ]
        }
    }

    /// The state of the running process; nil when none runs.
    public var state: State? {
        guard isRunning, let bytes = Directory.read(directory.stateFile),
            let value = try? JSONValue(parsing: bytes)
        else { return nil }
        return State(value)
    }

    public var isRunning: Bool {
        let descriptor = open(directory.lockFile, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // Shared and at once: fails exactly while the cluster's process holds its exclusive lock.
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    /// Takes the lock for this process, which is about to serve; false when another one serves already.
    ///
    /// The descriptor stays open, on purpose, until the process ends.
    static func lock(_ directory: ClusterDirectory) throws(ClusterError) -> Bool {
        let descriptor = open(directory.lockFile, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw ClusterError("'\(directory.lockFile)' cannot be opened: \(Directory.reason(errno)).")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return false
        }
        return true
    }

    /// Starts the process if it does not run, and returns when its node is Ready.
    ///
    /// - Parameters:
    ///   - executable: This program.
    ///   - arguments: What follows its name: `cluster serve NAME …`; `--reports-to` is added.
    /// - Throws: The reason that the process gave before it ended, if it ended.
    public func start(executable: String, arguments: [String]) throws(ClusterError) {
        try directory.prepare()
        var ends: [Int32] = [-1, -1]
        guard vs_pipe(&ends) == 0 else { throw ClusterError("A pipe cannot be made: \(Directory.reason(errno)).") }
        let log = open(directory.logFile, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        defer {
            close(ends[0])
            if log >= 0 { close(log) }
        }

        // What the caller has open is not the cluster's: a script that waits for a pipe's end must not wait for it.
        vs_close_on_exec(ReadinessPipe.descriptor)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, log >= 0 ? log : 2, 1)
        posix_spawn_file_actions_adddup2(&actions, log >= 0 ? log : 2, 2)
        posix_spawn_file_actions_adddup2(&actions, ends[1], ReadinessPipe.descriptor)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // POSIX_SPAWN_SETSID, which the Glibc module leaves out: a session of its own outlives the terminal.
        let setSession: Int16 = 0x80
        posix_spawnattr_setflags(&attributes, setSession)

        var pointers: [UnsafeMutablePointer<CChar>?] =
            ([executable] + arguments + ["--reports-to", "\(ReadinessPipe.descriptor)"]).map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var variables: [UnsafeMutablePointer<CChar>?] =
            Self.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for variable in variables { free(variable) } }
        var child: pid_t = 0
        let failure = posix_spawn(&child, executable, &actions, &attributes, &pointers, &variables)
        close(ends[1])
        guard failure == 0 else {
            throw ClusterError("'\(executable)' cannot be started: \(Directory.reason(failure)).")
        }
        try ReadinessPipe.wait(ends[0], log: directory.logFile)
    }

    /// The caller's variables, without Swift's own report of a crash: its program would outlive the cluster, and who waits
    /// for the cluster's end would wait for it.
    private static var environment: [String: String] {
        ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { _, ours in ours }
    }

    /// Stops the process and waits until it is gone; one that does not run is fine.
    ///
    /// - Parameter patienceSeconds: After this long it is killed.
    public func stop(patienceSeconds: Int = 20) throws(ClusterError) {
        // What a killed one has left behind goes with the next that stops or starts.
        defer { vs_cgroup_sweep() }
        guard isRunning, let state else { return }
        kill(state.processID, SIGTERM)
        if vs_wait_process(state.processID, Int32(patienceSeconds * 1000)) == 1 { kill(state.processID, SIGKILL) }
        try waitForLock()
    }

    /// The lock is free when the last thread of the process is gone.
    private func waitForLock() throws(ClusterError) {
        let descriptor = open(directory.lockFile, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_SH) == 0 else {
            throw ClusterError("The cluster '\(directory.name)' does not stop: \(Directory.reason(errno)).")
        }
    }
}

import ContainerRuntime
import KubeClient
import KubeModel
import Synchronization

/// A runtime whose containers do what the test says, when it says it; it notes what it was asked to do.
///
/// Containers are named as in the pod: a test has one pod, or gives its containers different names. All images are there but those
/// in `missingImages`; containers run until the test, or a signal, ends them.
final class ScriptedRuntime: ContainerRuntime {
    /// What the kubelet asked for.
    enum Call: Sendable, Hashable {
        case pull(String)
        case runSandbox(podUID: String)
        case start(String, attempt: Int)
        /// To a container that was still alive; signals to others have no effect and are not noted.
        case signal(String, Int32)
        case execute(String, [String])
        case exec(String, ExecRequest)
        case attach(String, ExecRequest)
        case removeSandbox(podUID: String)
    }

    /// How the network answers at a port.
    enum Answer: Sendable, Hashable {
        case http(status: Int)
        /// A service of gRPC tells its health.
        case health(status: UInt8)
        /// The connection stands, and nothing is said.
        case silence
    }

    private struct Running {
        var id: ContainerID
        var configuration: ContainerConfiguration
        var log: LogWriter
        var exit: ContainerExit?
        var waiters: [CheckedContinuation<ContainerExit, Never>] = []
    }

    private struct Waiter {
        var id: Int
        var isMet: @Sendable ([Call]) -> Bool
        var continuation: CheckedContinuation<Void, Never>
    }

    private struct Script {
        var calls: [Call] = []
        var containers: [Running] = []
        var waiters: [Waiter] = []
        var waiterCount = 0
        var missingImages: Set<String> = []
        /// Loaded or built here, so that no pull is needed.
        var broughtImages: Set<String> = []
        /// What the last pull came with.
        var keyring = RegistryKeyring()
        var startFailures: [String: RuntimeError] = [:]
        var plannedExits: [String: [Int]] = [:]
        var heldStarts: Set<String> = []
        var startGates: [CheckedContinuation<Void, Never>] = []
        var deafToTerm: Set<String> = []
        var results: [[String]: ExecutionResult] = [:]
        var commandFailures: [[String]: RuntimeError] = [:]
        var answers: [Int: Answer] = [:]
        var sandboxes: [PodSandboxConfiguration] = []
        var sandboxFailures = 0
        var silentResponders: [SilentConnection] = []
    }

    let level = RuntimeLevel.simulated
    private let logs: ContainerLogs
    private let script = Mutex(Script())

    init(logs: ContainerLogs) { self.logs = logs }

    // MARK: The script

    func removeImage(_ reference: String) { script.withLock { _ = $0.missingImages.insert(reference) } }

    /// An image comes to the node by hand.
    var keyring: RegistryKeyring { script.withLock { $0.keyring } }
    func bringImage(_ reference: String) { script.withLock { _ = $0.broughtImages.insert(reference) } }

    func addImage(_ reference: String) { script.withLock { _ = $0.missingImages.remove(reference) } }

    /// Starting this container fails, until it is told otherwise with nil.
    func failStart(of container: String, with error: RuntimeError?) {
        script.withLock { $0.startFailures[container] = error }
    }

    /// Lets starts of the container take until `releaseStarts`, whatever happens meanwhile.
    func holdStart(of container: String) { script.withLock { _ = $0.heldStarts.insert(container) } }

    func releaseStarts() {
        let gates = script.withLock { script in
            script.heldStarts = []
            defer { script.startGates = [] }
            return script.startGates
        }
        for gate in gates { gate.resume() }
    }

    /// The next sandboxes cannot be made.
    func failSandboxes(_ count: Int) { script.withLock { $0.sandboxFailures = count } }

    /// The next runs of a container end with these codes as soon as they have started; later ones go on.
    func planExits(of container: String, _ codes: [Int]) { script.withLock { $0.plannedExits[container] = codes } }

    /// The container goes on when asked to stop; only a kill ends it.
    func makeDeafToTerm(_ container: String) { script.withLock { _ = $0.deafToTerm.insert(container) } }

    /// What a command in any container comes to; others succeed in silence.
    func setResult(_ result: ExecutionResult, of command: [String]) { script.withLock { $0.results[command] = result } }

    /// A session with this command cannot be started.
    func failCommand(_ command: [String], with error: RuntimeError) {
        script.withLock { $0.commandFailures[command] = error }
    }

    /// What happens at a port of any address; nil, as at first: nobody listens.
    func setAnswer(_ answer: Answer?, port: Int) { script.withLock { $0.answers[port] = answer } }

    /// Ends the container's present run.
    func exit(_ container: String, code: Int, reason: String? = nil) {
        end(ContainerExit(code: code, reason: reason)) { $0.configuration.name == container }
    }

    /// Writes to the log of the container's present run.
    func say(_ container: String, _ line: String) {
        let log = script.withLock { script in
            script.containers.last { $0.configuration.name == container && $0.exit == nil }?.log
        }
        log?.append(Array("\(line)\n".utf8), stream: "stdout", now: Timestamp(seconds: 1_700_000_000))
    }

    // MARK: What happened

    var calls: [Call] { script.withLock { $0.calls } }

    var sandboxes: [PodSandboxConfiguration] { script.withLock { $0.sandboxes } }

    /// How the container was started last.
    func configuration(of container: String) -> ContainerConfiguration? {
        script.withLock { $0.containers.last { $0.configuration.name == container }?.configuration }
    }

    /// Waits until what was asked so far is as wanted, or the test is cancelled.
    func waitForCalls(_ isMet: @escaping @Sendable ([Call]) -> Bool) async {
        let id = script.withLock { script in
            script.waiterCount += 1
            return script.waiterCount
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = script.withLock { script in
                    if isMet(script.calls) || Task.isCancelled { return true }
                    script.waiters.append(Waiter(id: id, isMet: isMet, continuation: continuation))
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = script.withLock { script in
                let waiter = script.waiters.first { $0.id == id }
                script.waiters.removeAll { $0.id == id }
                return waiter
            }
            waiter?.continuation.resume()
        }
    }

    private func note(_ call: Call) {
        let met = script.withLock { script in
            script.calls.append(call)
            let met = script.waiters.filter { $0.isMet(script.calls) }
            script.waiters.removeAll { waiter in met.contains { $0.id == waiter.id } }
            return met
        }
        for waiter in met { waiter.continuation.resume() }
    }

    private func end(_ exit: ContainerExit, where isMeant: (Running) -> Bool) {
        var ended: [(Running)] = []
        script.withLock { script in
            for index in script.containers.indices
            where script.containers[index].exit == nil && isMeant(script.containers[index]) {
                script.containers[index].exit = exit
                ended.append(script.containers[index])
                script.containers[index].waiters = []
            }
        }
        for container in ended {
            container.log.finish(now: Timestamp(seconds: 1_700_000_001))
            for waiter in container.waiters { waiter.resume(returning: exit) }
        }
    }

    // MARK: ContainerRuntime

    func hasImage(_ reference: String) -> Bool { script.withLock { $0.broughtImages.contains(reference) } }

    func pullImage(_ reference: String, with keyring: RegistryKeyring) async throws(RuntimeError) -> Image {
        note(.pull(reference))
        script.withLock { $0.keyring = keyring }
        if script.withLock({ $0.missingImages.contains(reference) }) {
            throw .imageNotFound(reference: reference, because: "there is no image '\(reference)'")
        }
        if reference.contains(" ") || reference != reference.lowercased() {
            throw .invalidImageName(reference: reference)
        }
        return Image(
            reference: reference, digest: "sha256:\(reference)", entrypoint: ["/entry"], command: ["serve"],
            environment: ["PATH=/bin", "FROM_IMAGE=yes"], workingDirectory: "/srv", user: 7,
            stopSignal: reference.hasPrefix("quits") ? 3 : 15)
    }

    func runPodSandbox(_ configuration: PodSandboxConfiguration) async throws(RuntimeError) {
        note(.runSandbox(podUID: configuration.podUID))
        let fails = script.withLock { script in
            if script.sandboxFailures > 0 {
                script.sandboxFailures -= 1
                return true
            }
            script.sandboxes.append(configuration)
            return false
        }
        if fails { throw .system("no room for a sandbox") }
    }

    func startContainer(_ configuration: ContainerConfiguration) async throws(RuntimeError) -> ContainerID {
        let name = configuration.name
        if let failure = script.withLock({ $0.startFailures[name] }) {
            note(.start(name, attempt: configuration.attempt))
            throw failure
        }
        let log = logs.begin(configuration.logPath)
        let (id, code) = script.withLock { script in
            let id = ContainerID("\(name)-\(script.containers.count)")
            script.containers.append(Running(id: id, configuration: configuration, log: log))
            let code = script.plannedExits[name]?.first
            if code != nil { script.plannedExits[name]?.removeFirst() }
            return (id, code)
        }
        note(.start(name, attempt: configuration.attempt))
        await withCheckedContinuation { gate in
            let isHeld = script.withLock { script in
                guard script.heldStarts.contains(name) else { return false }
                script.startGates.append(gate)
                return true
            }
            if !isHeld { gate.resume() }
        }
        if let code { end(ContainerExit(code: code)) { $0.id == id } }
        return id
    }

    func waitForExit(_ container: ContainerID) async -> ContainerExit {
        await withCheckedContinuation { continuation in
            let exit: ContainerExit? = script.withLock { script in
                guard let index = script.containers.firstIndex(where: { $0.id == container }) else {
                    return ContainerExit(code: 137)
                }
                if script.containers[index].exit == nil { script.containers[index].waiters.append(continuation) }
                return script.containers[index].exit
            }
            if let exit { continuation.resume(returning: exit) }
        }
    }

    func signal(_ container: ContainerID, _ signal: Int32) async {
        let living = script.withLock { script in
            script.containers.first { $0.id == container && $0.exit == nil }?.configuration.name
        }
        guard let living else { return }
        note(.signal(living, signal))
        if signal != 9, script.withLock({ $0.deafToTerm.contains(living) }) { return }
        end(ContainerExit(code: signal == 9 ? 137 : 0)) { $0.id == container }
    }

    func execute(
        _ container: ContainerID, command: [String], timeout: Duration
    ) async throws(RuntimeError) -> ExecutionResult {
        let (name, result) = script.withLock { script in
            (script.containers.first { $0.id == container }?.configuration.name, script.results[command])
        }
        guard let name else { throw .notFound("container \"\(container)\"") }
        note(.execute(name, command))
        return result ?? ExecutionResult(code: 0, output: "")
    }

    func exec(_ container: ContainerID, _ request: ExecRequest) async throws(RuntimeError) -> any ContainerSession {
        let (name, failure) = script.withLock { script in
            (
                script.containers.first { $0.id == container && $0.exit == nil }?.configuration.name,
                script.commandFailures[request.command]
            )
        }
        guard let name else { throw .notFound("container \"\(container)\"") }
        note(.exec(name, request))
        if let failure { throw failure }
        return ScriptedSession()
    }

    func attach(_ container: ContainerID, _ request: ExecRequest) async throws(RuntimeError) -> any ContainerSession {
        let name = script.withLock { script in
            script.containers.first { $0.id == container && $0.exit == nil }?.configuration.name
        }
        guard let name else { throw .notFound("container \"\(container)\"") }
        note(.attach(name, request))
        return ScriptedSession()
    }

    func removePodSandbox(_ podUID: String) async {
        note(.removeSandbox(podUID: podUID))
        end(ContainerExit(code: 137)) { $0.configuration.podUID == podUID }
    }

    func shutDown() async { end(ContainerExit(code: 137)) { _ in true } }

    // MARK: NetworkDatapath

    func apply(_ rules: [ServiceRule]) async throws(RuntimeError) {}

    func listen(_ transport: TransportProtocol, address: String, port: Int) async throws(RuntimeError) -> Int32 {
        throw .system("nothing listens here")
    }

    func connect(
        address: String, port: Int, insidePod podUID: String?, timeout: Duration
    ) async throws(ConnectError) -> Int32 {
        switch script.withLock({ $0.answers[port] }) {
        case nil: throw .refused
        case .http(let status)?: return try LoopbackConnection.answering(status: status)
        case .health(let status)?: return try LoopbackConnection.answering(LoopbackConnection.health(status))
        case .silence?:
            let (near, silent) = try LoopbackConnection.silent()
            script.withLock { $0.silentResponders.append(silent) }
            return near
        }
    }
}

/// A command that ends at once, in silence.
struct ScriptedSession: ContainerSession {
    func write(_ bytes: [UInt8]) async {}
    func closeInput() async {}
    func resize(columns: Int, rows: Int) async {}
    func nextOutput() async -> SessionOutput? { nil }
    func exit() async -> SessionExit { .code(0) }
    func close() async {}
}

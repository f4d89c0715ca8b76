import APIServer
import ContainerRuntime
import Foundation
import KubeClient
import KubeModel
import Kubelet
import LabTesting
import ServiceLifecycle
import Synchronization
import Testing

/// A kubelet over a cluster in memory and a scripted runtime, in which the waits of Kubernetes last thousandths.
struct KubeletBed: Sendable {
    let cluster: MemoryCluster
    let logs = ContainerLogs()
    let runtime: ScriptedRuntime
    let addresses = AddressBook()
    private let folder: TemporaryFolder
    /// The kubelet's, which outlives it, but not the bed.
    var directory: String { folder.path }
    let timeFactor: Double
    let visiblePause: Duration
    var client: any ClusterClient { cluster.client }

    /// The waits of Kubernetes are divided by `timeFactor`.
    init(timeFactor: Double = 1000, visiblePause: Duration = .zero) throws {
        cluster = try MemoryCluster()
        runtime = ScriptedRuntime(logs: logs)
        self.timeFactor = timeFactor
        self.visiblePause = visiblePause
        folder = try TemporaryFolder()
    }

    func makeKubelet() -> Kubelet {
        Kubelet(
            client: cluster.server.client(user: "kubelet"), runtime: runtime, addresses: addresses, logs: logs,
            configuration: KubeletConfiguration(
                nodeName: "n1", rootDirectory: directory, visiblePause: visiblePause, timeFactor: timeFactor,
                capacity: ["cpu": Quantity(4), "memory": Quantity(1 << 30), "pods": Quantity(110)],
                nodeAddress: "192.0.2.1"))
    }

    /// Runs `body` beside a kubelet.
    func run(_ body: @Sendable @escaping () async throws -> Void) async throws {
        try await run { _ in try await body() }
    }

    func run(_ body: @Sendable @escaping (Kubelet) async throws -> Void) async throws {
        let kubelet = makeKubelet()
        cluster.server.setNodeAgent(kubelet, node: "n1")
        try await cluster.running([kubelet]) { try await body(kubelet) }
    }

    /// Creates a pod that is bound to the node; `spec` without containers gets one that is called `main`.
    func makePod(_ name: String = "web", _ spec: JSONValue = [:]) async throws -> KubeObject {
        try await client.create(.pods, MemoryCluster.pod(name, node: "n1", spec: spec))
    }

    func delete(_ pod: KubeObject, grace: Int? = nil) async throws {
        try await client.delete(
            .pods, namespace: "default", name: pod.name, options: DeleteOptions(gracePeriodSeconds: grace))
    }

    // MARK: Waiting for facts

    /// The first version of a pod, from this one on, that is as wanted: no state is too short to be seen.
    func version(
        from pod: KubeObject, _ what: String = "as wanted", _ isMet: @escaping @Sendable (Pod) -> Bool
    ) async throws -> KubeObject {
        if isMet(Pod(pod)) { return pod }
        let last = LastSeen(pod)
        let found: KubeObject? = try await withThrowingTaskGroup(of: KubeObject?.self) { group in
            group.addTask { [client] in
                let options = WatchOptions(
                    fieldSelector: "metadata.name=\(pod.name)", resourceVersion: pod.resourceVersion)
                for try await event in try await client.watch(.pods, namespace: "default", options: options) {
                    guard case .modified(let object) = event else { continue }
                    last.object.withLock { $0 = object }
                    if isMet(Pod(object)) { return object }
                }
                return nil
            }
            group.addTask {
                try await ContinuousClock().sleep(for: Self.patience)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        guard let found else {
            throw NotReached("pod \(pod.name): \(what)", last.object.withLock { $0.value["status"] })
        }
        return found
    }

    /// Waits until the pod runs and is ready.
    func ready(_ pod: KubeObject) async throws -> KubeObject { try await version(from: pod, "ready") { $0.isReady } }

    /// Waits until the object is gone.
    func waitUntilGone(_ pod: KubeObject) async throws {
        let isGone = try await client.waitFor(.pods, pod.name, in: "default", timeout: Self.patience) {
            $0?.uid != pod.uid
        }
        if !isGone { throw NotReached("pod \(pod.name): gone", nil) }
    }

    /// Waits for an event about the pod, whose message has this text in it.
    @discardableResult
    func event(_ reason: String, _ text: String = "", about pod: KubeObject) async throws -> KubeObject {
        let found = try await client.waitFor(.events, namespace: "default", timeout: Self.patience) { events in
            events.contains { Self.is($0, reason, text, pod) }
        }
        guard let event = found?.first(where: { Self.is($0, reason, text, pod) }) else {
            throw NotReached("event \(reason) \(text)", .array(try await events(about: pod).map(JSONValue.string)))
        }
        return event
    }

    /// `REASON: MESSAGE` of the events about the pod so far, in the order of their first times.
    func events(about pod: KubeObject) async throws -> [String] {
        try await client.list(.events, in: "default").items
            .filter { $0.value[["involvedObject", "uid"]]?.string == pod.uid }
            .sorted { $0.name < $1.name }
            .map { "\($0.value["reason"]?.string ?? ""): \($0.value["message"]?.string ?? "")" }
    }

    private static func `is`(_ event: KubeObject, _ reason: String, _ text: String, _ pod: KubeObject) -> Bool {
        event.value[["involvedObject", "uid"]]?.string == pod.uid && event.value["reason"]?.string == reason
            && (text.isEmpty || (event.value["message"]?.string ?? "").contains(text))
    }

    static let patience = Duration.seconds(25)
}

/// A folder that goes with whoever has it.
private final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/velocity-kubelet-XXXXXX".utf8CString)
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit { Folder.remove(path) }
}

/// A fact that did not come about in time, and how things stood.
struct NotReached: Error, CustomStringConvertible {
    let description: String
    init(_ what: String, _ found: JSONValue?) {
        description = "not reached: \(what); found: \(found?.text ?? "-")"
    }
}

/// The newest version that a waiting test has seen.
private final class LastSeen: Sendable {
    let object: Mutex<KubeObject>
    init(_ object: KubeObject) { self.object = Mutex(object) }
}

/// Gives addresses out, and knows which are taken.
final class AddressBook: PodAddressing {
    /// The pods whose addresses have been given back, as it happens; for one reader.
    let releases: AsyncStream<String>
    private let released: AsyncStream<String>.Continuation
    private let book = Mutex<(given: Int, taken: [String: String])>((0, [:]))

    init() { (releases, released) = AsyncStream.makeStream() }

    var taken: [String: String] { book.withLock { $0.taken } }

    func assign(podUID: String) -> String {
        book.withLock { book in
            if let address = book.taken[podUID] { return address }
            book.given += 1
            book.taken[podUID] = "10.244.0.\(book.given)"
            return "10.244.0.\(book.given)"
        }
    }

    func release(podUID: String) {
        book.withLock { $0.taken[podUID] = nil }
        released.yield(podUID)
    }

    func resolverConfiguration(for pod: Pod) -> String { "search \(pod.namespace).svc.cluster.local\n" }
}

extension Pod {
    /// The entry of a container in `containerStatuses`.
    func status(_ container: String = "main") -> JSONValue {
        let all = containerStatuses + (object.value[["status", "initContainerStatuses"]]?.array ?? [])
        return all.first { $0["name"]?.string == container } ?? [:]
    }

    func waitingReason(_ container: String = "main") -> String? {
        status(container)[["state", "waiting", "reason"]]?.string
    }

    func isRunning(_ container: String = "main") -> Bool { status(container)[["state", "running"]] != nil }
}

import KubeClient
import KubeModel
import ServiceLifecycle
import Synchronization

/// Does to pods what nodes do, as far as the API shows it: takes them in, runs them, and lets them end.
///
/// A pod whose image ends in `:broken` starts and never becomes ready.
final class NodeStandIn: Service {
    private struct State {
        var addresses = 0
        /// It does not confirm the end of any pod.
        var clings = false
    }

    private let client: any ClusterClient
    /// Pods become ready by themselves; otherwise they wait for `setReady`.
    private let isAutomatic: Bool
    private let state = Mutex(State())

    init(client: any ClusterClient, isAutomatic: Bool = true) {
        self.client = client
        self.isAutomatic = isAutomatic
    }

    /// From now on, pods that are deleted stay until `letGo`.
    func cling() { state.withLock { $0.clings = true } }

    /// Ends the pods that it held, and holds no more.
    func letGo() async throws {
        state.withLock { $0.clings = false }
        for pod in try await client.list(.pods).items where pod.isBeingDeleted { try await end(pod) }
    }

    func run() async throws {
        let _: Bool = try await client.follow(.pods, namespace: nil) { objects, change in
            if change == nil { for object in objects.values { try await self.attend(object) } }
            switch change {
            case .added(let object), .modified(let object): try await self.attend(object)
            default: break
            }
            return nil
        }
    }

    private func attend(_ object: KubeObject) async throws {
        let pod = Pod(object)
        do throws(Status) {
            if object.isBeingDeleted {
                if state.withLock({ !$0.clings }) { try await end(object) }
            } else if !pod.isScheduled {
                // Pods on a node that is not there would be collected.
                _ = try? await client.create(.nodes, KubeObject(.nodes, name: Self.node(for: pod)))
                let binding: JSONValue = [
                    "metadata": ["name": .string(pod.name)], "target": ["name": .string(Self.node(for: pod))],
                ]
                _ = try await client.call(
                    "POST", .pods, namespace: pod.namespace, name: pod.name, subresource: "binding", body: binding)
            } else if pod.podIP.isEmpty, !pod.isTerminal {
                let isBroken = pod.containers.contains { $0.image.hasSuffix(":broken") }
                try await start(pod, isReady: isAutomatic && !isBroken)
            }
        } catch {
            // Somebody was faster: the next change of the pod shows it.
            guard error.isNotFound || error.isConflict else { throw error }
        }
    }

    /// The node that the pod asks for by name, as those of DaemonSets do.
    private static func node(for pod: Pod) -> String {
        let path = [
            "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms",
        ]
        let field = pod.spec[path]?.array?.first?["matchFields"]?.array?.first
        return field?["values"]?.array?.first?.string ?? "node-1"
    }

    private func start(_ pod: Pod, isReady: Bool) async throws(Status) {
        let number = state.withLock { state in
            state.addresses += 1
            return state.addresses
        }
        var status = Self.status(pod, isReady: isReady)
        status["podIP"] = .string("10.1.0.\(number)")
        try await write(status, pod.object)
    }

    private func end(_ object: KubeObject) async throws(Status) {
        try await client.deleteIfPresent(
            .pods, object.name, in: object.namespace, options: DeleteOptions(gracePeriodSeconds: 0, uid: object.uid))
    }

    /// Says that a pod is ready or not.
    func setReady(_ isReady: Bool, _ name: String, in namespace: String = "default") async throws {
        let pod = Pod(try await client.get(.pods, name, in: namespace))
        try await write(Self.status(pod, isReady: isReady), pod.object)
    }

    /// Says that a pod has ended.
    func setPhase(_ phase: String, _ name: String) async throws {
        try await write(["phase": .string(phase)], try await client.get(.pods, name, in: "default"))
    }

    private func write(_ status: JSONValue, _ object: KubeObject) async throws(Status) {
        let patch = ObjectPatch.merge(["metadata": ["uid": .string(object.uid)], "status": status])
        _ = try await client.patch(
            .pods, namespace: object.namespace, name: object.name, patch, subresource: "status",
            options: WriteOptions())
    }

    private static func status(_ pod: Pod, isReady: Bool) -> JSONValue {
        var conditions = pod.conditions
        conditions.set(StatusCondition("Ready", isReady, at: Timestamp(seconds: 1_700_000_000)))
        return ["phase": "Running", "conditions": conditions.value]
    }
}

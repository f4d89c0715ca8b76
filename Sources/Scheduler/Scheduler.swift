public import ControllerKit
public import KubeClient
import KubeModel
public import ServiceLifecycle
import Synchronization

/// Gives every pod that has none a node: filter, score, bind; one pod after the other.
///
/// A pod that fits nowhere waits until a pod ends or a node changes, and its condition says why.
public final class Scheduler: Sendable, Service {
    private let loop: ControllerLoop

    /// - Parameter claims: The claims that pods wait for; nil schedules pods whatever their claims.
    public init(client: any ClusterClient, pods: Informer, nodes: Informer, claims: Informer? = nil) {
        let reconciler = PodScheduling(client: client, pods: pods, nodes: nodes, claims: claims)
        let unscheduled: @Sendable () -> [ObjectKey] = {
            pods.list().filter { !Pod($0).isScheduled && Pod($0).isActive }.map(ObjectKey.init)
        }
        loop = ControllerLoop(
            reconciler,
            sources: [
                ControllerLoop.Source(pods) { change in
                    guard let pod = change.new.map(Pod.init) else { return unscheduled() }
                    if !pod.isScheduled { return pod.isActive ? [pod.key] : [] }
                    // Room came free.
                    return pod.isTerminal && !(change.old.map { Pod($0).isTerminal } ?? true) ? unscheduled() : []
                },
                ControllerLoop.Source(nodes) { change in
                    guard
                        change.old?.value["spec"] != change.new?.value["spec"]
                            || change.old?.labels != change.new?.labels
                            || change.old?.value[["status", "allocatable"]]
                                != change.new?.value[["status", "allocatable"]]
                            || Self.isReady(change.old) != Self.isReady(change.new)
                    else { return [] }
                    return unscheduled()
                },
            ] + Self.waiting(for: claims, pods: pods), workersMax: 1)
    }

    /// The pods that wait for a claim that changed.
    private static func waiting(for claims: Informer?, pods: Informer) -> [ControllerLoop.Source] {
        guard let claims else { return [] }
        let source = ControllerLoop.Source(claims) { change in
            pods.list(namespace: change.object.namespace).filter {
                !Pod($0).isScheduled && Pod($0).isActive && Pod($0).claimNames.contains(change.object.name)
            }.map(ObjectKey.init)
        }
        return [source]
    }

    private static func isReady(_ node: KubeObject?) -> Bool {
        Conditions(node?.value[["status", "conditions"]])["Ready"]?.isTrue ?? false
    }

    public func run() async throws { try await loop.run() }
}

struct PodScheduling: Reconciler {
    let client: any ClusterClient
    let pods: Informer
    let nodes: Informer
    let claims: Informer?
    private let events: EventRecorder
    private let assumed = Assumptions()

    init(client: any ClusterClient, pods: Informer, nodes: Informer, claims: Informer? = nil) {
        self.client = client
        self.pods = pods
        self.nodes = nodes
        self.claims = claims
        events = EventRecorder(client: client, component: "default-scheduler")
    }

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        guard let object = pods.get(key) else { return .settled }
        let pod = Pod(object)
        guard pod.isActive, !pod.isScheduled,
            pod.spec["schedulerName"]?.string ?? "default-scheduler" == "default-scheduler",
            pod.spec["schedulingGates"]?.array?.isEmpty ?? true
        else { return .settled }
        if let reason = claims.flatMap({ ClaimWait.reason(pod, claims: $0, nodeCount: nodes.list().count) }) {
            try await report(pod, reason)
            return .settled
        }
        // Deciding and remembering is one step: two pods must not both take the last room.
        let decision = assumed.decide(pod, nodes: nodes.list(), pods: pods.list().map(Pod.init))
        switch decision {
        case .node(let node): try await bind(pod, to: node)
        case .none(let reason): try await report(pod, reason)
        }
        return .settled
    }

    private func bind(_ pod: Pod, to node: String) async throws {
        let binding: JSONValue = [
            "apiVersion": "v1", "kind": "Binding",
            "metadata": ["name": .string(pod.name), "namespace": .string(pod.namespace)],
            "target": ["apiVersion": "v1", "kind": "Node", "name": .string(node)],
        ]
        do throws(Status) {
            _ = try await client.call(
                "POST", .pods, namespace: pod.namespace, name: pod.name, subresource: "binding", body: binding)
        } catch {
            assumed.forget(pod.uid)
            guard error.isNotFound || error.isConflict else { throw error }
            return
        }
        await events.record(
            pod.object, .normal, reason: "Scheduled",
            message: "Successfully assigned \(pod.namespace)/\(pod.name) to \(node)")
    }

    private func report(_ pod: Pod, _ reason: String) async throws {
        var conditions = pod.conditions
        conditions.set(StatusCondition("PodScheduled", false, reason: "Unschedulable", message: reason, at: .now))
        guard conditions != pod.conditions else { return }
        await events.record(pod.object, .warning, reason: "FailedScheduling", message: reason)
        var changed = pod.object
        changed.value[["status", "conditions"]] = conditions.value
        do throws(Status) { _ = try await client.updateStatus(.pods, changed) } catch {
            guard error.isNotFound else { throw error }
        }
    }
}

/// Decisions that the cache does not show yet.
private final class Assumptions: Sendable {
    private let placed = Mutex<[String: (pod: Pod, node: String)]>([:])

    func decide(_ pod: Pod, nodes: [KubeObject], pods: [Pod]) -> SchedulingDecision {
        placed.withLock { placed in
            for known in pods where known.isScheduled { placed[known.uid] = nil }
            // A pod that went before its binding was seen.
            let present = Set(pods.map(\.uid))
            placed = placed.filter { present.contains($0.key) }
            let states = nodes.map { node in
                NodeState(
                    node: node,
                    pods: pods.filter { $0.nodeName == node.name && !$0.isTerminal }
                        + placed.values.filter { $0.node == node.name }.map(\.pod))
            }
            let decision = SchedulingDecision(pod, nodes: states)
            if case .node(let node) = decision { placed[pod.uid] = (pod, node) }
            return decision
        }
    }

    func forget(_ uid: String) { placed.withLock { $0[uid] = nil } }
}

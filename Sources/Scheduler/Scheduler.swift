public import ControllerKit
public import KubeClient
import KubeModel
public import ServiceLifecycle

/// Gives every pod that has none a node: filter, score, bind; one pod after the other.
///
/// A pod that fits nowhere waits until a pod ends or a node changes, and its condition says why.
public final class Scheduler: Sendable, Service {
    private let loop: ControllerLoop
    private let cache: ClusterCache
    private let events: EventQueue
    private let gate = StartGate.forThisMachine

    /// - Parameters:
    ///   - claims: The claims that pods wait for; nil schedules pods whatever their claims.
    ///   - budgets: What is respected, as far as possible, when pods have to make room for others; nil knows none.
    ///   - namespaces: For affinities that select pods by the labels of their namespaces; nil knows no labels.
    public init(
        client: any ClusterClient, pods: Informer, nodes: Informer, claims: Informer? = nil, budgets: Informer? = nil,
        namespaces: Informer? = nil
    ) {
        cache = ClusterCache(pods: pods, nodes: nodes, budgets: budgets, namespaces: namespaces)
        events = EventQueue(EventRecorder(client: client, component: "default-scheduler"))
        let reconciler = PodScheduling(
            client: client, pods: pods, nodes: nodes, claims: claims, cache: cache, events: events, gate: gate)
        loop = ControllerLoop(
            reconciler,
            sources: [
                ControllerLoop.Source(pods) { [cache, gate] change in
                    guard let pod = change.new.map(Pod.init) else {
                        let gone = Pod(change.object)
                        gate.leave(gone.key)
                        return gone.isScheduled || gone.nominatedNodeName != nil ? cache.waiting : []
                    }
                    if !pod.isScheduled { return pod.isActive ? [pod.key] : [] }
                    if StartGate.isThrough(pod) { gate.leave(pod.key) }
                    // Room came free.
                    return pod.isTerminal && !(change.old.map { Pod($0).isTerminal } ?? true) ? cache.waiting : []
                },
                ControllerLoop.Source(nodes) { [cache] change in
                    guard
                        change.old?.value["spec"] != change.new?.value["spec"]
                            || change.old?.labels != change.new?.labels
                            || change.old?.value[["status", "allocatable"]]
                                != change.new?.value[["status", "allocatable"]]
                            || Self.isReady(change.old) != Self.isReady(change.new)
                    else { return [] }
                    return cache.waiting
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

    public func run() async throws {
        // Before the loop's own, so that a pod that is looked at is in a picture that is as new.
        let observations = cache.observe()
        defer { for observation in observations { observation.end() } }
        async let _ = events.run()
        try await loop.run()
    }
}

struct PodScheduling: Reconciler {
    let client: any ClusterClient
    let pods: Informer
    let nodes: Informer
    let claims: Informer?
    let cache: ClusterCache
    let events: EventQueue
    let gate: StartGate

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        guard let object = pods.get(key) else { return .settled }
        let pod = Pod(object)
        guard pod.isActive, !pod.isScheduled,
            pod.spec["schedulerName"]?.string ?? "default-scheduler" == "default-scheduler",
            pod.spec["schedulingGates"]?.array?.isEmpty ?? true
        else { return .settled }
        cache.expect(pod)
        if let reason = claims.flatMap({ ClaimWait.reason(pod, claims: $0, nodeCount: nodes.list().count) }) {
            try await report(pod, reason)
            return .settled
        }
        switch cache.decide(pod) {
        case .node(let node):
            await gate.enter(pod.key)
            try await bind(pod, to: node)
        case .preempting(let victims, let node, let reason):
            for victim in victims { try await preempt(victim, for: pod, on: node) }
            try await report(pod, reason, nominated: node)
        case .waiting(let reason): try await report(pod, reason, nominated: pod.nominatedNodeName)
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
            gate.leave(pod.key)
            cache.forget(pod.key)
            guard error.isNotFound || error.isConflict else { throw error }
            return
        }
        events.record(
            pod.object, .normal, reason: "Scheduled",
            message: "Successfully assigned \(pod.namespace)/\(pod.name) to \(node)")
    }

    /// - Parameter nominated: The node on which room is being made.
    private func report(_ pod: Pod, _ reason: String, nominated: String? = nil) async throws {
        var conditions = pod.conditions
        conditions.set(StatusCondition("PodScheduled", false, reason: "Unschedulable", message: reason, at: .now))
        guard conditions != pod.conditions || nominated != pod.nominatedNodeName else { return }
        events.record(pod.object, .warning, reason: "FailedScheduling", message: reason)
        var changed = pod.object
        changed.value[["status", "conditions"]] = conditions.value
        changed.value[["status", "nominatedNodeName"]] = nominated.map(JSONValue.string)
        do throws(Status) { _ = try await client.updateStatus(.pods, changed) } catch {
            guard error.isNotFound else { throw error }
        }
    }
}

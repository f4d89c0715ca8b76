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

    /// - Parameters:
    ///   - claims: The claims that pods wait for; nil schedules pods whatever their claims.
    ///   - budgets: What is respected, as far as possible, when pods have to make room for others; nil knows none.
    ///   - namespaces: For affinities that select pods by the labels of their namespaces; nil knows no labels.
    public init(
        client: any ClusterClient, pods: Informer, nodes: Informer, claims: Informer? = nil, budgets: Informer? = nil,
        namespaces: Informer? = nil
    ) {
        let reconciler = PodScheduling(
            client: client, pods: pods, nodes: nodes, claims: claims, budgets: budgets, namespaces: namespaces)
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
    let budgets: Informer?
    let namespaces: Informer?
    let events: EventRecorder
    private let assumed = Assumptions()

    init(
        client: any ClusterClient, pods: Informer, nodes: Informer, claims: Informer? = nil, budgets: Informer? = nil,
        namespaces: Informer? = nil
    ) {
        self.client = client
        self.pods = pods
        self.nodes = nodes
        self.claims = claims
        self.budgets = budgets
        self.namespaces = namespaces
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
        let decision = assumed.decide(pod, pods: pods.list().map(Pod.init), picture)
        switch decision {
        case .node(let node): try await bind(pod, to: node)
        case .preempting(let victims, let node, let reason):
            for victim in victims { try await preempt(victim, for: pod, on: node) }
            try await report(pod, reason, nominated: node)
        case .waiting(let reason): try await report(pod, reason, nominated: pod.nominatedNodeName)
        case .none(let reason): try await report(pod, reason)
        }
        return .settled
    }

    /// The nodes without their pods.
    private var picture: ClusterPicture {
        ClusterPicture(
            nodes: nodes.list().map { NodeState(node: $0, pods: []) },
            namespaces: Dictionary((namespaces?.list() ?? []).map { ($0.name, $0.labels) }) { $1 },
            budgets: (budgets?.list() ?? []).map(DisruptionBudget.init))
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

    /// - Parameter nominated: The node on which room is being made.
    private func report(_ pod: Pod, _ reason: String, nominated: String? = nil) async throws {
        var conditions = pod.conditions
        conditions.set(StatusCondition("PodScheduled", false, reason: "Unschedulable", message: reason, at: .now))
        guard conditions != pod.conditions || nominated != pod.nominatedNodeName else { return }
        await events.record(pod.object, .warning, reason: "FailedScheduling", message: reason)
        var changed = pod.object
        changed.value[["status", "conditions"]] = conditions.value
        changed.value[["status", "nominatedNodeName"]] = nominated.map(JSONValue.string)
        do throws(Status) { _ = try await client.updateStatus(.pods, changed) } catch {
            guard error.isNotFound else { throw error }
        }
    }
}

/// Decisions that the cache does not show yet.
private final class Assumptions: Sendable {
    private let placed = Mutex<[String: (pod: Pod, node: String)]>([:])

    func decide(_ pod: Pod, pods: [Pod], _ picture: ClusterPicture) -> SchedulingDecision {
        placed.withLock { placed in
            // Once over all pods: there may be thousands of them.
            var there: [String: [Pod]] = [:]
            var waiting: [String: (pod: Pod, node: String)] = [:]
            for known in pods {
                let node = known.nodeName
                if !node.isEmpty {
                    if !known.isTerminal { there[node, default: []].append(known) }
                } else if let assumed = placed[known.uid] {
                    there[assumed.node, default: []].append(assumed.pod)
                    waiting[known.uid] = assumed
                } else if let nominated = known.nominatedNodeName, known.comes(before: pod) {
                    there[nominated, default: []].append(known)
                }
            }
            // Neither what has been seen to be bound nor what went before that.
            placed = waiting
            var picture = picture
            for index in picture.nodes.indices { picture.nodes[index].pods = there[picture.nodes[index].name] ?? [] }
            let decision = SchedulingDecision(pod, in: picture)
            if case .node(let node) = decision { placed[pod.uid] = (pod, node) }
            return decision
        }
    }

    func forget(_ uid: String) { placed.withLock { $0[uid] = nil } }
}

extension Pod {
    /// Room that is being made for the pod is not for the other one.
    fileprivate func comes(before other: Pod) -> Bool {
        isActive && uid != other.uid && priority >= other.priority
    }
}

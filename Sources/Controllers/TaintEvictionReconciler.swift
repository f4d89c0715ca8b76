import ControllerKit
import KubeClient
import KubeModel
import Synchronization

/// Takes pods off nodes whose taints of effect `NoExecute` they do not tolerate, or have tolerated for long enough.
///
/// Source: Kubernetes docs, "Taints and Tolerations", and `pkg/controller/tainteviction`.
final class TaintEvictionReconciler: Reconciler {
    private let client: any ClusterClient
    private let pods: Informer
    private let nodes: Informer
    private let events: EventRecorder
    private let pace: Pace
    private let waits = Mutex(TaintWaits<ContinuousClock.Instant>())

    init(client: any ClusterClient, pods: Informer, nodes: Informer, events: EventRecorder, pace: Pace) {
        self.client = client
        self.pods = pods
        self.nodes = nodes
        self.events = events
        self.pace = pace
    }

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        let pod = pods.get(key).map(Pod.init)
        let (left, wasWaiting) = waits.withLock { waits in
            let wasWaiting = waits.isWaiting(key)
            return (waits.left(key, patience: patience(of: pod), now: .now), wasWaiting)
        }
        guard let pod else { return .settled }
        let name = "\(pod.namespace)/\(pod.name)"
        guard let left else {
            if wasWaiting, !pod.object.isBeingDeleted {
                await tell(pod, "Cancelling deletion of Pod \(name)")
            }
            return .settled
        }
        guard left == .zero else { return .again(after: left) }
        await tell(pod, "Marking for deletion Pod \(name)")
        try await evict(pod)
        return .settled
    }

    /// How long the pod bears the node that it is on; nil: as long as it likes.
    private func patience(of pod: Pod?) -> Duration? {
        guard let pod, pod.isScheduled, !pod.object.isBeingDeleted,
            let node = nodes.get(ObjectKey(namespace: nil, name: pod.nodeName))
        else { return nil }
        return NodeMatch(node).patience(of: pod.spec["tolerations"]?.array ?? []).map {
            pace.prescribed(.seconds($0))
        }
    }

    private func tell(_ pod: Pod, _ message: String) async {
        await events.record(pod.object, .normal, reason: "TaintManagerEviction", message: message)
    }

    private func evict(_ pod: Pod) async throws {
        guard var object = try await client.find(.pods, ObjectKey(pod.object)), object.uid == pod.uid else { return }
        var conditions = Conditions(object.value[["status", "conditions"]])
        conditions.set(
            StatusCondition(
                "DisruptionTarget", true, reason: "DeletionByTaintManager",
                message: "Taint manager: deleting due to NoExecute taint", at: .now))
        object.value[["status", "conditions"]] = conditions.value
        _ = try await client.updateStatus(.pods, object)
        try await client.deleteIfPresent(
            .pods, pod.name, in: pod.namespace, options: DeleteOptions(uid: pod.uid))
    }
}

import ControllerKit
import KubeClient
import KubeModel

/// Ends pods that do not bear the `NoExecute` taints of their node, at once or after as long as they do.
///
/// Source: Kubernetes docs, "Taints and Tolerations", and `pkg/controller/tainteviction`.
struct TaintEvictionReconciler: Reconciler {
    let client: any ClusterClient
    let pods: Informer
    let nodes: Informer
    let events: EventRecorder
    let pace: Pace
    private let waits = FirstSeen()

    init(client: any ClusterClient, pods: Informer, nodes: Informer, pace: Pace) {
        self.client = client
        self.pods = pods
        self.nodes = nodes
        self.pace = pace
        events = EventRecorder(client: client, component: "taint-eviction-controller")
    }

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        guard let pod = pods.get(key).map(Pod.init), pod.isScheduled, !pod.object.isBeingDeleted,
            let node = nodes.get(ObjectKey(namespace: nil, name: pod.nodeName))
        else {
            waits.forget(key)
            return .settled
        }
        guard let seconds = NodeMatch(node).patience(of: pod.spec["tolerations"]?.array ?? []) else {
            if waits.forget(key) { await record(pod, "Cancelling deletion of Pod \(pod.namespace)/\(pod.name)") }
            return .settled
        }
        let left = pace.prescribed(.seconds(seconds)) - waits.since(key)
        if left > .zero { return .again(after: left) }
        let isGoing = try await client.disrupt(
            pod, reason: "DeletionByTaintManager", message: "Taint manager: deleting due to NoExecute taint")
        if isGoing { await record(pod, "Marking for deletion Pod \(pod.namespace)/\(pod.name)") }
        return .settled
    }

    private func record(_ pod: Pod, _ message: String) async {
        await events.record(pod.object, .normal, reason: "TaintManagerEviction", message: message)
    }
}

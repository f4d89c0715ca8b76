import ControllerKit
import KubeClient
import KubeModel

/// Removes pods whose node is not there any more: nobody runs them, and nobody else would end them.
struct OrphanedPodReconciler: Reconciler {
    let client: any ClusterClient
    let pods: Informer
    let nodes: Informer
    let pace: Pace
    private let waits = FirstSeen()

    /// A node may come back under its name for so long.
    private static let quarantine = Duration.seconds(40)

    init(client: any ClusterClient, pods: Informer, nodes: Informer, pace: Pace) {
        self.client = client
        self.pods = pods
        self.nodes = nodes
        self.pace = pace
    }

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        guard let pod = pods.get(key).map(Pod.init), pod.isScheduled, try await isGone(pod.nodeName) else {
            waits.forget(key)
            return .settled
        }
        let left = pace.prescribed(Self.quarantine) - waits.since(key)
        if left > .zero { return .again(after: left) }
        try await client.disrupt(
            pod, reason: "DeletionByPodGC", message: "PodGC: node no longer exists",
            status: pod.isTerminal ? [:] : ["phase": "Failed"], graceSeconds: 0)
        return .settled
    }

    private func isGone(_ node: String) async throws(Status) -> Bool {
        let key = ObjectKey(namespace: nil, name: node)
        // The informer may be behind a node that has just come.
        return nodes.get(key) == nil ? try await client.find(.nodes, key) == nil : false
    }
}

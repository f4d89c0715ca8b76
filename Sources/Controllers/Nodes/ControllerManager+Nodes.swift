import ControllerKit
import KubeClient
import KubeModel

extension ControllerManager {
    /// What becomes of pods when something happens to their node.
    static func nodeLoops(_ informers: InformerSet, client: any ClusterClient, pace: Pace) -> [ControllerLoop] {
        @Sendable func pods(on node: String) -> [ObjectKey] {
            informers.pods.list().filter { Pod($0).nodeName == node }.map(ObjectKey.init)
        }
        let tainted = ControllerLoop.Source(informers.nodes) { change in
            guard change.old?.value[["spec", "taints"]] != change.new?.value[["spec", "taints"]] else { return [] }
            return pods(on: change.object.name)
        }
        let placed = ControllerLoop.Source(informers.pods) { change in
            guard let new = change.new else { return [ObjectKey(change.object)] }
            let isSame =
                change.old.map { old in
                    Pod(old).nodeName == Pod(new).nodeName
                        && old.value[["spec", "tolerations"]] == new.value[["spec", "tolerations"]]
                } ?? false
            return isSame ? [] : [ObjectKey(new)]
        }
        let gone = ControllerLoop.Source(informers.nodes) { change in
            change.old == nil || change.new == nil ? pods(on: change.object.name) : []
        }
        return [
            ControllerLoop(
                TaintEvictionReconciler(client: client, pods: informers.pods, nodes: informers.nodes, pace: pace),
                sources: [tainted, placed]),
            ControllerLoop(
                OrphanedPodReconciler(client: client, pods: informers.pods, nodes: informers.nodes, pace: pace),
                sources: [gone, placed]),
        ]
    }
}

import ControllerKit
import KubeClient
import KubeModel

/// Ending pods so that others find room.
extension PodScheduling {
    /// Says in the pod's status why it goes, and deletes it; one that is on its way already is left alone.
    func preempt(_ victim: Pod, for pod: Pod, on node: String) async throws {
        let scheduler = pod.spec["schedulerName"]?.string ?? "default-scheduler"
        let isGoing = try await client.disrupt(
            victim, reason: Preemption.reason,
            message: "\(scheduler): preempting to accommodate a higher priority pod")
        guard isGoing else { return }
        events.record(
            victim.object, .normal, reason: "Preempted", message: "Preempted by pod \(pod.uid) on node \(node)")
    }
}

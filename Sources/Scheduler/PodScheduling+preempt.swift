import ControllerKit
import KubeClient
import KubeModel

/// Ending pods so that others find room.
extension PodScheduling {
    /// Says in the pod's status why it goes, and deletes it; one that is on its way already is left alone.
    func preempt(_ victim: Pod, for pod: Pod, on node: String) async throws {
        guard !victim.object.isBeingDeleted else { return }
        let scheduler = pod.spec["schedulerName"]?.string ?? "default-scheduler"
        let condition = StatusCondition(
            "DisruptionTarget", true, reason: Preemption.reason,
            message: "\(scheduler): preempting to accommodate a higher priority pod", at: .now)
        let patch: JSONValue = [
            "metadata": ["uid": .string(victim.uid)], "status": ["conditions": [condition.value]],
        ]
        do throws(Status) {
            _ = try await client.patch(
                .pods, namespace: victim.namespace, name: victim.name, ObjectPatch(.strategic, patch),
                subresource: "status",
                options: WriteOptions())
        } catch {
            // Gone, or another pod of the same name.
            guard error.isNotFound || error.isConflict else { throw error }
            return
        }
        try await client.deleteIfPresent(
            .pods, victim.name, in: victim.namespace, options: DeleteOptions(uid: victim.uid))
        await events.record(
            victim.object, .normal, reason: "Preempted", message: "Preempted by pod \(pod.uid) on node \(node)")
    }
}

public import KubeClient
public import KubeModel

extension ClusterClient {
    /// Ends a pod for a reason that its owner should not count against it (Kubernetes docs, "Pod disruption conditions").
    ///
    /// - Parameters:
    ///   - reason: Of the condition `DisruptionTarget`, which the pod gets before it is deleted.
    ///   - status: Further members of the status to set at the same time.
    ///   - graceSeconds: How long the pod has to end; nil means as long as it asks for.
    /// - Returns: False when the pod is gone already, or on its way, or another one has its name.
    @discardableResult
    public func disrupt(
        _ pod: Pod, reason: String, message: String, status: JSONValue = [:], graceSeconds: Int? = nil
    ) async throws(Status) -> Bool {
        guard !pod.object.isBeingDeleted || graceSeconds != nil else { return false }
        let condition = StatusCondition("DisruptionTarget", true, reason: reason, message: message, at: .now)
        var status = status
        status["conditions"] = [condition.value]
        do throws(Status) {
            _ = try await patch(
                .pods, namespace: pod.namespace, name: pod.name,
                ObjectPatch(.strategic, ["metadata": ["uid": .string(pod.uid)], "status": status]),
                subresource: "status", options: WriteOptions())
        } catch {
            guard error.isNotFound || error.isConflict else { throw error }
            return false
        }
        try await deleteIfPresent(
            .pods, pod.name, in: pod.namespace,
            options: DeleteOptions(gracePeriodSeconds: graceSeconds, uid: pod.uid))
        return true
    }
}

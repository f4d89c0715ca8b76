import KubeModel

/// What a node has let in, and what it still has room for.
///
/// The scheduler asks the same before it binds a pod; but a pod can name its node itself, and then this is all that stands
/// between it and a port or memory that others have.
struct PodAdmission {
    private var admitted: [String: Pod] = [:]

    /// The pod has ended or is gone: what it had is free.
    mutating func release(_ uid: String) { admitted[uid] = nil }

    /// Lets a pod in; otherwise says why not, in the words of the pod's status.
    mutating func admit(_ pod: Pod, _ configuration: KubeletConfiguration) -> PodStatus.Failure? {
        if pod.isTerminal { return nil }
        // A pod that had begun to run under an earlier kubelet was let in then.
        let hasStarted = pod.object.value[["status", "startTime"]] != nil
        if !hasStarted, let refusal = refusal(pod, configuration) { return refusal }
        admitted[pod.uid] = pod
        return nil
    }

    private func refusal(_ pod: Pod, _ configuration: KubeletConfiguration) -> PodStatus.Failure? {
        if let refusal = PodSysctls.refusal(pod) { return refusal }
        let taken = admitted.values.flatMap(\.hostPorts)
        if pod.hostPorts.contains(where: { wanted in taken.contains { wanted.conflicts(with: $0) } }) {
            return PodStatus.Failure(
                reason: "NodePorts",
                message: "Pod was rejected: Predicate NodePorts failed: "
                    + "node(s) didn't have free ports for the requested pod ports")
        }
        return shortage("pods", Quantity(1), Quantity(Int64(admitted.count)), configuration)
            ?? ["cpu", "memory", "ephemeral-storage"].lazy.compactMap { name in
                let used = admitted.values.reduce(Quantity(0)) { $0 + $1.requests(name) }
                return shortage(name, pod.requests(name), used, configuration)
            }.first
    }

    private func shortage(
        _ resource: String, _ wanted: Quantity, _ used: Quantity, _ configuration: KubeletConfiguration
    ) -> PodStatus.Failure? {
        guard let capacity = configuration.capacity[resource], !wanted.isZero, used + wanted > capacity else {
            return nil
        }
        func amount(_ quantity: Quantity) -> Int64 { resource == "cpu" ? quantity.milliValue : quantity.value }
        return PodStatus.Failure(
            reason: "OutOf\(resource)",
            message: "Pod was rejected: Node didn't have enough resource: \(resource), requested: \(amount(wanted)), "
                + "used: \(amount(used)), capacity: \(amount(capacity))")
    }
}

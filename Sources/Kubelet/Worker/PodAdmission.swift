import KubeModel

/// What a node has let in, and what it still has room for.
///
/// The scheduler asks the same before it binds a pod; but a pod can name its node itself, and then this is all that stands
/// between it and a port or memory that others have.
struct PodAdmission {
    private struct Share {
        var requests: [String: Quantity]
        var hostPorts: [HostPort]
    }

    private static let resources = ["cpu", "memory", "ephemeral-storage"]
    private var admitted: [String: Share] = [:]
    private var used: [String: Quantity] = [:]
    /// Those that have ports of the node: few do.
    private var withPorts: Set<String> = []

    /// The pod has ended or is gone: what it had is free.
    mutating func release(_ uid: String) {
        guard let share = admitted.removeValue(forKey: uid) else { return }
        for (name, amount) in share.requests { used[name] = (used[name] ?? Quantity(0)) - amount }
        withPorts.remove(uid)
    }

    /// Lets a pod in; otherwise says why not, in the words of the pod's status.
    mutating func admit(_ pod: Pod, _ configuration: KubeletConfiguration) -> PodStatus.Failure? {
        if pod.isTerminal { return nil }
        let share = Share(
            requests: Dictionary(uniqueKeysWithValues: Self.resources.map { ($0, pod.requests($0)) }),
            hostPorts: pod.hostPorts)
        // A pod that had begun to run under an earlier kubelet was let in then.
        let hasStarted = pod.object.value[["status", "startTime"]] != nil
        if !hasStarted, let refusal = refusal(pod, share, configuration) { return refusal }
        release(pod.uid)
        admitted[pod.uid] = share
        for (name, amount) in share.requests { used[name] = (used[name] ?? Quantity(0)) + amount }
        if !share.hostPorts.isEmpty { withPorts.insert(pod.uid) }
        return nil
    }

    private func refusal(
        _ pod: Pod, _ share: Share, _ configuration: KubeletConfiguration
    ) -> PodStatus.Failure? {
        if let refusal = PodSysctls.refusal(pod) { return refusal }
        let taken = withPorts.flatMap { admitted[$0]?.hostPorts ?? [] }
        if share.hostPorts.contains(where: { wanted in taken.contains { wanted.conflicts(with: $0) } }) {
            return PodStatus.Failure(
                reason: "NodePorts",
                message: "Pod was rejected: Predicate NodePorts failed: "
                    + "node(s) didn't have free ports for the requested pod ports")
        }
        return shortage("pods", Quantity(1), Quantity(Int64(admitted.count)), configuration)
            ?? Self.resources.lazy.compactMap { name in
                shortage(name, share.requests[name] ?? Quantity(0), used[name] ?? Quantity(0), configuration)
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

import ControllerKit
import KubeClient
import KubeModel

/// Keeps the status of PodDisruptionBudgets: how many pods may go just now.
struct DisruptionReconciler: Reconciler {
    let client: any ClusterClient
    let events: EventRecorder

    /// Why the wished number of pods cannot be known.
    struct UnknownScale: Error, CustomStringConvertible { let description: String }

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        guard let budget = try await client.find(.podDisruptionBudgets, key).map(DisruptionBudget.init) else {
            return .settled
        }
        let pods = try await client.list(.pods, in: key.namespace).items
            .filter { budget.selects($0.labels) }.map(Pod.init)
        let now = Timestamp.now
        if pods.isEmpty {
            await events.record(budget.object, .normal, reason: "NoPods", message: "No matching pods found")
        }
        var scale = 0
        do {
            if DisruptionPlan.needsScale(budget) { scale = try await self.scale(of: pods, budget) }
        } catch let failure as UnknownScale {
            try await fail(budget, because: failure.description, now: now)
            return .settled
        }
        let plan = DisruptionPlan(budget: budget, pods: pods, scale: scale, now: now)
        for pod in pods where plan.undeletedPods.contains(pod.name) {
            await events.record(
                pod.object, .warning, reason: "NotDeleted",
                message: "Pod was expected by PDB \(key.namespace ?? "")/\(key.name) to be deleted but it wasn't")
        }
        try await write(plan.applied(to: budget, now: now), was: budget)
        return plan.nextCheck.map { .again(after: $0 - now) } ?? .settled
    }

    private func write(_ budget: DisruptionBudget, was old: DisruptionBudget) async throws {
        guard budget.status != old.status else { return }
        _ = try await client.updateStatus(.podDisruptionBudgets, budget.object)
    }

    /// No pod may go as long as nobody knows how many there are to be.
    private func fail(_ budget: DisruptionBudget, because reason: String, now: Timestamp) async throws {
        await events.record(
            budget.object, .warning, reason: "CalculateExpectedPodCountFailed",
            message: "Failed to calculate the number of expected pods: \(reason)")
        var changed = budget
        changed.object.value[["status", "disruptionsAllowed"]] = 0
        changed.setCondition(false, reason: "SyncFailed", message: reason, now: now)
        try await write(changed, was: budget)
    }

    // MARK: Scale

    /// The wished number of pods of all controllers of some pods; pods without a controller do not count.
    private func scale(of pods: [Pod], _ budget: DisruptionBudget) async throws -> Int {
        var scales: [String: Int] = [:]
        var isUnmanaged = false
        for pod in pods {
            guard let owner = pod.object.controllerOwner else {
                isUnmanaged = true
                continue
            }
            guard scales[owner.uid] == nil else { continue }
            let (uid, count) = try await scale(of: owner, pod: pod)
            scales[owner.uid] = uid == owner.uid ? count : 0
            scales[uid] = count
        }
        if isUnmanaged {
            await events.record(
                budget.object, .warning, reason: "UnmanagedPods",
                message:
                    "Pods selected by this PodDisruptionBudget (selector: \(selectorText(budget))) were found to be "
                    + "unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in "
                    + "undefined behavior. To account for these pods please set \".spec.minAvailable\" field of the PDB to "
                    + "an integer value.")
        }
        return scales.values.reduce(0, +)
    }

    private func selectorText(_ budget: DisruptionBudget) -> String {
        let selector = budget.spec["selector"]
        let labels = (selector?["matchLabels"]?.object ?? [:]).sorted { $0.key < $1.key }
            .map { "\($0.key): \($0.value.string ?? "")," }.joined()
        return "&LabelSelector{MatchLabels:map[string]string{\(labels)},"
            + "MatchExpressions:[]LabelSelectorRequirement{},}"
    }

    private static let scalable: [String: ResourceType] = [
        "ReplicaSet": .replicaSets, "StatefulSet": .statefulSets, "ReplicationController": .replicationControllers,
        "Deployment": .deployments,
    ]

    private static let unscalable: [String: ResourceType] = ["DaemonSet": .daemonSets, "Job": .jobs]

    /// The controller that decides about the number of pods, and that number: a Deployment stands above its ReplicaSet.
    private func scale(of owner: OwnerReference, pod: Pod) async throws -> (uid: String, count: Int) {
        if let resource = Self.unscalable[owner.kind], owner.apiVersion == resource.apiVersion {
            throw UnknownScale(description: "\(resource.qualifiedPlural) does not implement the scale subresource")
        }
        guard let resource = Self.scalable[owner.kind], owner.apiVersion == resource.apiVersion,
            let controller = try await client.find(
                resource, ObjectKey(namespace: pod.object.namespace, name: owner.name)),
            controller.uid == owner.uid
        else { throw UnknownScale(description: "found no controllers for pod \"\(pod.name)\"") }
        if resource == .replicaSets, let above = controller.controllerOwner, above.kind == "Deployment",
            let deployment = try await client.find(
                .deployments, ObjectKey(namespace: pod.object.namespace, name: above.name)),
            deployment.uid == above.uid
        {
            return (deployment.uid, deployment.value[["spec", "replicas"]]?.int ?? 1)
        }
        return (controller.uid, controller.value[["spec", "replicas"]]?.int ?? 1)
    }
}

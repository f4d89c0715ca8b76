import ControllerKit
import KubeClient
import KubeModel

/// Keeps as many pods as a ReplicaSet asks for.
///
/// It reads pods through the API and not from a cache: what it wrote itself a moment ago must count, or it would make more.
struct ReplicaSetReconciler: Reconciler {
    let client: any ClusterClient
    let events: EventRecorder

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        guard let set = try await client.find(.replicaSets, key).map(ReplicaSet.init) else { return .settled }
        guard !set.object.isBeingDeleted else { return .settled }
        let claimed = try await claim(try await client.list(.pods, in: key.namespace).items.map(Pod.init), for: set)
        let active = claimed.filter(\.isActive)
        let plan = ReplicaPlan(wanted: set.replicas, pods: active)
        var failure: (any Error)?
        do { try await carryOut(plan, set) } catch { failure = error }
        let now = Timestamp.now
        try await report(set, active, failure: failure, now: now)
        if let failure { throw failure }
        let waits = active.contains { $0.isReady && !$0.isAvailable(minReadySeconds: set.minReadySeconds, now: now) }
        return waits ? .again(after: .seconds(1)) : .settled
    }

    /// The pods that belong to the set: owned ones that still match, and orphans that match, which it adopts.
    private func claim(_ pods: [Pod], for set: ReplicaSet) async throws -> [Pod] {
        var claimed: [Pod] = []
        for pod in pods {
            let matches = set.selector.matches(pod.object.labels)
            if let owner = pod.object.controllerOwner {
                guard owner.uid == set.object.uid else { continue }
                if matches {
                    claimed.append(pod)
                } else if !pod.object.isBeingDeleted {
                    let others = pod.object.ownerReferences.filter { $0.uid != set.object.uid }
                    try await setOwners(others, of: pod)
                }
            } else if matches, pod.isActive {
                let owners = pod.object.ownerReferences + [OwnerReference(controller: set.object)]
                try await setOwners(owners, of: pod)
                claimed.append(pod)
            }
        }
        return claimed
    }

    private func setOwners(_ owners: [OwnerReference], of pod: Pod) async throws {
        let patch = ObjectPatch.merge([
            "metadata": [
                "uid": .string(pod.uid), "ownerReferences": owners.isEmpty ? .null : .array(owners.map(\.value)),
            ]
        ])
        _ = try await client.patch(
            .pods, namespace: pod.namespace, name: pod.name, patch, subresource: nil, options: WriteOptions())
    }

    private func carryOut(_ plan: ReplicaPlan, _ set: ReplicaSet) async throws {
        if plan.creations > 0 {
            let pod = Self.newPod(of: set)
            // Slow start: 1, 2, 4 … at a time, so that a template that is refused is refused once and not five hundred times.
            var (left, batch) = (min(plan.creations, 500), 1)
            while left > 0 {
                let count = min(left, batch)
                try await inParallel(count) { _ in try await create(pod, for: set) }
                left -= count
                batch *= 2
            }
        }
        try await inParallel(plan.deletions.count) { index in
            let name = plan.deletions[index]
            try await client.deleteIfPresent(.pods, name, in: set.object.namespace)
            await events.record(set.object, .normal, reason: "SuccessfulDelete", message: "Deleted pod: \(name)")
        }
    }

    private func create(_ pod: KubeObject, for set: ReplicaSet) async throws {
        do throws(Status) {
            let created = try await client.create(.pods, pod)
            await events.record(
                set.object, .normal, reason: "SuccessfulCreate", message: "Created pod: \(created.name)")
        } catch {
            // A namespace on its way out refuses for good; nobody needs to read that.
            if error.details?["causes"]?.array?.contains(where: { $0["reason"] == "NamespaceTerminating" }) != true {
                await events.record(
                    set.object, .warning, reason: "FailedCreate", message: "Error creating: \(error.message)")
            }
            throw error
        }
    }

    static func newPod(of set: ReplicaSet) -> KubeObject {
        var metadata: JSONValue = set.template["metadata"] ?? [:]
        metadata["name"] = nil
        metadata["creationTimestamp"] = nil
        metadata["generateName"] = .string("\(set.name)-")
        metadata["namespace"] = set.object.namespace.map(JSONValue.string)
        var pod = KubeObject([
            "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": set.template["spec"] ?? [:],
        ])
        pod.ownerReferences = [OwnerReference(controller: set.object)]
        return pod
    }

    private func report(_ set: ReplicaSet, _ pods: [Pod], failure: (any Error)?, now: Timestamp) async throws {
        let templateLabels = LabelSelector(matching: KubeObject(set.template).labels)
        var status: JSONValue = ["replicas": JSONValue(pods.count)]
        func count(_ name: String, _ number: Int) { if number > 0 { status[name] = JSONValue(number) } }
        count("fullyLabeledReplicas", pods.count { templateLabels.matches($0.object.labels) })
        count("readyReplicas", pods.count(where: \.isReady))
        count("availableReplicas", pods.count { $0.isAvailable(minReadySeconds: set.minReadySeconds, now: now) })
        status["observedGeneration"] = JSONValue(set.object.generation)
        var conditions = Conditions(set.object.value[["status", "conditions"]])
        if let failure {
            conditions.set(
                StatusCondition("ReplicaFailure", true, reason: "FailedCreate", message: "\(failure)", at: now))
        } else {
            conditions.remove("ReplicaFailure")
        }
        if !conditions.list.isEmpty { status["conditions"] = conditions.value }
        guard set.object.value["status"] != status else { return }
        var changed = set.object
        changed.value["status"] = status
        _ = try await client.updateStatus(.replicaSets, changed)
    }
}

/// Runs `count` operations side by side; the first error is thrown when all have ended.
func inParallel(_ count: Int, _ operation: @escaping @Sendable (Int) async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for index in 0..<count { group.addTask { try await operation(index) } }
        var failure: (any Error)?
        while let result = await group.nextResult() {
            if case .failure(let error) = result, failure == nil { failure = error }
        }
        if let failure { throw failure }
    }
}

extension ClusterClient {
    /// The object, or nil when there is none.
    func find(_ resource: ResourceType, _ key: ObjectKey) async throws(Status) -> KubeObject? {
        do { return try await get(resource, namespace: key.namespace, name: key.name) } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }
}

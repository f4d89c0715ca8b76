import ControllerKit
import KubeClient
import KubeModel

/// Keeps as many pods as a ReplicaSet or a ReplicationController asks for.
///
/// It reads pods through the API and not from a cache: what it wrote itself a moment ago must count, or it would make more.
struct ReplicaSetReconciler: Reconciler {
    let client: any ClusterClient
    let events: EventRecorder
    /// The one kind or the other.
    var resource: ResourceType = .replicaSets

    private var control: PodControl { PodControl(client: client, events: events) }

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        guard let set = try await client.find(resource, key).map(ReplicaSet.init) else { return .settled }
        guard !set.object.isBeingDeleted else { return .settled }
        let pods = try await client.list(.pods, in: key.namespace).items.map(Pod.init)
        let claimed = try await control.claim(pods, for: set.object, set.selector)
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

    private func carryOut(_ plan: ReplicaPlan, _ set: ReplicaSet) async throws {
        let pod = PodControl.pod(from: set.template, owner: set.object)
        try await control.createSlowly(Array(repeating: pod, count: plan.creations), for: set.object)
        try await control.delete(plan.deletions, of: set.object)
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
        if failure == nil { conditions.remove("ReplicaFailure") }
        // One that is there stays: the next refusal names another pod, and each change of the set would be a reason to try again
        // at once.
        if let failure, conditions["ReplicaFailure"] == nil {
            conditions.set(
                StatusCondition("ReplicaFailure", true, reason: "FailedCreate", message: "\(failure)", at: now))
        }
        if !conditions.list.isEmpty { status["conditions"] = conditions.value }
        guard set.object.value["status"] != status else { return }
        var changed = set.object
        changed.value["status"] = status
        _ = try await client.updateStatus(resource, changed)
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

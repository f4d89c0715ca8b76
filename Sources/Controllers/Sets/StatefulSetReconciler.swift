import ControllerKit
import KubeClient
import KubeModel

/// Runs the numbered pods of a StatefulSet, with the claims of each.
struct StatefulSetReconciler: Reconciler {
    let client: any ClusterClient
    let events: EventRecorder

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        guard let object = try await client.find(.statefulSets, key), !object.isBeingDeleted else { return .settled }
        let set = StatefulSet(object)
        let all = try await client.list(.pods, in: key.namespace).items.map(Pod.init)
        let control = PodControl(client: client, events: events)
        let pods = try await control.claim(
            all.filter { $0.ordinal(in: set.name) != nil }, for: object, set.selector)
        var history = RevisionHistory(client, of: object)
        try await history.load(matching: set.selector)
        var collisions = set.status["collisionCount"]?.int ?? 0
        let update = try await history.current(collisions: &collisions)
        let current = set.status["currentRevision"]?.string.flatMap { history[$0] } ?? update
        let now = Timestamp.now
        var plan = StatefulSetPlan(
            set, pods: pods, currentRevision: current.name, updateRevision: update.name, now: now)
        var failure: (any Error)?
        do {
            try await keepClaims(set, pods, plan)
            try await carryOut(plan, set, current: current, update: update)
        } catch {
            failure = error
            plan.creations = []
        }
        try await report(set, pods, plan, collisions: collisions, current: current.name, update: update.name, now: now)
        if let failure { throw failure }
        let inUse = Set(pods.map(\.revision)).union([current.name, update.name])
        try await history.trim(keeping: set.revisionHistoryLimit, inUse: inUse)
        return plan.waitsForAvailability ? .again(after: .seconds(1)) : .settled
    }

    // MARK: Pods

    private func carryOut(
        _ plan: StatefulSetPlan, _ set: StatefulSet, current: KubeObject, update: KubeObject
    ) async throws {
        for name in plan.deletions {
            if plan.ended.contains(name) {
                await events.record(
                    set.object, .warning, reason: "RecreatingFailedPod",
                    message: "StatefulSet \(set.key.namespace ?? "")/\(set.name) is recreating failed Pod \(name)")
            }
            try await client.deleteIfPresent(.pods, name, in: set.key.namespace)
            await events.record(
                set.object, .normal, reason: "SuccessfulDelete",
                message: "delete Pod \(name) in StatefulSet \(set.name) successful")
        }
        for creation in plan.creations {
            let revision = creation.isUpdated ? update : current
            let template = creation.isUpdated ? set.template : revision.revisionTemplate ?? set.template
            guard try await makeClaims(set, creation.ordinal) else { continue }
            try await create(
                StatefulPod.make(set, creation.ordinal, template: template, revision: revision.name), set)
        }
    }

    private func create(_ pod: KubeObject, _ set: StatefulSet) async throws {
        do throws(Status) {
            _ = try await client.create(.pods, pod)
            await events.record(
                set.object, .normal, reason: "SuccessfulCreate",
                message: "create Pod \(pod.name) in StatefulSet \(set.name) successful")
        } catch {
            if error.details?["causes"]?.array?.contains(where: { $0["reason"] == "NamespaceTerminating" }) != true {
                await events.record(
                    set.object, .warning, reason: "FailedCreate",
                    message: "create Pod \(pod.name) in StatefulSet \(set.name) failed error: \(error.message)")
            }
            throw error
        }
    }

    // MARK: Claims

    /// Makes the claims of a pod that are missing; false while an old one is on its way out.
    private func makeClaims(_ set: StatefulSet, _ ordinal: Int) async throws -> Bool {
        let pod = StatefulPod.name(set, ordinal)
        for claim in StatefulPod.claims(set, ordinal) {
            if let present = try await client.find(.persistentVolumeClaims, ObjectKey(claim)) {
                // One that goes with a pod that scaling down took away must be gone before the next is made.
                if present.isBeingDeleted { return false }
                continue
            }
            do throws(Status) {
                _ = try await client.create(.persistentVolumeClaims, claim)
                await events.record(
                    set.object, .normal, reason: "SuccessfulCreate",
                    message: "create Claim \(claim.name) Pod \(pod) in StatefulSet \(set.name) success")
            } catch {
                await events.record(
                    set.object, .warning, reason: "FailedCreate",
                    message: "create Claim \(claim.name) for Pod \(pod) in StatefulSet \(set.name) failed error: "
                        + error.message)
                throw error
            }
        }
        return true
    }

    /// Gives the claims of the pods the owners that the policy asks for.
    private func keepClaims(_ set: StatefulSet, _ pods: [Pod], _ plan: StatefulSetPlan) async throws {
        guard !set.claimTemplates.isEmpty else { return }
        for pod in pods {
            guard let ordinal = pod.ordinal(in: set.name) else { continue }
            let leaving = plan.condemned.contains(pod.name) ? pod : nil
            for template in set.claimTemplates {
                let key = ObjectKey(
                    namespace: set.key.namespace, name: StatefulPod.claimName(template, set, ordinal))
                guard var claim = try await client.find(.persistentVolumeClaims, key), !claim.isBeingDeleted else {
                    continue
                }
                let owners = StatefulPod.owners(of: claim, set, leaving: leaving)
                guard claim.ownerReferences != owners else { continue }
                claim.ownerReferences = owners
                _ = try await client.update(
                    .persistentVolumeClaims, claim, subresource: nil, options: WriteOptions())
            }
        }
    }

    // MARK: Status

    private func report(
        _ set: StatefulSet, _ before: [Pod], _ plan: StatefulSetPlan, collisions: Int, current: String, update: String,
        now: Timestamp
    ) async throws {
        let status = StatefulSetStatus(
            set, before, plan, collisions: collisions, current: current, update: update, now: now)
        guard set.object.value["status"] != status.value else { return }
        var changed = set.object
        changed.value["status"] = status.value
        _ = try await client.updateStatus(.statefulSets, changed)
    }
}

/// `status` of a StatefulSet, computed from its pods.
struct StatefulSetStatus {
    private(set) var value: JSONValue

    init(
        _ set: StatefulSet, _ pods: [Pod], _ plan: StatefulSetPlan, collisions: Int, current: String, update: String,
        now: Timestamp
    ) {
        let ready = pods.filter { $0.phase == "Running" && $0.isReady }
        let staying = pods.filter { !$0.object.isBeingDeleted && !plan.deletions.contains($0.name) }
        let made = plan.creations
        let replicas = pods.count + made.count
        var currentCount = staying.count { $0.revision == current } + made.count { !$0.isUpdated || current == update }
        let updatedCount = staying.count { $0.revision == update } + made.count { $0.isUpdated }
        var currentName = current
        if set.rollsUpdates, updatedCount == replicas, ready.count == replicas, replicas == set.replicas {
            (currentCount, currentName) = (updatedCount, update)
        }
        value = ["observedGeneration": JSONValue(set.object.generation), "replicas": JSONValue(replicas)]
        func count(_ name: String, _ number: Int) { if number > 0 { value[name] = JSONValue(number) } }
        count("readyReplicas", ready.count)
        count("currentReplicas", currentCount)
        count("updatedReplicas", updatedCount)
        value["currentRevision"] = .string(currentName)
        value["updateRevision"] = .string(update)
        value["collisionCount"] = JSONValue(collisions)
        value["availableReplicas"] = JSONValue(
            ready.count { $0.isAvailable(minReadySeconds: set.minReadySeconds, now: now) })
        if let conditions = set.status["conditions"] { value["conditions"] = conditions }
    }
}

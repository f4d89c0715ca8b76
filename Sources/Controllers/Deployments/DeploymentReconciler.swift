import ControllerKit
import KubeClient
import KubeModel

/// Brings the pods of a Deployment from one template to the next through ReplicaSets.
struct DeploymentReconciler: Reconciler {
    private static let historyAnnotation = "deployment.kubernetes.io/revision-history"

    let client: any ClusterClient
    let events: EventRecorder

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        guard let object = try await client.find(.deployments, key) else { return .settled }
        let deployment = Deployment(object)
        let all = try await client.list(.replicaSets, in: key.namespace).items.map(ReplicaSet.init)
        let owned = try await claim(all, for: deployment)
        if object.isBeingDeleted { return try await report(deployment, owned, created: nil) }
        var sets = DeploymentSets(deployment, owned)
        if deployment.isPaused {
            let isEmpty = sets.all.allSatisfy { $0.replicas == 0 } && deployment.replicas > 0
            if isEmpty || isScaling(deployment, sets) { try await scaleAll(deployment, &sets) }
            return try await report(deployment, sets.all, created: nil)
        }
        if sets.new != nil, isScaling(deployment, sets) {
            try await scaleAll(deployment, &sets)
            return try await report(deployment, sets.all, created: nil)
        }
        let created = try await bringUpNewSet(deployment, &sets)
        if deployment.isRecreate { try await recreate(deployment, &sets) } else { try await roll(deployment, &sets) }
        if sets.isComplete(deployment) { try await trimHistory(deployment, sets) }
        return try await report(deployment, sets.all, created: created)
    }

    /// The ReplicaSets of the Deployment: its own, and orphans that match its selector, which it adopts.
    private func claim(_ all: [ReplicaSet], for deployment: Deployment) async throws -> [ReplicaSet] {
        var owned: [ReplicaSet] = []
        for var set in all {
            if let owner = set.object.controllerOwner {
                if owner.uid == deployment.object.uid { owned.append(set) }
            } else if deployment.selector.matches(set.object.labels), !deployment.object.isBeingDeleted,
                !set.object.isBeingDeleted
            {
                set.object.ownerReferences.append(OwnerReference(controller: deployment.object))
                owned.append(
                    ReplicaSet(try await client.update(.replicaSets, set.object, subresource: nil, options: .init())))
            }
        }
        return owned
    }

    // MARK: The ReplicaSet of the present template

    /// Makes the ReplicaSet of the template, or gives the one that is there the newest revision.
    ///
    /// - Returns: The name of a new one.
    private func bringUpNewSet(_ deployment: Deployment, _ sets: inout DeploymentSets) async throws -> String? {
        let revision = (sets.old.map(\.revision).max() ?? 0) + 1
        if let present = sets.new {
            let new = try await refresh(present, of: deployment, revision: max(revision, present.revision))
            sets.replace(new)
            if deployment.object.annotations[ReplicaSet.revisionAnnotation] != "\(new.revision)" {
                try await setRevision(new.revision, of: deployment)
            }
            return nil
        }
        let collisions = deployment.object.value[["status", "collisionCount"]]?.int ?? 0
        let hash = PodTemplateHash.of(deployment.template, collisionCount: collisions)
        let size = newSize(deployment, sets)
        let set = newSet(deployment, hash: hash, revision: revision, replicas: size)
        do throws(Status) {
            let created = try await client.create(.replicaSets, set)
            sets.addNew(ReplicaSet(created))
        } catch {
            guard error.isAlreadyExists else { throw error }
            // Another template has the same hash: the next try uses another one.
            let patch: JSONValue = ["status": ["collisionCount": JSONValue(collisions + 1)]]
            _ = try await client.patch(
                .deployments, namespace: deployment.key.namespace, name: deployment.key.name, .merge(patch),
                subresource: "status", options: WriteOptions())
            throw error
        }
        try await setRevision(revision, of: deployment)
        if size > 0 {
            await events.record(
                deployment.object, .normal, reason: "ScalingReplicaSet",
                message: "Scaled up replica set \(set.name) from 0 to \(size)")
        }
        return set.name
    }

    private func newSize(_ deployment: Deployment, _ sets: DeploymentSets) -> Int {
        // Sized later, when the old pods are gone and not only unwanted.
        if deployment.isRecreate { return 0 }
        let total = sets.old.reduce(0) { $0 + $1.replicas }
        return max(0, min(deployment.replicas, deployment.replicas + deployment.surgeAndUnavailable.surge - total))
    }

    private func newSet(_ deployment: Deployment, hash: String, revision: Int, replicas: Int) -> KubeObject {
        let name = "\(deployment.key.name)-\(hash)"
        var set = KubeObject(.replicaSets, namespace: deployment.key.namespace, name: name)
        var template = deployment.template
        template[["metadata", "labels", ReplicaSet.hashLabel]] = .string(hash)
        set.labels = KubeObject(template).labels
        set.annotations = ownAnnotations(deployment).merging(sizeAnnotations(deployment)) { _, new in new }
            .merging([ReplicaSet.revisionAnnotation: "\(revision)"]) { _, new in new }
        set.ownerReferences = [OwnerReference(controller: deployment.object)]
        var selector = deployment.spec["selector"] ?? [:]
        selector[["matchLabels", ReplicaSet.hashLabel]] = .string(hash)
        set.value["spec"] = ["replicas": JSONValue(replicas), "selector": selector, "template": template]
        if deployment.minReadySeconds > 0 {
            set.value[["spec", "minReadySeconds"]] = JSONValue(deployment.minReadySeconds)
        }
        return set
    }

    private func sizeAnnotations(_ deployment: Deployment) -> [String: String] {
        [
            ReplicaSet.desiredReplicasAnnotation: "\(deployment.replicas)",
            ReplicaSet.maxReplicasAnnotation: "\(deployment.replicas + deployment.surgeAndUnavailable.surge)",
        ]
    }

    /// The annotations of a Deployment that its ReplicaSets share: not what belongs to either alone.
    private func ownAnnotations(_ deployment: Deployment) -> [String: String] {
        let alone = [
            "kubectl.kubernetes.io/last-applied-configuration", ReplicaSet.revisionAnnotation, Self.historyAnnotation,
            ReplicaSet.desiredReplicasAnnotation, ReplicaSet.maxReplicasAnnotation,
        ]
        return deployment.object.annotations.filter { !alone.contains($0.key) }
    }

    /// Brings a ReplicaSet of the present template up to date in what does not concern its pods.
    private func refresh(_ set: ReplicaSet, of deployment: Deployment, revision: Int) async throws -> ReplicaSet {
        var object = set.object
        object.annotations.merge(ownAnnotations(deployment)) { _, new in new }
        if set.revision != revision {
            if set.revision > 0 {
                let history = [object.annotations[Self.historyAnnotation], "\(set.revision)"].compactMap { $0 }
                object.annotations[Self.historyAnnotation] = history.joined(separator: ",")
            }
            object.annotations[ReplicaSet.revisionAnnotation] = "\(revision)"
        }
        if set.minReadySeconds != deployment.minReadySeconds {
            object.value[["spec", "minReadySeconds"]] = JSONValue(deployment.minReadySeconds)
        }
        guard object != set.object else { return set }
        return ReplicaSet(try await client.update(.replicaSets, object, subresource: nil, options: WriteOptions()))
    }

    /// Goes with the status, so that the controller's own note does not look like a change of the spec.
    private func setRevision(_ revision: Int, of deployment: Deployment) async throws {
        let patch: JSONValue = ["metadata": ["annotations": [ReplicaSet.revisionAnnotation: .string("\(revision)")]]]
        _ = try await client.patch(
            .deployments, namespace: deployment.key.namespace, name: deployment.key.name, .merge(patch),
            subresource: "status", options: WriteOptions())
    }

    // MARK: Sizes

    private func roll(_ deployment: Deployment, _ sets: inout DeploymentSets) async throws {
        guard let new = sets.new else { return }
        let (surge, unavailable) = deployment.surgeAndUnavailable
        let plan = RolloutPlan(
            replicas: deployment.replicas, surge: surge, unavailable: unavailable, new: new.planned,
            old: sets.old.map(\.planned))
        try await carryOut(plan, deployment, &sets)
    }

    private func recreate(_ deployment: Deployment, _ sets: inout DeploymentSets) async throws {
        for set in sets.old where set.replicas > 0 { try await resize(set, to: 0, deployment, &sets) }
        let pods = try await client.list(.pods, in: deployment.key.namespace).items.map(Pod.init)
        let oldIDs = Set(sets.old.map(\.object.uid))
        let areGone = !pods.contains { pod in
            !pod.isTerminal && pod.object.controllerOwner.map { oldIDs.contains($0.uid) } ?? false
        }
        if areGone, let new = sets.new { try await resize(new, to: deployment.replicas, deployment, &sets) }
    }

    /// The Deployment's size was changed since its ReplicaSets were last sized.
    private func isScaling(_ deployment: Deployment, _ sets: DeploymentSets) -> Bool {
        sets.all.contains { set in
            guard set.replicas > 0, let desired = set.object.annotations[ReplicaSet.desiredReplicasAnnotation] else {
                return false
            }
            return desired != "\(deployment.replicas)"
        }
    }

    private func scaleAll(_ deployment: Deployment, _ sets: inout DeploymentSets) async throws {
        let active = sets.all.filter { $0.replicas > 0 }
        if active.isEmpty, let latest = sets.new ?? sets.old.last {
            return try await resize(latest, to: deployment.replicas, deployment, &sets)
        }
        var plan: RolloutPlan
        if active.count <= 1 || deployment.isRecreate {
            plan = .proportional(total: deployment.replicas, sets: active.suffix(1).map(\.planned))
        } else if let new = sets.new, sets.isSaturated(new, deployment) {
            plan = RolloutPlan(
                replicas: deployment.replicas, surge: 0, unavailable: deployment.replicas, new: new.planned, old: [])
        } else {
            let ranked = active.sorted { ($0.replicas, $0.revision) > ($1.replicas, $1.revision) }
            let allowed = deployment.replicas > 0 ? deployment.replicas + deployment.surgeAndUnavailable.surge : 0
            plan = .proportional(total: allowed, sets: ranked.map(\.planned))
        }
        try await carryOut(plan, deployment, &sets)
        for set in sets.all where set.replicas > 0 { try await refreshSizeAnnotations(set, deployment, &sets) }
    }

    private func carryOut(_ plan: RolloutPlan, _ deployment: Deployment, _ sets: inout DeploymentSets) async throws {
        for (name, size) in plan.sizes.sorted(by: { $0.key < $1.key }) {
            guard let set = sets.all.first(where: { $0.name == name }) else { continue }
            try await resize(set, to: size, deployment, &sets)
        }
    }

    private func resize(
        _ set: ReplicaSet, to size: Int, _ deployment: Deployment, _ sets: inout DeploymentSets
    ) async throws {
        guard set.replicas != size else { return }
        var object = set.object
        object.value[["spec", "replicas"]] = JSONValue(size)
        object.annotations.merge(sizeAnnotations(deployment)) { _, new in new }
        sets.replace(
            ReplicaSet(try await client.update(.replicaSets, object, subresource: nil, options: WriteOptions())))
        await events.record(
            deployment.object, .normal, reason: "ScalingReplicaSet",
            message:
                "Scaled \(size > set.replicas ? "up" : "down") replica set \(set.name) from \(set.replicas) to \(size)")
    }

    private func refreshSizeAnnotations(
        _ set: ReplicaSet, _ deployment: Deployment, _ sets: inout DeploymentSets
    ) async throws {
        let wanted = sizeAnnotations(deployment)
        guard wanted.contains(where: { set.object.annotations[$0.key] != $0.value }) else { return }
        var object = set.object
        object.annotations.merge(wanted) { _, new in new }
        sets.replace(
            ReplicaSet(try await client.update(.replicaSets, object, subresource: nil, options: WriteOptions())))
    }

    private func trimHistory(_ deployment: Deployment, _ sets: DeploymentSets) async throws {
        let idle = sets.old.filter { $0.replicas == 0 && $0.statusReplicas == 0 && !$0.object.isBeingDeleted }
        for set in idle.sorted(by: { $0.revision < $1.revision }).prefix(
            max(0, idle.count - deployment.revisionHistoryLimit))
        {
            try await client.deleteIfPresent(.replicaSets, set.name, in: deployment.key.namespace)
        }
    }

    // MARK: Status

    private func report(_ deployment: Deployment, _ owned: [ReplicaSet], created: String?) async throws -> Outcome {
        // Read again: annotations may have been written meanwhile, and the status has to build on that.
        guard let object = try await client.find(.deployments, deployment.key) else { return .settled }
        let sets = DeploymentSets(Deployment(object), owned)
        let now = Timestamp.now
        let status = DeploymentStatus(deployment: Deployment(object), sets: sets, created: created, now: now)
        if object.value["status"] != status.value {
            var changed = object
            changed.value["status"] = status.value
            _ = try await client.updateStatus(.deployments, changed)
        }
        return status.nextLook.map { .again(after: $0) } ?? .settled
    }
}

extension ReplicaSet {
    var planned: RolloutPlan.Set { RolloutPlan.Set(name: name, replicas: replicas, available: availableReplicas) }
}

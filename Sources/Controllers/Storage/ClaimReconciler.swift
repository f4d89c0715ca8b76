import ControllerKit
import KubeClient
import KubeModel

/// Finds or makes a volume for every claim, and keeps claims that pods use from going.
struct ClaimReconciler: Reconciler {
    static let finalizer = "kubernetes.io/pvc-protection"

    let client: any ClusterClient
    let events: EventRecorder
    /// Where new volumes are made; nil makes none.
    let folders: VolumeFolders?

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        guard let object = try await client.find(.persistentVolumeClaims, key) else { return .settled }
        let claim = StorageClaim(object)
        let pods = try await client.list(.pods, in: key.namespace).items.map(Pod.init)
            .filter { !$0.isTerminal && $0.claimNames.contains(key.name) }
        if object.isBeingDeleted {
            try await release(object, isUsed: pods.contains(where: \.isScheduled))
            return .settled
        }
        let volumes = try await client.list(.persistentVolumes).items.map(StorageVolume.init)
        let plan = ClaimPlan(
            claim: claim, volumes: volumes, classes: try await client.list(.storageClasses).items,
            hasConsumer: !pods.isEmpty, provisioner: folders == nil ? nil : VolumeFolders.provisioner)
        switch plan {
        case .bind(let name):
            if let volume = volumes.first(where: { $0.name == name }) { try await bind(claim, to: volume) }
        case .provision(let name): try await provision(claim, className: name)
        case .adopt(let name):
            var changed = object
            changed.value[["spec", "storageClassName"]] = .string(name)
            _ = try await client.update(
                .persistentVolumeClaims, changed, subresource: nil, options: WriteOptions())
        case .wait(let remark):
            if let remark { await say(remark, about: object) }
            try await setPhase("Pending", claim)
        case .lost(let remark):
            if claim.phase != "Lost" { await say(remark, about: object) }
            try await setPhase("Lost", claim)
        }
        return .settled
    }

    private func say(_ remark: ClaimPlan.Remark, about object: KubeObject) async {
        await events.record(
            object, remark.isWarning ? .warning : .normal, reason: remark.reason, message: remark.message)
    }

    private func setPhase(_ phase: String, _ claim: StorageClaim) async throws {
        guard claim.phase != phase else { return }
        var changed = claim.object
        changed.value[["status", "phase"]] = .string(phase)
        _ = try await client.updateStatus(.persistentVolumeClaims, changed)
    }

    private func release(_ claim: KubeObject, isUsed: Bool) async throws {
        guard !isUsed, claim.finalizers.contains(Self.finalizer) else { return }
        var changed = claim
        changed.finalizers.removeAll { $0 == Self.finalizer }
        _ = try await client.update(.persistentVolumeClaims, changed, subresource: nil, options: WriteOptions())
    }

    // MARK: Binding

    /// The volume first: a claim that says it is bound must have a volume that says so too.
    private func bind(_ claim: StorageClaim, to volume: StorageVolume) async throws {
        var changed = volume.object
        if volume.claimUID != claim.object.uid {
            if volume.claimKey == nil { changed.annotations[StorageClaim.boundByController] = "yes" }
            changed.value[["spec", "claimRef"]] = Self.reference(to: claim.object)
            changed = try await client.update(
                .persistentVolumes, changed, subresource: nil, options: WriteOptions())
        }
        if volume.phase != "Bound" {
            changed.value[["status", "phase"]] = "Bound"
            _ = try await client.updateStatus(.persistentVolumes, changed)
        }
        var bound = claim.object
        if claim.volumeName == nil {
            bound.value[["spec", "volumeName"]] = .string(volume.name)
            bound.annotations[StorageClaim.boundByController] = "yes"
        }
        bound.annotations[StorageClaim.bindCompleted] = "yes"
        if bound != claim.object {
            bound = try await client.update(
                .persistentVolumeClaims, bound, subresource: nil, options: WriteOptions())
        }
        let before = bound.value["status"]
        bound.value[["status", "phase"]] = "Bound"
        bound.value[["status", "accessModes"]] = volume.object.value[["spec", "accessModes"]]
        bound.value[["status", "capacity"]] = volume.object.value[["spec", "capacity"]]
        if bound.value["status"] != before { _ = try await client.updateStatus(.persistentVolumeClaims, bound) }
    }

    static func reference(to claim: KubeObject) -> JSONValue {
        [
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": .string(claim.name),
            "namespace": .string(claim.namespace ?? ""), "uid": .string(claim.uid),
            "resourceVersion": .string(claim.resourceVersion),
        ]
    }

    // MARK: Making

    private func provision(_ claim: StorageClaim, className: String) async throws {
        guard let folders,
            let storageClass = try await client.find(
                .storageClasses, ObjectKey(namespace: nil, name: className))
        else { return }
        let object = claim.object
        await events.record(
            object, .normal, reason: "Provisioning",
            message: "External provisioner is provisioning volume for claim \"\(ObjectKey(object))\"")
        let name = "pvc-\(object.uid)"
        do throws(VolumeFolders.Failure) { try folders.make(name) } catch {
            await events.record(
                object, .warning, reason: "ProvisioningFailed",
                message: "failed to provision volume with StorageClass \"\(className)\": \(error)")
            throw error
        }
        var volume = KubeObject(.persistentVolumes, name: name)
        volume.annotations[StorageVolume.provisionedBy] = VolumeFolders.provisioner
        volume.value["spec"] = [
            "capacity": ["storage": .string(claim.request.description)],
            "accessModes": object.value[["spec", "accessModes"]] ?? [],
            "persistentVolumeReclaimPolicy": storageClass.value["reclaimPolicy"] ?? "Delete",
            "storageClassName": .string(className), "volumeMode": .string(claim.volumeMode),
            "hostPath": ["path": .string(folders.path(name)), "type": "Directory"],
            "claimRef": Self.reference(to: object),
        ]
        volume.value[["spec", "mountOptions"]] = storageClass.value["mountOptions"]
        do throws(Status) { _ = try await client.create(.persistentVolumes, volume) } catch {
            // Made before, by an attempt that did not come to its end.
            guard error.isAlreadyExists else { throw error }
        }
        await events.record(
            object, .normal, reason: "ProvisioningSucceeded", message: "Successfully provisioned volume \(name)")
    }
}

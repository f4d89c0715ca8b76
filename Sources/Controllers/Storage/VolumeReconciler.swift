import ControllerKit
import KubeClient
import KubeModel

/// Says what volumes are doing, and reclaims those whose claim has gone.
struct VolumeReconciler: Reconciler {
    static let finalizer = "kubernetes.io/pv-protection"

    let client: any ClusterClient
    let events: EventRecorder
    let folders: VolumeFolders?

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        guard let object = try await client.find(.persistentVolumes, key) else { return .settled }
        let volume = StorageVolume(object)
        let claim = try await client.claim(of: volume)
        if object.isBeingDeleted {
            if claim == nil { try await letGo(object) }
            return .settled
        }
        guard volume.claimKey != nil, !volume.claimUID.isEmpty else {
            try await setPhase("Available", volume)
            return .settled
        }
        // As long as there is a claim, its own reconciler says that the two are bound.
        guard claim == nil else { return .settled }
        if volume.phase != "Failed" { try await setPhase("Released", volume) }
        switch volume.reclaimPolicy {
        case "Delete": try await delete(volume)
        case "Recycle": try await fail(volume, "VolumeFailedRecycle", "No recycler found for the volume!")
        default: break
        }
        return .settled
    }

    private func setPhase(_ phase: String, _ volume: StorageVolume, message: String? = nil) async throws {
        guard volume.phase != phase else { return }
        var changed = volume.object
        changed.value[["status", "phase"]] = .string(phase)
        changed.value[["status", "message"]] = message.map(JSONValue.string)
        _ = try await client.updateStatus(.persistentVolumes, changed)
    }

    private func letGo(_ volume: KubeObject) async throws {
        guard volume.finalizers.contains(Self.finalizer) else { return }
        var changed = volume
        changed.finalizers.removeAll { $0 == Self.finalizer }
        _ = try await client.update(.persistentVolumes, changed, subresource: nil, options: WriteOptions())
    }

    private func delete(_ volume: StorageVolume) async throws {
        guard volume.object.annotations[StorageVolume.provisionedBy] == VolumeFolders.provisioner, let folders else {
            let why = "error getting deleter volume plugin for volume \"\(volume.name)\": no volume plugin matched"
            return try await fail(volume, "VolumeFailedDelete", why)
        }
        do throws(VolumeFolders.Failure) { try folders.remove(volume.name) } catch {
            try await fail(volume, "VolumeFailedDelete", "\(error)")
            throw error
        }
        try await client.deleteIfPresent(.persistentVolumes, volume.name, in: nil)
    }

    private func fail(_ volume: StorageVolume, _ reason: String, _ message: String) async throws {
        guard volume.phase != "Failed" else { return }
        try await setPhase("Failed", volume, message: message)
        await events.record(volume.object, .warning, reason: reason, message: message)
    }
}

extension ClusterClient {
    /// The claim that a volume serves; nil when it has gone, or another bears its name.
    fileprivate func claim(of volume: StorageVolume) async throws(Status) -> KubeObject? {
        guard let key = volume.claimKey, let claim = try await find(.persistentVolumeClaims, key) else { return nil }
        return volume.claimUID.isEmpty || volume.claimUID == claim.uid ? claim : nil
    }
}

/// Makes the claims of pods that bring one with them.
struct EphemeralVolumeReconciler: Reconciler {
    let client: any ClusterClient
    let events: EventRecorder

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        guard let object = try await client.find(.pods, key), !object.isBeingDeleted else { return .settled }
        for volume in Pod(object).spec["volumes"]?.array ?? [] {
            guard let template = volume[["ephemeral", "volumeClaimTemplate"]] else { continue }
            let name = "\(object.name)-\(volume["name"]?.string ?? "")"
            let claimKey = ObjectKey(namespace: key.namespace, name: name)
            if let present = try await client.find(.persistentVolumeClaims, claimKey) {
                guard present.controllerOwner?.uid != object.uid else { continue }
                await events.record(
                    object, .warning, reason: "FailedBinding",
                    message:
                        "ephemeral volume \(volume["name"]?.string ?? ""): PVC \(claimKey) was not created for pod "
                        + "\(key) (pod is not owner)")
                continue
            }
            var claim = KubeObject(.persistentVolumeClaims, namespace: key.namespace, name: name)
            claim.value[["metadata", "labels"]] = template[["metadata", "labels"]]
            claim.value[["metadata", "annotations"]] = template[["metadata", "annotations"]]
            claim.ownerReferences = [OwnerReference(controller: object)]
            claim.value["spec"] = template["spec"]
            do throws(Status) { _ = try await client.create(.persistentVolumeClaims, claim) } catch {
                guard error.isAlreadyExists else { throw error }
            }
        }
        return .settled
    }
}

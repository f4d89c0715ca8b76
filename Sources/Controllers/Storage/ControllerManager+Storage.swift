import ControllerKit
import KubeClient
import KubeModel

extension ControllerManager {
    /// The controllers of volumes and claims.
    static func storage(
        _ informers: InformerSet, client: any ClusterClient, volumes: VolumeFolders?
    ) -> [ControllerLoop] {
        let (claims, volumesSeen) = (informers.persistentVolumeClaims, informers.persistentVolumes)
        let unbound: @Sendable () -> [ObjectKey] = {
            claims.list().filter { StorageClaim($0).phase != "Bound" }.map(ObjectKey.init)
        }
        // A pod that comes is the consumer that a class waits for; one that goes lets its claims go.
        let podClaims = ControllerLoop.Source(informers.pods) { change in
            let before = change.old.map { Pod($0) }
            let after = change.new.map { Pod($0) }
            guard before?.isTerminal != after?.isTerminal || before?.nodeName != after?.nodeName else { return [] }
            return Pod(change.object).claimNames.map { ObjectKey(namespace: change.object.namespace, name: $0) }
        }
        // A volume concerns the claim that it is for; one that is free, all claims that have none.
        let volumeClaims = ControllerLoop.Source(volumesSeen) { change in
            guard change.old?.value["spec"] != change.new?.value["spec"] || change.new == nil else { return [] }
            guard let key = StorageVolume(change.object).claimKey else { return unbound() }
            return [key]
        }
        let classClaims = ControllerLoop.Source(informers.storageClasses) { _ in unbound() }
        let claimVolumes = ControllerLoop.Source(claims) { change in
            guard change.new == nil || change.old == nil else { return [] }
            let key = ObjectKey(change.object)
            return volumesSeen.list().filter { StorageVolume($0).claimKey == key }.map(ObjectKey.init)
        }
        let ephemeral = ControllerLoop.Source(informers.pods) { change in
            guard let pod = change.new, change.old == nil else { return [] }
            let brings = (Pod(pod).spec["volumes"]?.array ?? []).contains { $0["ephemeral"] != nil }
            return brings ? [ObjectKey(pod)] : []
        }
        func events(_ component: String) -> EventRecorder { EventRecorder(client: client, component: component) }
        return [
            ControllerLoop(
                ClaimReconciler(client: client, events: events("persistentvolume-controller"), folders: volumes),
                sources: [.own(claims), podClaims, volumeClaims, classClaims]),
            ControllerLoop(
                VolumeReconciler(client: client, events: events("persistentvolume-controller"), folders: volumes),
                sources: [.own(volumesSeen), claimVolumes]),
            ControllerLoop(
                EphemeralVolumeReconciler(client: client, events: events("ephemeral_volume")), sources: [ephemeral]),
        ]
    }
}

import ControllerKit
import KubeModel

/// Why a pod must wait for the storage that it wants, in the words of the `FailedScheduling` event.
enum ClaimWait {
    static func reason(_ pod: Pod, claims: Informer, nodeCount: Int) -> String? {
        for name in pod.claimNames {
            let claim = claims.get(ObjectKey(namespace: pod.namespace, name: name))
            guard let why = reason(name, claim) else { continue }
            return "0/\(nodeCount) nodes are available: \(why). preemption: 0/\(nodeCount) nodes are available: "
                + "\(nodeCount) Preemption is not helpful for scheduling."
        }
        return nil
    }

    static func reason(_ name: String, _ claim: KubeObject?) -> String? {
        guard let claim else { return "persistentvolumeclaim \"\(name)\" not found" }
        if claim.isBeingDeleted { return "persistentvolumeclaim \"\(name)\" is being deleted" }
        switch claim.value[["status", "phase"]]?.string {
        case "Bound": return nil
        case "Lost":
            let volume = claim.value[["spec", "volumeName"]]?.string ?? ""
            return "persistentvolumeclaim \"\(name)\" bound to non-existent persistentvolume \"\(volume)\""
        default: return "pod has unbound immediate PersistentVolumeClaims"
        }
    }
}

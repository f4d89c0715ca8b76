import KubeModel

extension KubeObject {
    /// Whether Kubernetes refuses a change there, so that the object has to be deleted and made anew.
    ///
    /// API reference: "Pod update and replacement"; the descriptions of the other kinds' fields.
    func isImmutable(at path: String, kind: String) -> Bool {
        func isBelow(_ fields: String...) -> Bool {
            fields.contains { path == $0 || path.hasPrefix("\($0).") || path.hasPrefix("\($0)[") }
        }
        switch kind {
        case "Pod":
            return path.hasPrefix("spec.") && !path.hasSuffix(".image") && !isBelow("spec.activeDeadlineSeconds")
                && !isBelow("spec.tolerations")
        case "Deployment", "ReplicaSet", "DaemonSet": return isBelow("spec.selector")
        case "StatefulSet":
            return path.hasPrefix("spec.")
                && !isBelow(
                    "spec.replicas", "spec.template", "spec.updateStrategy", "spec.minReadySeconds", "spec.ordinals",
                    "spec.revisionHistoryLimit", "spec.persistentVolumeClaimRetentionPolicy")
        case "Job": return isBelow("spec.selector", "spec.template", "spec.completionMode")
        case "PersistentVolumeClaim": return path.hasPrefix("spec.") && !isBelow("spec.resources")
        case "StorageClass": return isBelow("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode")
        case "RoleBinding", "ClusterRoleBinding": return isBelow("roleRef")
        case "ConfigMap": return isSealed && isBelow("data", "binaryData", "immutable")
        case "Secret": return isBelow("type") || (isSealed && isBelow("data", "stringData", "immutable"))
        default: return false
        }
    }

    /// Its author has said that its data never changes.
    private var isSealed: Bool { value["immutable"]?.bool ?? false }
}

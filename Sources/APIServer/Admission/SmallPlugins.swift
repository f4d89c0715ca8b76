import KubeModel
import ObjectStore

/// Storage is not taken away under those who use it, and claims get a class (`StorageObjectInUseProtection`,
/// `DefaultStorageClass`, `DefaultIngressClass`).
enum StorageAdmission {
    static func protect(_ object: inout KubeObject, _ finalizer: String) {
        if !object.finalizers.contains(finalizer) { object.finalizers.append(finalizer) }
    }

    static func setDefaultClass(_ claim: inout KubeObject, _ facts: AdmissionFacts) {
        guard claim.value[["spec", "storageClassName"]] == nil,
            claim.annotations["volume.beta.kubernetes.io/storage-class"] == nil
        else { return }
        let annotations = [
            "storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class",
        ]
        if let name = newestDefault(.storageClasses, annotations, facts) {
            claim.value[["spec", "storageClassName"]] = .string(name)
        }
    }

    static func setDefaultIngressClass(_ ingress: inout KubeObject, _ facts: AdmissionFacts) {
        guard ingress.value[["spec", "ingressClassName"]] == nil,
            ingress.annotations["kubernetes.io/ingress.class"] == nil
        else { return }
        let annotations = ["ingressclass.kubernetes.io/is-default-class"]
        if let name = newestDefault(.ingressClasses, annotations, facts) {
            ingress.value[["spec", "ingressClassName"]] = .string(name)
        }
    }

    /// Of several defaults the newest counts; of those of the same second, the first by name.
    private static func newestDefault(
        _ resource: ResourceType, _ annotations: [String], _ facts: AdmissionFacts
    ) -> String? {
        let defaults = facts.objects(resource).map(\.object).filter { object in
            annotations.contains { object.annotations[$0] == "true" }
        }
        return defaults.min { left, right in
            let (leftTime, rightTime) = (left.creationTimestamp?.seconds ?? 0, right.creationTimestamp?.seconds ?? 0)
            return leftTime == rightTime ? left.name < right.name : leftTime > rightTime
        }?.name
    }
}

/// A node changes only itself and the pods on it (`NodeRestriction`).
enum NodeRestriction {
    static func check(_ object: KubeObject, _ request: AdmissionRequest, _ caller: UserInfo) throws(Status) {
        guard caller.groups.contains("system:nodes"), let node = NodeRights.name(of: caller) else { return }
        switch request.resource {
        case .nodes where object.name != node:
            throw request.forbidden(
                object, "node \(GoText.quote(node)) is not allowed to modify node \(GoText.quote(object.name))")
        case .pods where request.operation == .create:
            guard object.annotations["kubernetes.io/config.mirror"] != nil else {
                throw request.forbidden(
                    object,
                    "pod does not have \"kubernetes.io/config.mirror\" annotation, node \(GoText.quote(node)) can only "
                        + "create mirror pods")
            }
        case .pods where request.subresource == "status":
            guard object.value[["spec", "nodeName"]]?.string == node else {
                throw request.forbidden(
                    object,
                    "node \(GoText.quote(node)) can only update pod status for pods with spec.nodeName set to itself")
            }
        default: break
        }
    }
}

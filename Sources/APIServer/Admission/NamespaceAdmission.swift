import KubeModel

/// Nothing is created in a namespace that is not there, or that is on its way out.
enum NamespaceAdmission {
    /// Throws `Status` unless `namespace`, the namespace of the object as it is stored, is there and stays.
    static func admit(_ object: KubeObject, _ resource: ResourceType, namespace: KubeObject?) throws(Status) {
        guard resource.isNamespaced, let name = object.namespace else { return }
        guard let namespace else { throw .notFound(.namespaces, name) }
        guard namespace.isBeingDeleted || namespace.value[["status", "phase"]] == "Terminating" else { return }
        throw .forbidden(
            resource, object.name,
            "unable to create new content in namespace \(name) because it is being terminated",
            causes: [
                [
                    "reason": "NamespaceTerminating", "message": .string("namespace \(name) is being terminated"),
                    "field": "metadata.namespace",
                ]
            ])
    }

    /// The namespaces that every cluster has, of which these three stay.
    private static let immortal: Set<String> = ["default", "kube-system", "kube-public"]

    static func admitDeletion(_ resource: ResourceType, _ name: String) throws(Status) {
        if resource == .priorityClasses, SystemPriorityClass(rawValue: name) != nil {
            throw .forbidden(resource, name, "this is a system priority class and cannot be deleted")
        }
        guard resource == .namespaces, immortal.contains(name) else { return }
        throw .forbidden(resource, name, "this namespace may not be deleted")
    }
}

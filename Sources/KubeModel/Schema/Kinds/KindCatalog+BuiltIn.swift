extension KindCatalog {
    /// The kinds that are always there.
    public static let builtIn = KindCatalog(
        core + apps + ReviewKinds.all + coordination + discovery + networking + policy + rights + scheduling + storage)

    private static let core: [KindSchema] = [
        .configMap, .endpoints, .event, .namespace, .node, .pod, .secret, .serviceAccount, .service,
    ]

    private static let apps: [KindSchema] = [.deployment, .replicaSet]

    private static let coordination: [KindSchema] = [.lease]

    private static let discovery: [KindSchema] = [.endpointSlice]

    private static let networking: [KindSchema] = [.ingressClass, .ingress, .networkPolicy]

    private static let policy: [KindSchema] = [.podDisruptionBudget]

    private static let rights: [KindSchema] = [.clusterRoleBinding, .clusterRole, .roleBinding, .role]

    private static let scheduling: [KindSchema] = [.priorityClass]

    private static let storage: [KindSchema] = [.storageClass]
}

extension KindCatalog {
    /// The kinds that are always there.
    public static let builtIn = KindCatalog(core + apps + ReviewKinds.all + coordination + discovery)

    private static let core: [KindSchema] = [
        .configMap, .endpoints, .event, .namespace, .node, .pod, .secret, .serviceAccount, .service,
    ]

    private static let apps: [KindSchema] = [.deployment, .replicaSet]

    private static let coordination: [KindSchema] = [.lease]

    private static let discovery: [KindSchema] = [.endpointSlice]
}

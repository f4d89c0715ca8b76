extension KindCatalog {
    /// The kinds that are always there.
    public static let builtIn = KindCatalog([
        .configMap, .endpoints, .event, .namespace, .node, .pod, .secret, .serviceAccount, .service,
        .deployment, .replicaSet,
        .lease,
        .endpointSlice,
    ])
}

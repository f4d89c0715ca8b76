extension KindCatalog {
    /// The kinds that are always there.
    public static let builtIn = KindCatalog(
        core + apps + coordination + discovery + events + autoscaling + extensions)

    private static let core: [KindSchema] = [
        .configMap, .endpoints, .event, .namespace, .node, .pod, .secret, .serviceAccount, .service,
    ]

    private static let apps: [KindSchema] = [.deployment, .replicaSet]

    private static let coordination: [KindSchema] = [.lease]

    private static let discovery: [KindSchema] = [.endpointSlice]

    private static let events: [KindSchema] = [.eventsEvent]

    private static let autoscaling: [KindSchema] = [.horizontalPodAutoscaler, .horizontalPodAutoscalerV1]

    private static let extensions: [KindSchema] = [.customResourceDefinition]
}

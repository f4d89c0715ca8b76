extension KindCatalog {
    /// The kinds that are always there.
    public static let builtIn = KindCatalog(
        core + apps + events + autoscaling + batch + ReviewKinds.all + certificates + coordination + discovery
            + networking + policy + rights + scheduling + storage + extensions + admission + node + flow + computed)

    private static let core: [KindSchema] = [
        .podBinding, .componentStatus, .configMap, .endpoints, .event, .limitRange, .namespace, .node,
        .persistentVolumeClaim, .persistentVolume, .pod,
        .podTemplate, .replicationController, .resourceQuota, .secret, .serviceAccount, .service,
    ]

    private static let apps: [KindSchema] = [
        .controllerRevision, .daemonSet, .deployment, .replicaSet, .statefulSet,
    ]

    private static let batch: [KindSchema] = [.cronJob, .job]

    private static let coordination: [KindSchema] = [.lease]

    private static let discovery: [KindSchema] = [.endpointSlice]

    private static let computed: [KindSchema] = [.nodeMetrics, .podMetrics]

    private static let events: [KindSchema] = [.eventsEvent]

    private static let autoscaling: [KindSchema] = [.horizontalPodAutoscaler, .horizontalPodAutoscalerV1]

    private static let extensions: [KindSchema] = [.customResourceDefinition, .apiService]

    private static let networking: [KindSchema] = [.ingressClass, .ingress, .networkPolicy]

    private static let policy: [KindSchema] = [.podDisruptionBudget]

    private static let rights: [KindSchema] = [.clusterRoleBinding, .clusterRole, .roleBinding, .role]

    private static let scheduling: [KindSchema] = [.priorityClass]

    private static let storage: [KindSchema] = [
        .csiDriver, .csiNode, .csiStorageCapacity, .storageClass, .volumeAttachment,
    ]

    private static let node: [KindSchema] = [.runtimeClass]

    private static let admission: [KindSchema] = [
        .mutatingWebhookConfiguration, .validatingAdmissionPolicy, .validatingAdmissionPolicyBinding,
        .validatingWebhookConfiguration,
    ]

    private static let flow: [KindSchema] = [.flowSchema, .priorityLevelConfiguration]

    private static let certificates: [KindSchema] = [.certificateSigningRequest]
}

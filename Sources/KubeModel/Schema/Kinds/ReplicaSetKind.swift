private let spec = Schema.object(
    "io.k8s.api.apps.v1.ReplicaSetSpec", doc: "Which pods, and how many of them.",
    [
        .field("replicas", .int32, default: 1, minimum: 0, doc: "How many pods are wished for."),
        .field(
            "minReadySeconds", .int32, minimum: 0,
            doc: "Seconds a pod must be ready without a crash before it counts as available."),
        .field(
            "selector", LabelSelectorSchema.selector, required: true, immutable: true,
            doc: "The pods that belong to the ReplicaSet; must match the labels of the template."),
        .field("template", PodSchemas.template, default: [:], doc: "What each pod is made from."),
    ]
).checking(WorkloadRules.selector(of: "deployment"))
    .checking(WorkloadRules.alwaysRunning(of: "ReplicaSet"))

extension KindSchema {
    /// Keeps a number of equal pods running.
    static let replicaSet = KindSchema(
        .replicaSets, shortNames: ["rs"], categories: ["all"],
        root: MetadataSchemas.kind(
            "io.k8s.api.apps.v1.ReplicaSet", doc: "Keeps a number of equal pods running; usually made by a Deployment.",
            [
                .field("spec", spec, default: [:], doc: "Which pods, and how many of them."),
                .field(
                    "status", WorkloadSchemas.replicaStatus(of: "apps.v1.ReplicaSet"), doc: "What has been reached."),
            ]),
        subresources: ["scale", "status"],
        columns: [
            .name,
            .count("Desired", ["spec", "replicas"], "Pods that are wished for."),
            .count("Current", ["status", "replicas"], "Pods that exist."),
            .count("Ready", ["status", "readyReplicas"], "Pods that are ready."),
            .age, .containers, .images, .selector,
        ],
        selectableFields: ["status.replicas"],
        scale: .workload,
        behavior: KindBehavior {
            $0.countsGenerations = true
            $0.initialStatus = ["replicas": 0]
        })
}

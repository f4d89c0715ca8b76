private let spec = Schema.core(
    "ReplicationControllerSpec", doc: "Which pods, and how many of them.",
    [
        .field(
            "minReadySeconds", .int32, minimum: 0,
            doc: "Seconds a pod must be ready without a crash before it counts as available."),
        .field("replicas", .int32, default: 1, minimum: 0, doc: "How many pods are wished for."),
        .field(
            "selector", .strings,
            doc: "Labels that all pods of the controller bear; those of the template if absent."),
        .field("template", PodSchemas.template, doc: "What each pod is made from."),
    ]
).checking { value, path, errors in
    if JSONValue.isEmpty(value["selector"]) { errors.append(.required(path.child("selector"))) }
    guard let template = value["template"], template.object != nil else {
        errors.append(.required(path.child("template")))
        return
    }
    let labels = template[["metadata", "labels"]]
    let selector = LabelSelector(["matchLabels": value["selector"] ?? [:]])
    if !selector.isEmpty, !selector.matches(KubeObject.strings(labels)) {
        errors.append(
            FieldError(
                .invalid, path.child("template", "metadata", "labels"), shownValue: GoText.map(labels),
                "`selector` does not match template `labels`"))
    }
}.checking(WorkloadRules.alwaysRunning(of: "ReplicationController"))

extension KindSchema {
    /// Keeps a number of equal pods running; the elder of the ReplicaSet.
    static let replicationController = KindSchema(
        .replicationControllers, shortNames: ["rc"], categories: ["all"],
        root: MetadataSchemas.kind(
            "io.k8s.api.core.v1.ReplicationController",
            doc: "Keeps a number of equal pods running; the elder of the ReplicaSet.",
            [
                .field("spec", spec, default: [:], doc: "Which pods, and how many of them."),
                .field(
                    "status", WorkloadSchemas.replicaStatus(of: "core.v1.ReplicationController"),
                    doc: "What has been reached."),
            ]
        ).defaulting { controller in
            guard let labels = controller[["spec", "template", "metadata", "labels"]], !JSONValue.isEmpty(labels) else {
                return
            }
            if JSONValue.isEmpty(controller[["spec", "selector"]]) { controller[["spec", "selector"]] = labels }
            if JSONValue.isEmpty(controller[["metadata", "labels"]]) { controller[["metadata", "labels"]] = labels }
        },
        subresources: ["scale", "status"],
        columns: [
            .name,
            .count("Desired", ["spec", "replicas"], "Pods that are wished for."),
            .count("Current", ["status", "replicas"], "Pods that exist."),
            .count("Ready", ["status", "readyReplicas"], "Pods that are ready."),
            .age, .containers, .images,
            .wide("Selector", "Labels of the pods that belong to the object.") { object, _ in
                .string(ContainerCells.labels(object.value[["spec", "selector"]]))
            },
        ],
        selectableFields: ["status.replicas"],
        scale: .workload,
        behavior: KindBehavior {
            $0.countsGenerations = true
            $0.initialStatus = ["replicas": 0]
            $0.validateUpdate = WorkloadRules.checkReplicaStatus(decreasing: [])
        })
}

private let rollingUpdate = Schema.object(
    "io.k8s.api.apps.v1.RollingUpdateDaemonSet", doc: "How far a rolling update may go at a time.",
    [
        .field(
            "maxSurge", .intOrString, default: 0, syntax: .countOrPercent,
            doc: "On how many nodes a new pod may run beside the old one: a number, or a share, rounded up."),
        .field(
            "maxUnavailable", .intOrString, default: 1, syntax: .countOrPercent,
            doc: "On how many nodes the pod may be missing during the update: a number, or a share, rounded up."),
    ]
).checking { value, path, errors in
    let (unavailable, surge) = (value["maxUnavailable"], value["maxSurge"])
    WorkloadRules.checkShare(unavailable, at: path.child("maxUnavailable"), into: &errors)
    WorkloadRules.checkShare(surge, at: path.child("maxSurge"), into: &errors)
    switch (WorkloadRules.amount(unavailable) != 0, WorkloadRules.amount(surge) != 0) {
    case (true, true):
        errors.append(
            FieldError(
                .invalid, path.child("maxSurge"), shownValue: surge?.string ?? surge?.text,
                "may not be set when maxUnavailable is non-zero"))
    case (false, false):
        errors.append(.required(path.child("maxUnavailable"), "cannot be 0 when maxSurge is 0"))
    default: break
    }
}

private let strategy = Schema.object(
    "io.k8s.api.apps.v1.DaemonSetUpdateStrategy", doc: "How old pods make way for new ones.",
    [
        .field("rollingUpdate", rollingUpdate, doc: "Limits of a rolling update; only for type RollingUpdate."),
        .field(
            "type", .string, default: "RollingUpdate",
            doc: "RollingUpdate replaces pods step by step; OnDelete waits until somebody deletes the old ones."),
    ]
).defaulting { strategy in
    if strategy["type"] == "RollingUpdate" { strategy.setDefault("rollingUpdate", [:]) }
}.checking { value, path, errors in
    let type = value["type"]?.string ?? ""
    if type != "RollingUpdate", type != "OnDelete" {
        let shown =
            "apps.DaemonSetUpdateStrategy{Type:\(GoText.quote(type)), "
            + "RollingUpdate:(*apps.RollingUpdateDaemonSet)(nil)}"
        errors.append(
            FieldError(
                .notSupported, path, shownValue: shown, "supported values: \"RollingUpdate\", \"OnDelete\""))
    }
}

private let spec = Schema.object(
    "io.k8s.api.apps.v1.DaemonSetSpec", doc: "Which pod is to run on the nodes.",
    [
        .field(
            "minReadySeconds", .int32, minimum: 0,
            doc: "Seconds a pod must be ready without a crash before it counts as available."),
        .field(
            "revisionHistoryLimit", .int32, default: 10, minimum: 0,
            doc: "How many old states are kept, to roll back to."),
        .field(
            "selector", LabelSelectorSchema.selector, immutable: true,
            doc: "The pods that belong to the DaemonSet; must match the labels of the template."),
        .field(
            "template", PodSchemas.template, default: [:],
            doc: "What the pods are made from; they run on every node that the template's node selector allows."),
        .field("updateStrategy", strategy, default: [:], doc: "How old pods make way for new ones."),
    ]
).checking(WorkloadRules.selector(of: "daemonset"))
    .checking(WorkloadRules.alwaysRunning(of: "DaemonSet"))

private let status = Schema.object(
    "io.k8s.api.apps.v1.DaemonSetStatus", doc: "What the DaemonSet has reached.",
    [
        .field("collisionCount", .int32, doc: "How often the name of a new ControllerRevision was taken."),
        .field(
            "conditions",
            .list(of: MetadataSchemas.condition("io.k8s.api.apps.v1.DaemonSetCondition"), keys: ["type"]),
            doc: "Aspects of its state."),
        .field("currentNumberScheduled", .int32, doc: "Nodes that have a pod and should have one."),
        .field("desiredNumberScheduled", .int32, doc: "Nodes that should have a pod."),
        .field("numberAvailable", .int32, doc: "Nodes whose pod has been ready for long enough."),
        .field("numberMisscheduled", .int32, doc: "Nodes that have a pod and should have none."),
        .field("numberReady", .int32, doc: "Nodes whose pod is ready."),
        .field("numberUnavailable", .int32, doc: "Nodes that still lack an available pod."),
        .field("observedGeneration", .int64, doc: "The generation that the controller has seen."),
        .field("updatedNumberScheduled", .int32, doc: "Nodes with a pod of the newest template."),
    ])

/// The number of the template, which only this annotation still tells.
private let templateGeneration = "deprecated.daemonset.template.generation"

extension KindSchema {
    /// Runs one pod on every node, or on some of them.
    static let daemonSet = KindSchema(
        .daemonSets, shortNames: ["ds"], categories: ["all"],
        root: MetadataSchemas.kind(
            "io.k8s.api.apps.v1.DaemonSet", doc: "Runs one pod on every node, or on some of them.",
            [
                .field("spec", spec, default: [:], doc: "Which pod is to run on the nodes."),
                .field("status", status, doc: "What has been reached."),
            ]),
        subresources: ["status"],
        columns: [
            .name,
            .count("Desired", ["status", "desiredNumberScheduled"], "Nodes that should have a pod."),
            .count("Current", ["status", "currentNumberScheduled"], "Nodes that have one."),
            .count("Ready", ["status", "numberReady"], "Nodes whose pod is ready."),
            .count("Up-to-date", ["status", "updatedNumberScheduled"], "Nodes with a pod of the newest template."),
            .count("Available", ["status", "numberAvailable"], "Nodes whose pod has been ready for long enough."),
            .computed("Node Selector", "Labels that the nodes must have.") { object, _ in
                .string(ContainerCells.labels(object.value[["spec", "template", "spec", "nodeSelector"]]))
            },
            .age, .containers, .images, .selector,
        ],
        behavior: KindBehavior {
            $0.countsGenerations = true
            $0.initialStatus = [
                "currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0,
            ]
            $0.prepareForCreate = { $0.annotations[templateGeneration] = "1" }
            $0.prepareForUpdate = { object, old, _ in
                let path = ["spec", "template"]
                let before = old.annotations[templateGeneration].flatMap { Int($0) } ?? 1
                let isChanged = object.value[path] != old.value[path]
                object.annotations[templateGeneration] = "\(isChanged ? before + 1 : before)"
            }
            $0.validateUpdate = WorkloadRules.checkReplicaStatus(decreasing: ["collisionCount"])
        })
}

private let rollingUpdate = Schema.object(
    "io.k8s.api.apps.v1.RollingUpdateDeployment",
    doc: "How far a rolling update may stray from the wished number of pods.",
    [
        .field(
            "maxUnavailable", .intOrString, default: "25%", syntax: .countOrPercent,
            doc: "How many pods may be missing during the update: a number, or a share of the replicas, rounded down."),
        .field(
            "maxSurge", .intOrString, default: "25%", syntax: .countOrPercent,
            doc: "How many pods may exist above the wish during the update: a number, or a share, rounded up."),
    ]
).checking { value, path, errors in
    let unavailable = value["maxUnavailable"]
    if isZero(unavailable), isZero(value["maxSurge"]) {
        errors.append(
            FieldError(
                .invalid, path.child("maxUnavailable"), shownValue: plain(unavailable),
                "may not be 0 when `maxSurge` is 0"))
    }
    if let share = percent(unavailable), share > 100 {
        errors.append(
            FieldError(
                .invalid, path.child("maxUnavailable"), shownValue: plain(unavailable),
                "must not be greater than 100%"))
    }
}

private func percent(_ value: JSONValue?) -> Int? {
    guard let text = value?.string, text.hasSuffix("%") else { return nil }
    return Int(text.dropLast())
}

private func isZero(_ value: JSONValue?) -> Bool { value == nil || value == 0 || percent(value) == 0 }

private func plain(_ value: JSONValue?) -> String { value?.string ?? value?.text ?? "0" }

private let strategy = Schema.object(
    "io.k8s.api.apps.v1.DeploymentStrategy", doc: "How old pods make way for new ones.",
    [
        .field(
            "type", .string, default: "RollingUpdate", oneOf: ["Recreate", "RollingUpdate"],
            doc: "RollingUpdate replaces pods step by step; Recreate ends all old pods before it starts new ones."),
        .field("rollingUpdate", rollingUpdate, doc: "Limits of a rolling update; only for type RollingUpdate."),
    ]
).defaulting { strategy in
    if strategy["type"] == "RollingUpdate" { strategy.setDefault("rollingUpdate", [:]) }
}.checking { value, path, errors in
    if value["type"] == "Recreate", value["rollingUpdate"] != nil {
        errors.append(
            .forbidden(
                path.child("rollingUpdate"), "may not be specified when strategy `type` is 'Recreate'"))
    }
}.patching("retainKeys")

private let spec = Schema.object(
    "io.k8s.api.apps.v1.DeploymentSpec", doc: "What a Deployment is to keep running.",
    [
        .field("replicas", .int32, default: 1, minimum: 0, doc: "How many pods are wished for."),
        .field(
            "selector", LabelSelectorSchema.selector, required: true, immutable: true,
            doc: "The pods that belong to the Deployment; must match the labels of the template."),
        .field("template", PodSchemas.template, default: [:], doc: "What each pod is made from."),
        .field("strategy", strategy, default: [:], doc: "How old pods make way for new ones."),
        .field(
            "minReadySeconds", .int32, minimum: 0,
            doc: "Seconds a pod must be ready without a crash before it counts as available."),
        .field(
            "revisionHistoryLimit", .int32, default: 10, minimum: 0,
            doc: "How many old ReplicaSets are kept, to roll back to."),
        .field("paused", .bool, doc: "Whether changes of the template wait instead of starting a rollout."),
        .field(
            "progressDeadlineSeconds", .int32, default: 600, minimum: 0,
            doc: "Seconds without progress after which a rollout counts as failed."),
    ]
).checking(WorkloadRules.selector(of: "deployment"))
    .checking(WorkloadRules.alwaysRunning(of: "ReplicaSet"))
    .checking { value, path, errors in
        let deadline = value["progressDeadlineSeconds"]?.int ?? 600
        if deadline <= value["minReadySeconds"]?.int ?? 0 {
            errors.append(
                .invalid(
                    path.child("progressDeadlineSeconds"), JSONValue(deadline), "must be greater than minReadySeconds"))
        }
    }

private let condition = MetadataSchemas.condition(
    "io.k8s.api.apps.v1.DeploymentCondition",
    [.field("lastUpdateTime", .time, doc: "When the condition was last looked at.")])

private let status = Schema.object(
    "io.k8s.api.apps.v1.DeploymentStatus", doc: "What the Deployment has reached.",
    [
        .field("availableReplicas", .int32, doc: "Pods that have been ready for long enough."),
        .field("collisionCount", .int32, doc: "How often the name of a new ReplicaSet was taken."),
        .field("conditions", .list(of: condition, keys: ["type"]), doc: "Available, Progressing, ReplicaFailure."),
        .field("observedGeneration", .int64, doc: "The generation that the controller has seen."),
        .field("readyReplicas", .int32, doc: "Pods that are ready."),
        .field("replicas", .int32, doc: "Pods that exist."),
        .field("unavailableReplicas", .int32, doc: "Pods that are still missing to the wished number."),
        .field("updatedReplicas", .int32, doc: "Pods of the newest template."),
    ])

extension KindSchema {
    /// Keeps a number of equal pods running and replaces them step by step when their template changes.
    static let deployment = KindSchema(
        .deployments, shortNames: ["deploy"], categories: ["all"],
        root: MetadataSchemas.kind(
            "io.k8s.api.apps.v1.Deployment",
            doc: "Keeps a number of equal pods running and replaces them step by step when their template changes.",
            [
                .field("spec", spec, default: [:], doc: "What is wished for."),
                .field("status", status, doc: "What has been reached."),
            ]),
        subresources: ["scale", "status"],
        columns: [
            .name, .readyReplicas,
            .count("Up-to-date", ["status", "updatedReplicas"], "Pods of the newest template."),
            .count("Available", ["status", "availableReplicas"], "Pods that have been ready for long enough."),
            .age, .containers, .images, .selector,
        ],
        scale: .workload,
        behavior: KindBehavior {
            $0.countsGenerations = true
            $0.countsAnnotations = true
            $0.prepareForUpdate = { deployment, old, subresource in
                if subresource == "status" { deployment.labels = old.labels }
            }
        })
}

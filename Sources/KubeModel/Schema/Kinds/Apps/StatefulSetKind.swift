private let rollingUpdate = Schema.object(
    "io.k8s.api.apps.v1.RollingUpdateStatefulSetStrategy", doc: "How far a rolling update may go.",
    [
        .field(
            "maxUnavailable", .intOrString, syntax: .countOrPercent,
            doc: "How many pods may be missing during the update: a number, or a share, rounded up; 1 if absent."),
        .field(
            "partition", .int32, minimum: 0,
            doc: "Pods with a lower number than this stay as they are; 0 updates all."),
    ]
).checking { value, path, errors in
    guard let unavailable = value["maxUnavailable"] else { return }
    let path = path.child("maxUnavailable")
    if WorkloadRules.amount(unavailable) == 0 {
        errors.append(FieldError(.invalid, path, shownValue: unavailable.string ?? unavailable.text, "cannot be 0"))
    }
    WorkloadRules.checkShare(unavailable, at: path, into: &errors)
}

private let strategy = Schema.object(
    "io.k8s.api.apps.v1.StatefulSetUpdateStrategy", doc: "How old pods make way for new ones.",
    [
        .field("rollingUpdate", rollingUpdate, doc: "Limits of a rolling update; only for type RollingUpdate."),
        .field(
            "type", .string,
            doc: "RollingUpdate replaces pods from the last to the first; OnDelete waits until somebody deletes them."),
    ]
).defaulting { strategy in
    if JSONValue.isEmpty(strategy["type"]) {
        strategy["type"] = "RollingUpdate"
        strategy.setDefault("rollingUpdate", [:])
    }
    if strategy["type"] == "RollingUpdate", strategy["rollingUpdate"]?.object != nil,
        strategy[["rollingUpdate", "partition"]] == nil
    {
        strategy[["rollingUpdate", "partition"]] = 0
    }
}.checking { value, path, errors in
    let type = value["type"]?.string ?? ""
    switch type {
    case "RollingUpdate": break
    case "OnDelete":
        if let update = value["rollingUpdate"] {
            errors.append(
                .invalid(path.child("rollingUpdate"), update, "only allowed for updateStrategy 'RollingUpdate'"))
        }
    default:
        let shown =
            "apps.StatefulSetUpdateStrategy{Type:\(GoText.quote(type)), "
            + "RollingUpdate:(*apps.RollingUpdateStatefulSetStrategy)(nil)}"
        errors.append(
            FieldError(.invalid, path, shownValue: shown, "must be 'RollingUpdate' or 'OnDelete'"))
    }
}

private func retention(_ name: String, _ doc: String) -> SchemaField {
    .field(name, .string, default: "Retain", oneOf: ["Retain", "Delete"], doc: doc)
}

private let claimRetention = Schema.object(
    "io.k8s.api.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy",
    doc: "What becomes of the claims of pods that go for good.",
    [
        retention("whenDeleted", "Retain keeps the claims when the set is deleted; Delete removes them with it."),
        retention("whenScaled", "Retain keeps the claims of pods that scaling down removes; Delete removes them too."),
    ])

private let ordinals = Schema.object(
    "io.k8s.api.apps.v1.StatefulSetOrdinals", doc: "How the pods are numbered.",
    [.field("start", .int32, minimum: 0, doc: "The number of the first pod; 0 if absent.")])

private let spec = Schema.object(
    "io.k8s.api.apps.v1.StatefulSetSpec", doc: "Which pods are to keep running, each with a name of its own.",
    [
        .field(
            "podManagementPolicy", .string, default: "OrderedReady",
            doc: "OrderedReady makes one pod after the other, each when the one before is ready; Parallel all at once."),
        .field("updateStrategy", strategy, default: [:], doc: "How old pods make way for new ones."),
        .field(
            "persistentVolumeClaimRetentionPolicy", claimRetention, default: [:],
            doc: "What becomes of the claims of pods that go for good."),
        .field("replicas", .int32, default: 1, minimum: 0, doc: "How many pods are wished for."),
        .field(
            "minReadySeconds", .int32, minimum: 0,
            doc: "Seconds a pod must be ready without a crash before it counts as available."),
        .field("ordinals", ordinals, doc: "How the pods are numbered."),
        .field(
            "revisionHistoryLimit", .int32, default: 10, minimum: 0,
            doc: "How many old states are kept, to roll back to."),
        .field(
            "selector", LabelSelectorSchema.selector, required: true,
            doc: "The pods that belong to the set; must match the labels of the template."),
        .field(
            "serviceName", .string,
            doc:
                "The headless Service under whose name each pod has a DNS name of its own; it must exist before the set."
        ),
        .field(
            "template", PodSchemas.template, default: [:],
            doc: "What each pod is made from; the pod's name is that of the set and a number."),
        .field(
            "volumeClaimTemplates", .list(of: ClaimSchemas.claim),
            doc: "Claims that each pod gets for itself and keeps; mounts refer to them as to volumes of the same name."),
    ]
).defaulting { spec in
    spec.changeElements("volumeClaimTemplates") { claim in
        claim.setDefault("apiVersion", "v1")
        claim.setDefault("kind", "PersistentVolumeClaim")
    }
}.checking { value, path, errors in
    let policy = value["podManagementPolicy"]?.string ?? ""
    if policy != "OrderedReady", policy != "Parallel" {
        errors.append(
            .invalid(
                path.child("podManagementPolicy"), .string(policy), "must be 'OrderedReady' or 'Parallel'"))
    }
    // Claims become volumes of their name when the pods are made.
    let claims = Set((value["volumeClaimTemplates"]?.array ?? []).map { GoText.quote(KubeObject($0).name) })
    let template = path.child("template").description
    errors.removeAll { $0.kind == .notFound && claims.contains($0.shownValue) && $0.path.hasPrefix(template) }
}.checking(WorkloadRules.selector(of: "statefulset"))
    .checking(WorkloadRules.alwaysRunning(of: "StatefulSet"))

private let status = Schema.object(
    "io.k8s.api.apps.v1.StatefulSetStatus", doc: "What the set has reached.",
    [
        .field("availableReplicas", .int32, keepsZero: true, doc: "Pods that have been ready for long enough."),
        .field(
            "collisionCount", .int32, keepsZero: true, doc: "How often the name of a new ControllerRevision was taken."),
        .field(
            "conditions",
            .list(of: MetadataSchemas.condition("io.k8s.api.apps.v1.StatefulSetCondition"), keys: ["type"]),
            doc: "Aspects of its state."),
        .field("currentReplicas", .int32, doc: "Pods of the state from which an update started."),
        .field("currentRevision", .string, doc: "The ControllerRevision from which an update started."),
        .field("observedGeneration", .int64, doc: "The generation that the controller has seen."),
        .field("readyReplicas", .int32, doc: "Pods that are ready."),
        .field("replicas", .int32, doc: "Pods that exist."),
        .field("updateRevision", .string, doc: "The ControllerRevision to which an update leads."),
        .field("updatedReplicas", .int32, doc: "Pods of the state to which an update leads."),
    ])

/// What of the spec may change.
private let mutableFields = [
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
]

@Sendable
private func checkUpdate(
    _ object: KubeObject, _ old: KubeObject, _ subresource: String?, _ errors: inout [FieldError]
) {
    WorkloadRules.checkReplicaStatus(decreasing: ["collisionCount"])(object, old, subresource, &errors)
    func fixed(_ object: KubeObject) -> JSONValue {
        var spec = object.value["spec"] ?? [:]
        for name in mutableFields { spec[name] = nil }
        return spec
    }
    if fixed(object) != fixed(old) {
        let names = mutableFields.map { "'\($0)'" }
        errors.append(
            .forbidden(
                FieldPath("spec"),
                "updates to statefulset spec for fields other than \(names.dropLast().joined(separator: ", ")) and "
                    + "\(names.last ?? "") are forbidden"))
    }
}

extension KindSchema {
    /// Runs pods that are not alike: each has a name, a place in the order, and storage of its own.
    static let statefulSet = KindSchema(
        .statefulSets, shortNames: ["sts"], categories: ["all"],
        root: MetadataSchemas.kind(
            "io.k8s.api.apps.v1.StatefulSet",
            doc: "Runs pods that are not alike: each has a name, a place in the order, and storage of its own.",
            [
                .field("spec", spec, default: [:], doc: "Which pods are to keep running."),
                .field("status", status, doc: "What has been reached."),
            ]),
        subresources: ["scale", "status"],
        columns: [
            .name, .readyReplicas,
            .age, .containers, .images,
        ],
        scale: .workload,
        behavior: KindBehavior {
            $0.nameSyntax = NameSyntax.dnsLabel
            $0.countsGenerations = true
            $0.initialStatus = ["replicas": 0, "availableReplicas": 0]
            $0.validateUpdate = checkUpdate
        })
}

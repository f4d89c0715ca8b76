private func policy(_ name: String, doc: String, _ fields: [SchemaField]) -> Schema {
    .object("io.k8s.api.policy.v1.\(name)", doc: doc, fields)
}

/// A number of pods, or a share of at most 100 %.
private let amount = Schema.intOrString.with { $0.syntax = .countOrPercent }.checking { value, path, errors in
    guard let text = value.string, NameSyntax.isPercent(text), let share = Int(text.dropLast()), share > 100 else {
        return
    }
    errors.append(FieldError(.invalid, path, shownValue: text, "must not be greater than 100%"))
}

private let spec = policy(
    "PodDisruptionBudgetSpec", doc: "Which pods, and how many of them may be missing at a time.",
    [
        .field("minAvailable", amount, doc: "How many pods must stay: a number, or a share of the wished number."),
        .field(
            "selector", LabelSelectorSchema.selector.patching("replace"),
            doc: "The pods; none if absent, all pods of the namespace if empty."),
        .field(
            "maxUnavailable", amount, doc: "How many pods may be missing; only for pods that a controller manages."),
        .field(
            "unhealthyPodEvictionPolicy", .string, oneOf: ["AlwaysAllow", "IfHealthyBudget"],
            doc: "Whether pods that run but are not ready may always go (AlwaysAllow), or only while enough others "
                + "are ready (IfHealthyBudget, as if absent)."),
    ]
).checking { value, path, errors in
    guard value["minAvailable"] != nil, value["maxUnavailable"] != nil else { return }
    errors.append(
        FieldError(.invalid, path, shownValue: goSpec(value), "minAvailable and maxUnavailable cannot be both set"))
}

/// The spec as Go prints it.
///
/// A real server shows addresses of its memory for the pointers; there are none to show here.
private func goSpec(_ spec: JSONValue) -> String {
    func pointer(_ type: String, _ member: String) -> String {
        spec[member] == nil ? "(*\(type))(nil)" : "(*\(type))(0xc000000000)"
    }
    return "policy.PodDisruptionBudgetSpec{MinAvailable:\(pointer("intstr.IntOrString", "minAvailable")), "
        + "Selector:\(pointer("v1.LabelSelector", "selector")), "
        + "MaxUnavailable:\(pointer("intstr.IntOrString", "maxUnavailable")), "
        + "UnhealthyPodEvictionPolicy:"
        + "\(pointer("policy.UnhealthyPodEvictionPolicyType", "unhealthyPodEvictionPolicy"))}"
}

private let status = policy(
    "PodDisruptionBudgetStatus", doc: "How many pods may go just now.",
    [
        .field(
            "conditions", .list(of: MetadataSchemas.condition, keys: ["type"]),
            doc: "DisruptionAllowed: whether a pod may go just now."),
        .field("currentHealthy", .int32, default: 0, minimum: 0, doc: "Pods that are ready."),
        .field("desiredHealthy", .int32, default: 0, minimum: 0, doc: "Pods that must stay ready."),
        .field(
            "disruptedPods", .map(of: .time),
            doc: "Pods whose eviction was granted and that are not gone yet, with the moment of the grant."),
        .field("disruptionsAllowed", .int32, default: 0, minimum: 0, doc: "How many pods may go just now."),
        .field("expectedPods", .int32, default: 0, minimum: 0, doc: "Pods that the budget counts."),
        .field("observedGeneration", .int64, doc: "The generation that the controller has seen."),
    ])

private func amountText(_ budget: KubeObject, _ member: String, _: Timestamp) -> String {
    guard let amount = budget.value[["spec", member]] else { return "N/A" }
    return amount.string ?? amount.text
}

extension KindSchema {
    /// Limits how many pods may be taken away on purpose at a time.
    static let podDisruptionBudget = KindSchema(
        .podDisruptionBudgets, shortNames: ["pdb"],
        root: MetadataSchemas.kind(
            "io.k8s.api.policy.v1.PodDisruptionBudget",
            doc: "Limits how many pods may be taken away on purpose at a time, as when a node is emptied.",
            [
                .field("spec", spec, default: [:], doc: "Which pods, and how many of them may be missing."),
                .field("status", status, doc: "How many pods may go just now."),
            ]),
        subresources: ["status"],
        columns: [
            .name,
            .computed("Min Available", "How many pods must stay.") { .string(amountText($0, "minAvailable", $1)) },
            .computed("Max Unavailable", "How many pods may be missing.") {
                .string(amountText($0, "maxUnavailable", $1))
            },
            .count("Allowed Disruptions", ["status", "disruptionsAllowed"], "How many pods may go just now."),
            .age,
        ],
        behavior: KindBehavior {
            $0.countsGenerations = true
            $0.initialStatus = [
                "disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0,
            ]
            $0.validateUpdate = { budget, _, subresource, errors in
                guard subresource == "status", let value = budget.value["status"] else { return }
                status.validate(value, at: FieldPath("status"), into: &errors)
            }
        })
}

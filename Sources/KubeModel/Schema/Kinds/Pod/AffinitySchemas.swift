/// Where a pod may run, and where it would rather.
enum AffinitySchemas {
    private static let requirement = Schema.core(
        "NodeSelectorRequirement", doc: "One demand on a label or field of a node.",
        [
            .field("key", .string, doc: "The label or field."),
            .field("operator", .string, doc: "In, NotIn, Exists, DoesNotExist, Gt or Lt."),
            .field("values", .stringList, doc: "The values to compare with."),
        ]
    )

    private static let term = Schema.core(
        "NodeSelectorTerm", doc: "Demands on a node that must all hold; empty matches no node.",
        [
            .field("matchExpressions", .list(of: requirement), doc: "Demands on labels."),
            .field("matchFields", .list(of: requirement), doc: "Demands on fields; only metadata.name."),
        ])

    static let nodeSelector = Schema.core(
        "NodeSelector", doc: "Terms of which one must hold.",
        [.field("nodeSelectorTerms", .list(of: term), required: true, doc: "The terms.")]
    ).judged(by: PlacementRules.checkNodeSelector)

    private static let preferredNode = Schema.core(
        "PreferredSchedulingTerm", doc: "A preference for some nodes.",
        [
            .field("weight", .int32, doc: "How much it counts, 1 to 100."),
            .field("preference", term, doc: "The nodes."),
        ])

    private static let node = Schema.core(
        "NodeAffinity", doc: "On which nodes the pod may run.",
        [
            .field(
                "requiredDuringSchedulingIgnoredDuringExecution", nodeSelector,
                doc: "Demands at the time of scheduling."),
            .field(
                "preferredDuringSchedulingIgnoredDuringExecution", .list(of: preferredNode),
                doc: "Preferences at the time of scheduling."),
        ])

    private static let podTerm = Schema.core(
        "PodAffinityTerm", doc: "A group of pods, and the area within which they count.",
        [
            .field("labelSelector", LabelSelectorSchema.selector, doc: "The pods."),
            .field("namespaces", .stringList, doc: "Their namespaces; the pod's own if absent."),
            .field(
                "topologyKey", .string, doc: "The node label that names the area, for example kubernetes.io/hostname."),
            .field("namespaceSelector", LabelSelectorSchema.selector, doc: "Their namespaces, by labels."),
            .field("matchLabelKeys", .stringList, doc: "Labels whose values must be the pod's own."),
            .field("mismatchLabelKeys", .stringList, doc: "Labels whose values must not be the pod's own."),
        ]
    )

    private static let weightedPodTerm = Schema.core(
        "WeightedPodAffinityTerm", doc: "A preference for or against pods.",
        [
            .field("weight", .int32, doc: "How much it counts, 1 to 100."),
            .field("podAffinityTerm", podTerm, doc: "The pods."),
        ])

    private static func pod(_ name: String, _ doc: String) -> Schema {
        .core(
            name, doc: doc,
            [
                .field(
                    "requiredDuringSchedulingIgnoredDuringExecution", .list(of: podTerm),
                    doc: "Demands at the time of scheduling."),
                .field(
                    "preferredDuringSchedulingIgnoredDuringExecution", .list(of: weightedPodTerm),
                    doc: "Preferences at the time of scheduling."),
            ])
    }

    static let affinity = Schema.core(
        "Affinity", doc: "Where a pod may run, and where it would rather.",
        [
            .field("nodeAffinity", node, doc: "On which nodes."),
            .field("podAffinity", pod("PodAffinity", "Near which pods."), doc: "Near which pods."),
            .field("podAntiAffinity", pod("PodAntiAffinity", "Away from which pods."), doc: "Away from which pods."),
        ])

    static let toleration = Schema.core(
        "Toleration", doc: "A taint that does not keep the pod away.",
        [
            .field("key", .text(.qualifiedName), doc: "The taint; all taints if absent and the operator is Exists."),
            .field("operator", .string, doc: "Equal (as if absent) or Exists."),
            .field("value", .string, doc: "The taint's value, for Equal."),
            .field(
                "effect", .string, oneOf: ["NoSchedule", "PreferNoSchedule", "NoExecute"],
                doc: "The taint's effect; all effects if absent."),
            .field("tolerationSeconds", .int64, doc: "How long NoExecute is borne; for ever if absent."),
        ]
    )

    static let spread = Schema.core(
        "TopologySpreadConstraint", doc: "How evenly pods are to be spread over areas.",
        [
            .field("maxSkew", .int32, doc: "By how many pods areas may differ."),
            .field("topologyKey", .string, doc: "The node label that names the area."),
            .field("whenUnsatisfiable", .string, doc: "DoNotSchedule or ScheduleAnyway."),
            .field("labelSelector", LabelSelectorSchema.selector, doc: "The pods that are counted."),
            .field("minDomains", .int32, minimum: 1, doc: "How many areas there must be at least."),
            .field(
                "nodeAffinityPolicy", .string, oneOf: ["Ignore", "Honor"],
                doc: "Whether only nodes of the pod's affinity count."),
            .field(
                "nodeTaintsPolicy", .string, oneOf: ["Ignore", "Honor"],
                doc: "Whether only nodes whose taints the pod bears count."),
            .field("matchLabelKeys", .stringList, doc: "Labels whose values must be the pod's own."),
        ]
    )
}

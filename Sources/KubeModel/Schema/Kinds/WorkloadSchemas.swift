/// What the kinds that keep equal pods running have in common.
enum WorkloadSchemas {
    /// - Parameter kind: `apps.v1.ReplicaSet`, as the names of API types have it.
    static func replicaStatus(of kind: String) -> Schema {
        Schema.object(
            "io.k8s.api.\(kind)Status", doc: "What has been reached.",
            [
                .field("availableReplicas", .int32, doc: "Pods that have been ready for long enough."),
                .field(
                    "conditions",
                    .list(of: MetadataSchemas.condition("io.k8s.api.\(kind)Condition"), keys: ["type"]),
                    doc: "ReplicaFailure."),
                .field("fullyLabeledReplicas", .int32, doc: "Pods with all labels of the template."),
                .field("observedGeneration", .int64, doc: "The generation that the controller has seen."),
                .field("readyReplicas", .int32, doc: "Pods that are ready."),
                .field("replicas", .int32, doc: "Pods that exist."),
            ])
    }
}

extension KindSchema.ScalePaths {
    /// Where workloads keep what `kubectl scale` reads and writes.
    static let workload = KindSchema.ScalePaths(
        specReplicas: ["spec", "replicas"], statusReplicas: ["status", "replicas"], selector: ["spec", "selector"])
}

/// The types of a PersistentVolumeClaim; StatefulSets hold whole claims as templates.
enum ClaimSchemas {
    private static let condition = MetadataSchemas.condition(
        "io.k8s.api.core.v1.PersistentVolumeClaimCondition",
        [.field("lastProbeTime", .time, doc: "When the condition was last checked.")])

    private static let modifyStatus = Schema.core(
        "ModifyVolumeStatus", doc: "How far a change of the volume's attributes has come.",
        [
            .field("status", .string, required: true, doc: "Pending, InProgress or Infeasible."),
            .field("targetVolumeAttributesClassName", .string, doc: "The class that the volume is to have."),
        ])

    static let status = Schema.core(
        "PersistentVolumeClaimStatus", doc: "What the claim has got.",
        [
            .field("accessModes", .stringList, doc: "What the volume behind the claim allows."),
            .field(
                "allocatedResourceStatuses", .strings, doc: "How far a change of each resource has come, by its name."),
            .field("allocatedResources", .resourceAmounts, doc: "What is set aside, also for a change under way."),
            .field("capacity", .resourceAmounts, doc: "How large the volume behind the claim is."),
            .field(
                "conditions", .list(of: condition, keys: ["type"]), doc: "Resizing, FileSystemResizePending and others."
            ),
            .field("currentVolumeAttributesClassName", .string, doc: "The attributes class that the volume has."),
            .field("modifyVolumeStatus", modifyStatus, doc: "How far a change of the volume's attributes has come."),
            .field("phase", .string, default: "Pending", doc: "Pending, Bound or Lost."),
        ])

    /// A whole claim, envelope and status included.
    static let claim = MetadataSchemas.kind(
        "io.k8s.api.core.v1.PersistentVolumeClaim", doc: "Storage that a user asks for and pods mount.",
        [
            .field("spec", StorageSchemas.claimSpec, default: [:], doc: "The storage that is asked for."),
            .field("status", status, default: [:], doc: "What the claim has got."),
        ])
}

/// Claims for storage.
enum StorageSchemas {
    private static let resources = Schema.core(
        "VolumeResourceRequirements", doc: "How much storage is asked for.",
        [
            .field("limits", .resourceAmounts, doc: "At most this much."),
            .field("requests", .resourceAmounts, doc: "At least this much; storage: 1Gi, for example."),
        ])

    static func typedReference(_ name: String, hasNamespace: Bool) -> Schema {
        var fields: [SchemaField] = [
            .field("apiGroup", .string, doc: "API group of the object; empty for the core group."),
            .field("kind", .string, required: true, doc: "Kind of the object."),
            .field("name", .string, required: true, doc: "Name of the object."),
        ]
        if hasNamespace { fields.append(.field("namespace", .string, doc: "Namespace of the object.")) }
        return .core(name, doc: "Names an object of any kind.", fields)
    }

    static let claimSpec = Schema.core(
        "PersistentVolumeClaimSpec", doc: "The storage that is asked for.",
        [
            .field("accessModes", .stringList, doc: "ReadWriteOnce, ReadOnlyMany, ReadWriteMany, ReadWriteOncePod."),
            .field("selector", LabelSelectorSchema.selector, doc: "Which volumes may serve."),
            .field("resources", resources, default: [:], doc: "How much storage is asked for."),
            .field("volumeName", .string, doc: "The volume that serves the claim."),
            .field("storageClassName", .string, doc: "The class that makes the volume; empty for none."),
            .field(
                "volumeMode", .string, default: "Filesystem", oneOf: ["Block", "Filesystem"],
                doc: "A file system, or a raw device."),
            .field(
                "dataSource", typedReference("TypedLocalObjectReference", hasNamespace: false),
                doc: "A snapshot or claim to start from."),
            .field(
                "dataSourceRef", typedReference("TypedObjectReference", hasNamespace: true),
                doc: "An object of any kind to start from."),
            .field("volumeAttributesClassName", .string, doc: "The class of the volume's performance attributes."),
        ])

    static let claimTemplate = Schema.core(
        "PersistentVolumeClaimTemplate", doc: "What a claim is made from.",
        [
            .field("metadata", MetadataSchemas.metadata, doc: "Labels and annotations of the claim."),
            .field("spec", claimSpec, required: true, doc: "The storage that is asked for."),
        ])
}

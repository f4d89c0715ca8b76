extension ResourceType {
    /// Wishes to have volumes on nodes.
    public static let volumeAttachments = ResourceType(
        group: "storage.k8s.io", version: "v1", kind: "VolumeAttachment", plural: "volumeattachments",
        isNamespaced: false)
}

private let package = "io.k8s.api.storage.v1."

private let source = Schema.object(
    package + "VolumeAttachmentSource", doc: "The volume; exactly one member is set.",
    [
        .field(
            "inlineVolumeSpec", KindSchema.persistentVolume.root.field("spec")?.schema ?? .any,
            doc: "A volume that stands in a pod."),
        .field("persistentVolumeName", .string, keepsZero: true, doc: "Name of a PersistentVolume."),
    ]
).judged { value, path, errors in
    switch (value["inlineVolumeSpec"], value["persistentVolumeName"]?.string) {
    case (nil, nil):
        errors.append(.required(path, "must specify exactly one of inlineVolumeSpec and persistentVolumeName"))
    case (_?, _?):
        errors.append(.forbidden(path, "must specify exactly one of inlineVolumeSpec and persistentVolumeName"))
    case (nil, let name?):
        let place = path.child("persistentVolumeName")
        if name.isEmpty { return errors.append(.required(place, "must specify non empty persistentVolumeName")) }
        errors.complain(place, name, NameSyntax.dnsSubdomain(name))
    default: return
    }
}

private let spec = Schema.object(
    package + "VolumeAttachmentSpec", doc: "Which volume is wanted on which node.",
    [
        .field("attacher", .text(.dnsSubdomain), required: true, doc: "The driver that attaches it."),
        .field("nodeName", .text(.dnsSubdomain), required: true, doc: "The node."),
        .field("source", source, required: true, doc: "The volume."),
    ])

private let failure = Schema.object(
    package + "VolumeError", doc: "What went wrong.",
    [
        .field("message", .string, doc: "What went wrong, for people."),
        .field("time", .time, doc: "When it went wrong."),
    ])

private let status = Schema.object(
    package + "VolumeAttachmentStatus", doc: "Whether the volume is there.",
    [
        .field("attachError", failure, doc: "What went wrong when the volume was attached."),
        .field("attached", .bool, keepsZero: true, doc: "Whether the volume is there."),
        .field("attachmentMetadata", .strings, doc: "What the driver needs to mount the volume."),
        .field("detachError", failure, doc: "What went wrong when the volume was taken away."),
    ])

extension KindSchema {
    /// A wish to have a volume on a node.
    static let volumeAttachment = KindSchema(
        .volumeAttachments,
        root: MetadataSchemas.kind(
            package + "VolumeAttachment", doc: "A wish to have a volume on a node.",
            [
                .field("spec", spec, required: true, doc: "Which volume is wanted on which node."),
                .field("status", status, doc: "Whether the volume is there."),
            ]),
        subresources: ["status"],
        columns: [
            .name, .value("Attacher", ["spec", "attacher"], absent: "", "The driver that attaches it."),
            .value("PV", ["spec", "source", "persistentVolumeName"], absent: "", "The volume."),
            .value("Node", ["spec", "nodeName"], absent: "", "The node."),
            .value(
                "Attached", type: "boolean", ["status", "attached"], absent: false, "Whether the volume is there."),
            .age,
        ],
        behavior: KindBehavior {
            $0.initialStatus = ["attached": false]
            $0.validateUpdate = { object, old, _, errors in
                guard object.value["spec"] != old.value["spec"] else { return }
                errors.append(.invalid(FieldPath("spec"), object.value["spec"] ?? .null, "field is immutable"))
            }
        })
}

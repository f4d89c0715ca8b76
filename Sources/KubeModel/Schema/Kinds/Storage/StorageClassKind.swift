private let topologyRequirement = Schema.core(
    "TopologySelectorLabelRequirement", doc: "One demand on a label of a node.",
    [
        .field("key", .text(.qualifiedName), required: true, doc: "The label."),
        .field("values", .stringList, required: true, doc: "The values, of which the label must have one."),
    ]
).checking { value, path, errors in
    var seen: Set<JSONValue> = []
    for (index, text) in (value["values"]?.array ?? []).enumerated() where !seen.insert(text).inserted {
        errors.append(.duplicate(path.child("values")[index], text))
    }
}

private let topologyTerm = Schema.core(
    "TopologySelectorTerm", doc: "Demands on a node that must all hold.",
    [
        .field(
            "matchLabelExpressions", .list(of: topologyRequirement).with { $0.uniqueKey = "key" },
            doc: "Demands on labels.")
    ])

private let parameters = Schema.strings.judged { value, path, errors in
    let entries = value.object ?? [:]
    guard entries.count <= 512 else { return errors.append(.tooLong(path, bytesMax: 512)) }
    var size = 0
    for (key, text) in entries {
        if key.isEmpty { errors.append(.invalid(path, "", "field can not be empty.")) }
        size += key.utf8.count + (text.string?.utf8.count ?? 0)
    }
    if size > 256 * 1024 { errors.append(.tooLong(path, bytesMax: 256 * 1024)) }
}

private let provisioner = Schema.string.checking { value, path, errors in
    guard let text = value.string, !text.isEmpty else { return }
    for complaint in NameSyntax.qualifiedName(text.lowercased()) { errors.append(.invalid(path, value, complaint)) }
}

private let fields: [SchemaField] = [
    .field("provisioner", provisioner, required: true, doc: "Who makes the volumes."),
    .field("parameters", parameters, doc: "Settings for whoever makes the volumes."),
    .field(
        "reclaimPolicy", .string, default: "Delete", oneOf: ["Delete", "Retain"],
        doc: "What becomes of a volume when its claim is gone: Delete takes it away, Retain keeps it with its data."),
    .field("mountOptions", .stringList, doc: "Options with which volumes are mounted; they are not checked."),
    .field("allowVolumeExpansion", .bool, doc: "Whether claims of the class can be made larger."),
    .field(
        "volumeBindingMode", .string, default: "Immediate", required: true, immutable: true,
        oneOf: ["Immediate", "WaitForFirstConsumer"],
        doc: "Immediate makes a volume as soon as there is a claim, WaitForFirstConsumer when a pod uses the claim."),
    .field("allowedTopologies", .list(of: topologyTerm), doc: "The nodes where volumes may be made."),
]

@Sendable
private func checkUpdate(
    _ storageClass: KubeObject, _ old: KubeObject, _ subresource: String?, _ errors: inout [FieldError]
) {
    for member in ["parameters", "provisioner", "reclaimPolicy"] {
        let (new, before) = (storageClass.value[member], old.value[member])
        if new == before || JSONValue.isEmpty(new) && JSONValue.isEmpty(before) { continue }
        errors.append(.forbidden(FieldPath(member), "updates to \(member) are forbidden."))
    }
}

extension KindSchema {
    static let isDefaultClass = "storageclass.kubernetes.io/is-default-class"

    /// A sort of storage, and who makes it.
    static let storageClass = KindSchema(
        .storageClasses, shortNames: ["sc"],
        root: MetadataSchemas.kind(
            "io.k8s.api.storage.v1.StorageClass", doc: "A sort of storage that claims can ask for, and who makes it.",
            fields),
        columns: [
            PrinterColumn(
                name: "Name", format: "name",
                description: "The name; (default) marks the class of claims that name none."
            ) { object, _ in
                let isDefault = [isDefaultClass, "storageclass.beta.kubernetes.io/is-default-class"]
                    .contains { object.annotations[$0] == "true" }
                return .string(isDefault ? "\(object.name) (default)" : object.name)
            },
            .value("Provisioner", ["provisioner"], absent: "", "Who makes the volumes."),
            .value("ReclaimPolicy", ["reclaimPolicy"], absent: "Delete", "What becomes of volumes without a claim."),
            .value("VolumeBindingMode", ["volumeBindingMode"], absent: "Immediate", "When a volume is made."),
            .value(
                "AllowVolumeExpansion", ["allowVolumeExpansion"], absent: false, "Whether claims can be made larger."),
            .age,
        ],
        behavior: KindBehavior { $0.validateUpdate = checkUpdate })
}

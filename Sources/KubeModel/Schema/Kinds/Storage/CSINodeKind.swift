extension ResourceType {
    /// Which drivers there are on a node.
    public static let csiNodes = ResourceType(
        group: "storage.k8s.io", version: "v1", kind: "CSINode", plural: "csinodes", isNamespaced: false)
    /// How much space is left for volumes of a class.
    public static let csiStorageCapacities = ResourceType(
        group: "storage.k8s.io", version: "v1", kind: "CSIStorageCapacity", plural: "csistoragecapacities")
}

private let package = "io.k8s.api.storage.v1."

private let driver = Schema.object(
    package + "CSINodeDriver", doc: "A driver on the node.",
    [
        .field(
            "allocatable",
            .object(
                package + "VolumeNodeResources", doc: "How many volumes the node can have.",
                [.field("count", .int32, keepsZero: true, minimum: 0, doc: "The most volumes of the driver.")]),
            doc: "How many volumes the node can have."),
        .field("name", .text(.dnsSubdomain), required: true, doc: "Name of the driver."),
        .field("nodeID", .string, required: true, doc: "What the driver calls the node."),
        .field("topologyKeys", .stringList, doc: "Labels by which the driver tells nodes apart."),
    ]
).checking { value, path, errors in
    let node = value["nodeID"]?.string ?? ""
    if node.utf8.count > 192 {
        errors.append(.invalid(path.child("nodeID"), .string(node), "must be 192 characters or less"))
    }
    var seen: Set<String> = []
    for key in value.texts("topologyKeys") {
        if key.isEmpty { errors.append(.required(path)) }
        if !seen.insert(key).inserted { errors.append(.duplicate(path, .string(key))) }
        for complaint in NameSyntax.qualifiedName(key) {
            errors.append(.invalid(path, value["topologyKeys"] ?? [], complaint))
        }
    }
}

extension KindSchema {
    /// Which drivers there are on the node of the same name.
    static let csiNode = KindSchema(
        .csiNodes,
        root: MetadataSchemas.kind(
            package + "CSINode", doc: "Which drivers for volumes there are on the node of the same name.",
            [
                .field(
                    "spec",
                    .object(
                        package + "CSINodeSpec", doc: "The drivers.",
                        [
                            .field(
                                "drivers", .list(of: driver, keys: ["name"], isUnique: true), keepsZero: true,
                                doc: "The drivers on the node.")
                        ]), required: true, doc: "The drivers.")
            ]),
        columns: [
            .name,
            .computed("Drivers", type: "integer", "How many drivers there are.") { object, _ in
                JSONValue(object.value["spec"]?.list("drivers").count ?? 0)
            },
            .age,
        ],
        behavior: KindBehavior {
            $0.validateUpdate = { object, old, _, errors in
                for before in old.value["spec"]?.list("drivers") ?? [] {
                    for new in object.value["spec"]?.list("drivers") ?? []
                    where new["name"] == before["name"] && new != before {
                        errors.append(.invalid(FieldPath("CSINodeDriver"), new, "field is immutable"))
                    }
                }
            }
        })

    /// How much space is left for volumes of a class on some nodes.
    static let csiStorageCapacity = KindSchema(
        .csiStorageCapacities,
        root: MetadataSchemas.kind(
            package + "CSIStorageCapacity", doc: "How much space is left for volumes of a class on some nodes.",
            [
                .field("capacity", .quantity, doc: "The space that is left."),
                .field("maximumVolumeSize", .quantity, doc: "The largest volume that can be made."),
                .field("nodeTopology", LabelSelectorSchema.selector, immutable: true, doc: "Selects the nodes."),
                .field(
                    "storageClassName", .text(.dnsSubdomain), required: true, immutable: true,
                    doc: "The class of the volumes."),
            ]),
        columns: [
            .name, .value("StorageClassName", ["storageClassName"], absent: "", "The class of the volumes."),
            .value("Capacity", ["capacity"], absent: "<unset>", "The space that is left."),
        ],
        behavior: KindBehavior {
            $0.validate = { object, errors in
                for member in ["capacity", "maximumVolumeSize"] {
                    guard let amount = object.value[member].flatMap({ Quantity($0) }), amount.milliValue < 0 else {
                        continue
                    }
                    errors.append(
                        .invalid(
                            FieldPath(member), .string(amount.description), "must be greater than or equal to 0"))
                }
            }
        })
}

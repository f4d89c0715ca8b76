/// Types that every kind shares: metadata, owners, label selectors.
enum MetadataSchemas {
    static let owner = Schema.object(
        "io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference",
        doc: "Names an object that this one belongs to; when the last owner goes, this object goes too.",
        [
            .field("apiVersion", .string, required: true, doc: "API version of the owner."),
            .field(
                "blockOwnerDeletion", .bool, doc: "Whether a foreground deletion of the owner waits for this object."),
            .field("controller", .bool, doc: "Whether the owner is the controller that manages this object."),
            .field("kind", .string, required: true, doc: "Kind of the owner."),
            .field("name", .string, required: true, doc: "Name of the owner."),
            .field("uid", .string, required: true, doc: "UID of the owner, so that a namesake does not count."),
        ])

    private static let managedFields = Schema.object(
        "io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry",
        doc: "Which fields one writer has set.",
        [
            .field("apiVersion", .string, doc: "The version in which the field set is written."),
            .field("fieldsType", .string, doc: "How the field set is written; always FieldsV1."),
            .field("fieldsV1", .any, doc: "The fields, as a tree of names."),
            .field("manager", .string, doc: "The writer."),
            .field("operation", .string, doc: "Apply or Update."),
            .field("subresource", .string, doc: "The sub-resource through which the writer wrote."),
            .field("time", .time, doc: "When the writer last changed its fields."),
        ])

    static let metadata = metadata(
        creationTime: .field(
            "creationTimestamp", .time,
            doc: "CreationTimestamp is a timestamp of the server: when it created the object."))

    /// Metadata within a template: nothing was created yet, and that is written out.
    static let ofTemplate = metadata(
        creationTime: .field(
            "creationTimestamp", .time.with { $0.isNullable = true }, default: .null,
            doc: "Not used in a template."))

    private static func metadata(creationTime: SchemaField) -> Schema {
        .object(
            "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
            doc: "What every object has: its name, its labels, and what the server notes about it.",
            [
                .field("annotations", .strings, doc: "Free notes for tools, by name; they cannot be selected by."),
                creationTime,
                .field(
                    "deletionGracePeriodSeconds", .int64,
                    doc: "Seconds the object gets to end cleanly once it is deleted."),
                .field(
                    "deletionTimestamp", .time,
                    doc: "When the object is to be gone; set once its deletion was asked for."),
                .field("finalizers", .stringSet, doc: "Work that must be done before the object may go."),
                .field(
                    "generateName", .string, doc: "A prefix from which the server makes a unique name if none is given."
                ),
                .field("generation", .int64, doc: "Counts the changes of what is wished for."),
                .field("labels", .strings, doc: "Names and values by which objects are grouped and selected."),
                .field(
                    "managedFields", .list(of: managedFields), keepsZero: true, doc: "Which writer owns which fields."),
                .field("name", .string, doc: "The name, unique among objects of the kind in the namespace."),
                .field("namespace", .string, doc: "The namespace the object lives in."),
                .field("ownerReferences", .list(of: owner, keys: ["uid"]), doc: "The objects this one belongs to."),
                .field("resourceVersion", .string, doc: "Changes with every write; lets writers notice each other."),
                .field("selfLink", .string, doc: "Not used any more."),
                .field("uid", .string, doc: "Tells the object from any other that had or will have its name."),
            ])
    }

    static let listMetadata = Schema.object(
        "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta", doc: "What every list has: where it stands in history.",
        [
            .field("continue", .string, doc: "A token that gives the next part of the list; empty at its end."),
            .field("remainingItemCount", .int64, doc: "How many objects follow, if that is known."),
            .field("resourceVersion", .string, doc: "The revision at which the objects were as the list shows them."),
            .field("selfLink", .string, doc: "Not used any more."),
        ])

    /// The type of a whole object: the envelope and the given members.
    static func kind(_ definition: String, doc: String, _ fields: [SchemaField]) -> Schema {
        .object(
            definition, doc: doc,
            [
                .field(
                    "apiVersion", .string,
                    doc: "APIVersion defines the version of the API in which this object is written."),
                .field("kind", .string, doc: "What this object is."),
                .field(
                    "metadata", metadata,
                    doc: "Standard object's metadata: name, labels and what the server notes about it."),
            ] + fields)
    }

    static let condition = Schema.object(
        "io.k8s.apimachinery.pkg.apis.meta.v1.Condition", doc: "One aspect of an object's state.",
        [
            .field("lastTransitionTime", .time, doc: "When the status last changed."),
            .field("message", .string, doc: "An explanation for people."),
            .field("observedGeneration", .int64, doc: "The generation of the object that the condition speaks of."),
            .field("reason", .string, doc: "One word for why, for programs."),
            .field("status", .string, doc: "True, False or Unknown."),
            .field("type", .string, doc: "Which aspect."),
        ])

    /// A condition as the older kinds have it.
    static func condition(_ definition: String, _ more: [SchemaField] = []) -> Schema {
        .object(
            definition, doc: "One aspect of the object's state.",
            [
                .field("lastTransitionTime", .time, doc: "When the status last changed."),
                .field("message", .string, doc: "An explanation for people."),
                .field("reason", .string, doc: "One word for why, for programs."),
                .field("status", .string, doc: "True, False or Unknown."),
                .field("type", .string, doc: "Which aspect."),
            ] + more)
    }
}

/// The selector of objects by their labels.
enum LabelSelectorSchema {
    static let definition = "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector"

    private static let requirement = Schema.object(
        "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement",
        doc: "One demand on the value of a label.",
        [
            .field("key", .string, doc: "The label."),
            .field("operator", .string, doc: "In, NotIn, Exists or DoesNotExist."),
            .field("values", .stringList, doc: "The values for In and NotIn; must be empty otherwise."),
        ]
    ).checking { value, path, errors in
        let key = value["key"]?.string ?? ""
        let count = value["values"]?.array?.count ?? 0
        switch value["operator"]?.string ?? "" {
        case "In", "NotIn":
            if count == 0 {
                errors.append(.required(path.child("values"), "must be specified when `operator` is 'In' or 'NotIn'"))
            }
        case "Exists", "DoesNotExist":
            if count > 0 {
                errors.append(
                    .forbidden(
                        path.child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
            }
        default:
            errors.append(.invalid(path.child("operator"), value["operator"] ?? "", "not a valid selector operator"))
        }
        for complaint in NameSyntax.qualifiedName(key) {
            errors.append(.invalid(path.child("key"), .string(key), complaint))
        }
        for (index, value) in (value["values"]?.array ?? []).enumerated() {
            for complaint in NameSyntax.labelValue(value.string ?? "") {
                errors.append(.invalid(path.child("values")[index], value, complaint))
            }
        }
    }

    static let selector = Schema.object(
        definition, doc: "Selects objects by their labels; all demands must hold. Empty selects everything.",
        [
            .field(
                "matchLabels", .strings.checking { MetadataRules.labels($0, at: $1, into: &$2) },
                doc: "Labels that must have exactly these values."),
            .field("matchExpressions", .list(of: requirement), doc: "Demands on labels."),
        ])
}

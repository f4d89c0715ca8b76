private let package = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."

private func type(_ name: String, doc: String, _ fields: [SchemaField]) -> Schema {
    .object(package + name, doc: doc, fields)
}

private let names = type(
    "CustomResourceDefinitionNames", doc: "What the kind and its resource are called.",
    [
        .field("categories", .stringList, doc: "Groups of kinds that it belongs to, for example all."),
        .field("kind", .string, keepsZero: true, doc: "The kind, in CamelCase and singular, for example CronTab."),
        .field("listKind", .string, doc: "The kind of a list; by default the kind followed by List."),
        .field("plural", .string, keepsZero: true, doc: "The plural in URLs, in lower case, for example crontabs."),
        .field("shortNames", .stringList, doc: "Short names for the command line, in lower case."),
        .field("singular", .string, doc: "The singular for the command line; by default the kind in lower case."),
    ])

private let column = type(
    "CustomResourceColumnDefinition", doc: "A column that kubectl get shows for objects of the kind.",
    [
        .field("description", .string, doc: "What the column shows."),
        .field("format", .string, doc: "A format of OpenAPI that goes with the type, for example date-time."),
        .field("jsonPath", .string, doc: "Where in the object the value stands, for example .spec.replicas."),
        .field("name", .string, doc: "The heading."),
        .field("priority", .int32, doc: "Columns above 0 are shown with -o wide only."),
        .field("type", .string, doc: "integer, number, string, boolean or date."),
    ])

private let scale = type(
    "CustomResourceSubresourceScale", doc: "Where the scale sub-resource finds its numbers.",
    [
        .field("labelSelectorPath", .string, doc: "Path to a label selector as text; autoscalers need it."),
        .field("specReplicasPath", .string, doc: "Path below .spec to the number that is wished for."),
        .field("statusReplicasPath", .string, doc: "Path below .status to the number that is there."),
    ])

private let subresources = type(
    "CustomResourceSubresources", doc: "The sub-resources of the kind.",
    [
        .field("scale", scale, doc: "Makes the kind scalable."),
        .field(
            "status",
            type(
                "CustomResourceSubresourceStatus", doc: "A sub-resource of its own for the status; has no settings.", []
            ),
            doc: "Lets the status be written only through its own sub-resource, and everything else only without it."),
    ])

private let selectableField = type(
    "SelectableField", doc: "A field by which objects can be selected.",
    [.field("jsonPath", .string, doc: "The path of the field, for example .spec.colour.")])

private let version = type(
    "CustomResourceDefinitionVersion", doc: "One version of the kind.",
    [
        .field("additionalPrinterColumns", .list(of: column), doc: "The columns of kubectl get."),
        .field("deprecated", .bool, doc: "Whether clients are warned that the version is on its way out."),
        .field("deprecationWarning", .string, keepsZero: true, doc: "The words of that warning."),
        .field("name", .string, doc: "The version, for example v1 or v1beta1."),
        .field(
            "schema",
            type(
                "CustomResourceValidation", doc: "The schema of the objects.",
                [
                    .field(
                        "openAPIV3Schema", .lazy("JSONSchemaProps") { JSONSchemaProps.schema },
                        doc: "The schema, as OpenAPI v3 writes it.")
                ]),
            doc: "What the objects look like in this version."),
        .field("selectableFields", .list(of: selectableField), doc: "Fields that field selectors can name."),
        .field("served", .bool, doc: "Whether the version can be used."),
        .field("storage", .bool, doc: "Whether objects are stored in this version; true for exactly one."),
        .field("subresources", subresources, doc: "The sub-resources in this version."),
    ])

private let service = type(
    "ServiceReference", doc: "A Service that answers calls.",
    [
        .field("name", .string, doc: "Name of the Service."),
        .field("namespace", .string, doc: "Namespace of the Service."),
        .field("path", .string, doc: "The path of the calls."),
        .field("port", .int32, default: 443, doc: "The port of the calls."),
    ])

private let conversion = type(
    "CustomResourceConversion", doc: "How objects get from one version to another.",
    [
        .field(
            "strategy", .string,
            doc: "None changes only the apiVersion; Webhook asks a program."),
        .field(
            "webhook",
            type(
                "WebhookConversion", doc: "Whom to ask for a conversion.",
                [
                    .field(
                        "clientConfig",
                        type(
                            "WebhookClientConfig", doc: "How the converter is reached.",
                            [
                                .field("caBundle", .bytes, doc: "PEM of the authority that signed its certificate."),
                                .field("service", service, doc: "The Service that converts."),
                                .field("url", .string, doc: "The address, if it is no Service."),
                            ]),
                        doc: "How the converter is reached."),
                    .field(
                        "conversionReviewVersions", .stringList, doc: "The versions of the protocol that it speaks."),
                ]),
            doc: "Whom to ask for a conversion."),
    ])

private let spec = type(
    "CustomResourceDefinitionSpec", doc: "What the kind is called and what its objects look like.",
    [
        .field("conversion", conversion, doc: "How objects get from one version to another."),
        .field("group", .string, doc: "The API group; the kind lives under /apis/GROUP."),
        .field("names", names, default: [:], doc: "What the kind is called."),
        .field(
            "preserveUnknownFields", .bool,
            doc: "Must be false; use x-kubernetes-preserve-unknown-fields in the schema."),
        .field("scope", .string, doc: "Namespaced or Cluster."),
        .field("versions", .list(of: version), doc: "The versions of the kind."),
    ]
).defaulting { spec in
    guard let kind = spec[["names", "kind"]]?.string, !kind.isEmpty else { return }
    spec.change("names") { names in
        names.setDefault("singular", .string(kind.lowercased()))
        names.setDefault("listKind", .string("\(kind)List"))
    }
    if spec["conversion"] == nil { spec["conversion"] = ["strategy": "None"] }
}

private let status = type(
    "CustomResourceDefinitionStatus", doc: "What has become of the definition.",
    [
        .field("acceptedNames", names, doc: "The names that the kind got; others of the group may not use them."),
        .field(
            "conditions",
            .list(
                of: MetadataSchemas.condition(package + "CustomResourceDefinitionCondition"), keys: ["type"]
            ).with { $0.isNullable = true },
            doc: "NamesAccepted, Established, Terminating."),
        .field("storedVersions", .stringList, doc: "Versions in which objects have ever been stored."),
    ])

extension KindSchema {
    /// Adds a kind to the API.
    static let customResourceDefinition = KindSchema(
        .customResourceDefinitions, shortNames: ["crd", "crds"], categories: ["api-extensions"],
        root: MetadataSchemas.kind(
            package + "CustomResourceDefinition",
            doc: "Adds a kind to the API: its names, its versions, and what its objects look like.",
            [
                .field("spec", spec, default: [:], doc: "What the kind is called and what its objects look like."),
                .field("status", status, doc: "What has become of the definition."),
            ]),
        subresources: ["status"],
        columns: [
            .name,
            PrinterColumn(name: "Created At", type: "date", description: "When the definition was created.") {
                object, _ in
                object.value[["metadata", "creationTimestamp"]] ?? .null
            },
        ],
        behavior: KindBehavior {
            $0.countsGenerations = true
            $0.initialStatus = ["conditions": nil, "acceptedNames": ["plural": "", "kind": ""]]
            $0.prepareForCreate = { noteStoredVersion(&$0) }
            $0.prepareForUpdate = { object, old, subresource in
                guard subresource == "status" else { return noteStoredVersion(&object) }
                for member in ["labels", "annotations", "finalizers"] {
                    object.value[["metadata", member]] = old.value[["metadata", member]]
                }
            }
            $0.validate = { object, errors in DefinitionRules.check(object, into: &errors) }
            $0.validateUpdate = { object, old, subresource, errors in
                if subresource == nil { DefinitionRules.checkUpdate(object, old: old, into: &errors) }
            }
            $0.warnings = { object, _ in DefinitionRules.warnings(object) }
        })

    private static func noteStoredVersion(_ object: inout KubeObject) {
        let name = CustomResourceDefinition(object).storageVersion
        var versions = object.value[["status", "storedVersions"]]?.array ?? []
        if !name.isEmpty, !versions.contains(.string(name)) { versions.append(.string(name)) }
        object.value[["status", "storedVersions"]] = .array(versions)
    }
}

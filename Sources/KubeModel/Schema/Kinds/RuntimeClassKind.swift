extension ResourceType {
    /// Ways to run the containers of pods.
    public static let runtimeClasses = ResourceType(
        group: "node.k8s.io", version: "v1", kind: "RuntimeClass", plural: "runtimeclasses", isNamespaced: false)
}

private let package = "io.k8s.api.node.v1."

private let overhead = Schema.object(
    package + "Overhead", doc: "What running a pod costs besides its containers.",
    [.field("podFixed", .resourceAmounts, doc: "What each pod costs.")]
).checking { value, path, errors in
    ResourceSchemas.check(["limits": value["podFixed"] ?? [:]], path, &errors)
}

private let scheduling = Schema.object(
    package + "Scheduling", doc: "The nodes that can run the class.",
    [
        .field("nodeSelector", .strings, doc: "Labels of those nodes; pods of the class get them as a demand."),
        .field(
            "tolerations", .list(of: AffinitySchemas.toleration),
            doc: "Taints of those nodes; pods of the class tolerate them."),
    ]
).checking { value, path, errors in
    MetadataRules.labels(value["nodeSelector"], at: path.child("nodeSelector"), into: &errors)
    PlacementRules.checkTolerations(value.list("tolerations"), path.child("tolerations"), &errors)
}

extension KindSchema {
    /// A way to run the containers of pods.
    static let runtimeClass = KindSchema(
        .runtimeClasses,
        root: MetadataSchemas.kind(
            package + "RuntimeClass", doc: "A way to run the containers of pods, which pods can ask for by name.",
            [
                .field(
                    "handler", .string, immutable: true, keepsZero: true,
                    doc: "What the node's runtime calls the way; the same on all nodes."),
                .field("overhead", overhead, doc: "What running a pod costs besides its containers."),
                .field("scheduling", scheduling, doc: "The nodes that can run the class; all if absent."),
            ]),
        columns: [.name, .value("Handler", ["handler"], absent: "", "What the node's runtime calls the way."), .age],
        behavior: KindBehavior {
            $0.validate = { object, errors in
                let handler = object.value["handler"]?.string ?? ""
                errors.complain(FieldPath("handler"), handler, NameSyntax.dnsLabel(handler))
            }
        })
}

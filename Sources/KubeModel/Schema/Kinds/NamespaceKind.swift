private let spec = Schema.core(
    "NamespaceSpec", doc: "What must be done before the namespace may go.",
    [.field("finalizers", .stringList, doc: "Work that must be done before the namespace may go.")])

private let status = Schema.core(
    "NamespaceStatus", doc: "Whether the namespace is in use or going.",
    [
        .field(
            "conditions", .list(of: MetadataSchemas.condition("io.k8s.api.core.v1.NamespaceCondition"), keys: ["type"]),
            doc: "What keeps the namespace from going."),
        .field("phase", .string, doc: "Active or Terminating."),
    ])

extension KindSchema {
    /// A room for objects: names are unique within it.
    static let namespace = KindSchema(
        .namespaces, shortNames: ["ns"],
        root: MetadataSchemas.kind(
            "io.k8s.api.core.v1.Namespace", doc: "A room for objects: names are unique within it.",
            [
                .field("spec", spec, default: [:], doc: "What must be done before the namespace may go."),
                .field("status", status, doc: "Whether the namespace is in use or going."),
            ]
        ).defaulting { namespace in
            guard let name = namespace[["metadata", "name"]], name != "" else { return }
            namespace[["metadata", "labels", "kubernetes.io/metadata.name"]] = name
        },
        subresources: ["finalize", "status"],
        columns: [.name, .value("Status", ["status", "phase"], "Active or Terminating."), .age],
        verbs: ["create", "delete", "get", "list", "patch", "update", "watch"],
        selectableFields: ["status.phase"],
        behavior: KindBehavior {
            $0.nameSyntax = NameSyntax.dnsLabel
            $0.initialStatus = ["phase": "Active"]
            $0.prepareForCreate = { namespace in
                let finalizers = namespace.value[["spec", "finalizers"]]?.array ?? []
                guard !finalizers.contains("kubernetes") else { return }
                namespace.value[["spec", "finalizers"]] = .array(finalizers + ["kubernetes"])
            }
            $0.validate = { namespace, errors in
                let path = FieldPath("spec", "finalizers")
                for name in namespace.value["spec"]?.texts("finalizers") ?? [] {
                    errors.complain(path, name, NameSyntax.qualifiedName(name))
                    errors.complain(path, name, MetadataRules.complaints(aboutFinalizer: name))
                }
            }
            $0.validateUpdate = { namespace, _, subresource, errors in
                guard subresource == "status" else { return }
                let phase = namespace.value[["status", "phase"]]?.string ?? ""
                let (wanted, when) = namespace.isBeingDeleted ? ("Terminating", "not empty") : ("Active", "empty")
                guard phase != wanted else { return }
                errors.append(
                    .invalid(
                        FieldPath("status", "Phase"), .string(phase),
                        "may only be '\(wanted)' if `deletionTimestamp` is \(when)"))
            }
            $0.prepareForUpdate = { namespace, old, subresource in
                if subresource == "finalize" {
                    namespace.value["status"] = old.value["status"]
                } else {
                    namespace.value["spec"] = old.value["spec"]
                }
            }
        })
}

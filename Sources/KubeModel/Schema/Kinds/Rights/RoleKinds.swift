/// The columns that kinds without a printer of their own have.
private let plainColumns: [PrinterColumn] = [
    .name,
    PrinterColumn(name: "Created At", type: "date", description: "When the object was created.") { object, _ in
        object.value[["metadata", "creationTimestamp"]] ?? "<unknown>"
    },
]

extension KindSchema {
    /// Names what may be done in one namespace.
    static let role = KindSchema(
        .roles,
        root: MetadataSchemas.kind(
            "io.k8s.api.rbac.v1.Role", doc: "Names what may be done in one namespace.",
            [RightsSchemas.rules(isNamespaced: true)]),
        columns: plainColumns,
        behavior: KindBehavior { $0.nameSyntax = NameSyntax.pathSegment })

    /// Names what may be done in all namespaces and with the cluster itself.
    static let clusterRole = KindSchema(
        .clusterRoles,
        root: MetadataSchemas.kind(
            "io.k8s.api.rbac.v1.ClusterRole",
            doc: "Names what may be done in all namespaces and with the cluster itself.",
            [
                .field(
                    "aggregationRule", RightsSchemas.aggregation,
                    doc: "Makes the role the sum of others; its own rules are then overwritten."),
                RightsSchemas.rules(isNamespaced: false),
            ]),
        columns: plainColumns,
        behavior: KindBehavior { $0.nameSyntax = NameSyntax.pathSegment })
}

extension ResourceType {
    /// What nodes use at the moment.
    public static let nodeMetrics = ResourceType(
        group: "metrics.k8s.io", version: "v1beta1", kind: "NodeMetrics", plural: "nodes", isNamespaced: false)
    /// What pods use at the moment.
    public static let podMetrics = ResourceType(
        group: "metrics.k8s.io", version: "v1beta1", kind: "PodMetrics", plural: "pods")
}

private func type(_ name: String, doc: String, _ fields: [SchemaField]) -> Schema {
    .object("io.k8s.metrics.pkg.apis.metrics.v1beta1.\(name)", doc: doc, fields)
}

private let time: [SchemaField] = [
    .field("timestamp", .time, doc: "When it was measured."),
    .field("window", .string, doc: "The time over which the use of the processor was measured."),
]

private let usage = SchemaField.field("usage", .resourceAmounts, doc: "What is used: cpu in cores, memory in bytes.")

/// The columns that the metrics server prints.
private func usageColumns(_ amounts: @escaping @Sendable (KubeObject, String) -> String) -> [PrinterColumn] {
    [
        .name,
        .computed("cpu", "Cores that are used.") { object, _ in .string(amounts(object, "cpu")) },
        .computed("memory", "Memory that is used.") { object, _ in .string(amounts(object, "memory")) },
        .value("Window", ["window"], absent: "", "The time over which the use of the processor was measured."),
    ]
}

extension KindSchema {
    /// What a node uses; measured when it is asked for, and stored nowhere.
    static let nodeMetrics = KindSchema(
        .nodeMetrics, singular: "",
        root: MetadataSchemas.kind(
            "io.k8s.metrics.pkg.apis.metrics.v1beta1.NodeMetrics", doc: "What a node uses.", time + [usage]),
        columns: usageColumns { $0.value[["usage", $1]]?.string ?? "0" }, verbs: ["get", "list"])

    /// What the containers of a pod use; measured when it is asked for, and stored nowhere.
    static let podMetrics = KindSchema(
        .podMetrics, singular: "",
        root: MetadataSchemas.kind(
            "io.k8s.metrics.pkg.apis.metrics.v1beta1.PodMetrics", doc: "What the containers of a pod use.",
            [
                .field(
                    "containers",
                    .list(
                        of: type(
                            "ContainerMetrics", doc: "What a container uses.",
                            [.field("name", .string, doc: "Name of the container."), usage])),
                    doc: "What each container uses.")
            ] + time),
        columns: usageColumns { object, name in
            let zero = Quantity(0)
            let sum = (object.value["containers"]?.array ?? []).reduce(zero) {
                $0 + ($1[["usage", name]].flatMap(Quantity.init) ?? zero)
            }
            return sum.description
        }, verbs: ["get", "list"])
}

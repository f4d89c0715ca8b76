extension ResourceType {
    /// How the parts of the control plane are, as older tools ask for it.
    public static let componentStatuses = ResourceType(
        group: "", version: "v1", kind: "ComponentStatus", plural: "componentstatuses", isNamespaced: false)
}

private let condition = Schema.core(
    "ComponentCondition", doc: "One aspect of a component's state.",
    [
        .field("error", .string, doc: "What went wrong when the component was asked."),
        .field("message", .string, doc: "What the component said."),
        .field("status", .string, doc: "True, False or Unknown."),
        .field("type", .string, doc: "Which aspect; always Healthy."),
    ])

extension KindSchema {
    /// How a part of the control plane is; made when it is asked for.
    static let componentStatus = KindSchema(
        .componentStatuses, shortNames: ["cs"],
        root: MetadataSchemas.kind(
            "io.k8s.api.core.v1.ComponentStatus",
            doc: "How a part of the control plane is. Deprecated: ask the health pages of the parts.",
            [.field("conditions", .list(of: condition, keys: ["type"]), doc: "Healthy.")]),
        columns: [
            .name,
            .computed("Status", "Whether it is healthy.") { object, _ in
                guard let condition = health(of: object) else { return "Unknown" }
                return condition["status"] == "True" ? "Healthy" : "Unhealthy"
            },
            .computed("Message", "What the component said.") { object, _ in health(of: object)?["message"] ?? "" },
            .computed("Error", "What went wrong when the component was asked.") { object, _ in
                health(of: object)?["error"] ?? ""
            },
        ], verbs: ["get", "list"],
        behavior: KindBehavior { $0.requestWarning = "v1 ComponentStatus is deprecated in v1.19+" })

    private static func health(of object: KubeObject) -> JSONValue? {
        object.value.list("conditions").first { $0["type"] == "Healthy" }
    }
}

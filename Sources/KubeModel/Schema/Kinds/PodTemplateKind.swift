extension KindSchema {
    /// A pattern of pods, kept to be used by others.
    static let podTemplate = KindSchema(
        .podTemplates,
        root: MetadataSchemas.kind(
            "io.k8s.api.core.v1.PodTemplate", doc: "A pattern of pods, kept to be used by others.",
            [.field("template", PodSchemas.template, default: [:], doc: "What pods are made from.")]),
        columns: [
            .name,
            .computed("Containers", "Names of the containers in the template.") { object, _ in
                .string(ContainerCells(object.value[["template", "spec"]]).names)
            },
            .computed("Images", "Images of the containers in the template.") { object, _ in
                .string(ContainerCells(object.value[["template", "spec"]]).images)
            },
            .computed("Pod Labels", "Labels of the template.") { object, _ in
                .string(ContainerCells.labels(object.value[["template", "metadata", "labels"]]))
            },
        ],
        behavior: KindBehavior { $0.countsGenerations = true })
}

/// The types that describe a pod.
enum PodSchemas {
    static let template = Schema.object(
        "io.k8s.api.core.v1.PodTemplateSpec", doc: "What pods are made from.",
        [
            .field("metadata", MetadataSchemas.metadata, doc: "Labels and annotations that each pod gets."),
            .field("spec", .any, default: [:], doc: "What each pod is to run."),
        ])
}

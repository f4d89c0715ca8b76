extension ResourceType {
    /// Wishes to put pods on nodes; done at once, and kept nowhere.
    public static let bindings = ResourceType(group: "", version: "v1", kind: "Binding", plural: "bindings")
}

extension KindSchema {
    /// Puts a pod on a node.
    static let podBinding = KindSchema(
        .bindings,
        root: MetadataSchemas.kind(
            "io.k8s.api.core.v1.Binding", doc: "Puts the pod of the same name on a node.",
            [.field("target", VolumeSchemas.objectReference, required: true, doc: "The node.")]
        ),
        verbs: ["create"])
}

extension FieldError {
    /// What is wrong with a wish to put a pod on a node.
    public static func complaints(aboutBinding value: JSONValue) -> [FieldError] {
        var errors: [FieldError] = []
        if let kind = value[["target", "kind"]]?.string, !kind.isEmpty, kind != "Node" {
            errors.append(.notSupported(FieldPath("target", "kind"), .string(kind), ["Node", "<empty>"]))
        }
        errors.require(FieldPath("target", "name"), value[["target", "name"]]?.string)
        return errors
    }
}

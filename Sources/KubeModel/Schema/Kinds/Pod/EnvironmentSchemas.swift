/// Environment variables of containers.
enum EnvironmentSchemas {
    static let fieldSelector = Schema.core(
        "ObjectFieldSelector", doc: "A field of the pod.",
        [
            .field("apiVersion", .string, default: "v1", doc: "The version in which the field is named."),
            .field("fieldPath", .string, required: true, doc: "The field, for example metadata.name or status.podIP."),
        ])

    static let resourceSelector = Schema.core(
        "ResourceFieldSelector", doc: "A request or limit of a container.",
        [
            .field("containerName", .string, doc: "The container; needed in volumes only."),
            .field("resource", .string, required: true, doc: "For example limits.cpu or requests.memory."),
            .field("divisor", .quantity, default: "0", doc: "The unit of the answer; 0 stands for 1."),
        ])

    private static func keySelector(_ type: String, _ kind: String) -> Schema {
        .core(
            type, doc: "One entry of a \(kind).",
            [
                .field("name", .string, required: true, doc: "Name of the \(kind)."),
                .field("key", .text(.configMapKey), required: true, doc: "The entry."),
                .field("optional", .bool, doc: "Whether the container may start without the entry."),
            ])
    }

    private static let source = Schema.core(
        "EnvVarSource", doc: "Where the value of a variable comes from; exactly one member is set.",
        [
            .field("fieldRef", podField, doc: "A field of the pod."),
            .field("resourceFieldRef", resourceSelector, doc: "A request or limit of a container."),
            .field(
                "configMapKeyRef", keySelector("ConfigMapKeySelector", "ConfigMap"), doc: "An entry of a ConfigMap."),
            .field("secretKeyRef", keySelector("SecretKeySelector", "Secret"), doc: "An entry of a Secret."),
        ]
    )

    private static let podFields = [
        "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
        "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
    ]

    /// A field of the pod that a variable may show: a fixed list, and single labels and annotations.
    private static let podField = fieldSelector

    static let variable = Schema.core(
        "EnvVar", doc: "One environment variable.",
        [
            .field("name", .text(.envName), required: true, doc: "Name of the variable."),
            .field("value", .string, doc: "Its value; $(NAME) stands for an earlier variable."),
            .field("valueFrom", source, doc: "Where its value comes from; not together with a value."),
        ]
    )

    private static func allOf(_ type: String, _ kind: String) -> Schema {
        .core(
            type, doc: "All entries of a \(kind).",
            [
                .field("name", .string, required: true, doc: "Name of the \(kind)."),
                .field("optional", .bool, doc: "Whether the container may start without the \(kind)."),
            ])
    }

    static let group = Schema.core(
        "EnvFromSource", doc: "All entries of a ConfigMap or Secret as variables.",
        [
            .field("prefix", .text(.envName), doc: "Put before each name."),
            .field("configMapRef", allOf("ConfigMapEnvSource", "ConfigMap"), doc: "The ConfigMap."),
            .field("secretRef", allOf("SecretEnvSource", "Secret"), doc: "The Secret."),
        ]
    )
}

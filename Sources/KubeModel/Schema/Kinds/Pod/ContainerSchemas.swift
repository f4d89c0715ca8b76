/// A container of a pod.
enum ContainerSchemas {
    static let port = Schema.core(
        "ContainerPort", doc: "A port on which the container listens.",
        [
            .field("name", .text(.portName), doc: "A name by which probes and Services can refer to the port."),
            .field("hostPort", .int32, doc: "A port of the node that leads here.").withPortRange,
            .field("containerPort", .port, required: true, doc: "The port in the pod."),
            .field("protocol", .string, default: "TCP", oneOf: ["SCTP", "TCP", "UDP"], doc: "TCP, UDP or SCTP."),
            .field("hostIP", .text(.ipAddress), doc: "The node's address for the host port."),
        ])

    static let ports = Schema.list(of: port, keys: ["containerPort", "protocol"])

    private static let mount = Schema.core(
        "VolumeMount", doc: "A volume, seen in the container.",
        [
            .field("name", .string, required: true, doc: "The volume."),
            .field("mountPath", .string, required: true, doc: "Where it is seen."),
            .field("subPath", .string, doc: "A path in the volume instead of its root."),
            .field("subPathExpr", .string, doc: "The same, with $(NAME) standing for variables."),
            .field("readOnly", .bool, doc: "Whether the files can only be read."),
            .field(
                "recursiveReadOnly", .string, oneOf: ["Disabled", "Enabled", "IfPossible"],
                doc: "Whether mounts inside are read-only too."),
            .field(
                "mountPropagation", .string, oneOf: ["Bidirectional", "HostToContainer", "None"],
                doc: "Whether later mounts are seen on both sides."),
        ]
    )

    private static let mounts = Schema.list(of: mount, keys: ["mountPath"])

    private static let device = Schema.core(
        "VolumeDevice", doc: "A raw device, seen in the container.",
        [
            .field("name", .string, required: true, doc: "The volume."),
            .field("devicePath", .string, required: true, doc: "Where it is seen."),
        ])

    private static let resizePolicy = Schema.core(
        "ContainerResizePolicy", doc: "What happens when a resource of a running container changes.",
        [
            .field("resourceName", .string, required: true, oneOf: ["cpu", "memory"], doc: "The resource."),
            .field(
                "restartPolicy", .string, required: true, oneOf: ["NotRequired", "RestartContainer"],
                doc: "Whether the container is restarted."),
        ])

    private static let image = Schema.string

    private static let commonFields: [SchemaField] = [
        .field("name", .text(.dnsLabel), required: true, doc: "The name, unique in the pod."),
        .field("image", image, required: true, doc: "The image, for example nginx:alpine."),
        .field("command", .stringList, doc: "What runs instead of the image's entrypoint."),
        .field("args", .stringList, doc: "Arguments instead of the image's own."),
        .field("workingDir", .string, doc: "The directory in which the command starts."),
        .field(
            "terminationMessagePolicy", .string, default: "File", oneOf: ["FallbackToLogsOnError", "File"],
            doc: "Whether the end of the log stands in for a missing last message."),
        .field("ports", ports, doc: "Ports on which the container listens."),
        .field("env", .list(of: EnvironmentSchemas.variable, keys: ["name"]), doc: "Environment variables."),
        .field(
            "envFrom", .list(of: EnvironmentSchemas.group),
            doc: "ConfigMaps and Secrets whose entries become variables."),
        .field("volumeMounts", mounts, doc: "Volumes that the container sees."),
        .field("volumeDevices", .list(of: device, keys: ["devicePath"]), doc: "Raw devices that the container sees."),
        .field(
            "imagePullPolicy", .string, oneOf: ["Always", "IfNotPresent", "Never"],
            doc: "When the image is fetched; Always for the tag latest, otherwise IfNotPresent."),
        .field(
            "resources", ResourceSchemas.requirements, default: [:], doc: "How much the container needs and may use."),
        .field("resizePolicy", .list(of: resizePolicy), doc: "What happens when resources change."),
        .field(
            "restartPolicy", .string, oneOf: ["Always"],
            doc: "Always makes an init container a sidecar; not for other containers."),
        .field("securityContext", SecuritySchemas.container, doc: "As whom the container runs, and what it may do."),
        .field("lifecycle", ProbeSchemas.lifecycle, doc: "Hooks at the start and at the end."),
        .field("livenessProbe", ProbeSchemas.probe, doc: "Asks whether the container works; if not, it is restarted."),
        .field(
            "readinessProbe", ProbeSchemas.probe,
            doc: "Asks whether the container can serve; if not, Services leave it out."),
        .field(
            "startupProbe", ProbeSchemas.probe, doc: "Asks whether the container has started; other probes wait for it."
        ),
        .field(
            "terminationMessagePath", .string, default: "/dev/termination-log",
            doc: "The file whose content becomes the last message."),
        .field("stdin", .bool, doc: "Whether the container can be typed to."),
        .field("stdinOnce", .bool, doc: "Whether standard input closes after the first attach."),
        .field("tty", .bool, doc: "Whether the container has a terminal."),
    ]

    static let container = Schema.core("Container", doc: "One program of a pod.", commonFields)
        .defaulting(setPullPolicy)

    static let ephemeral = Schema.core(
        "EphemeralContainer", doc: "A container added to a running pod, to look into it.",
        commonFields + [
            .field("targetContainerName", .string, doc: "The container whose processes it sees.")
        ]
    ).defaulting(setPullPolicy)

    @Sendable
    private static func setPullPolicy(_ container: inout JSONValue) {
        let image = container["image"]?.string ?? ""
        container.setDefault("imagePullPolicy", .string(pullPolicy(image)))
    }

    /// `Always` for images without a tag or with the tag `latest`; `IfNotPresent` for all others and for digests.
    static func pullPolicy(_ image: String) -> String {
        if image.contains("@") { return "IfNotPresent" }
        let name = image.split(separator: "/").last ?? ""
        guard let colon = name.lastIndex(of: ":") else { return "Always" }
        return name[name.index(after: colon)...] == "latest" ? "Always" : "IfNotPresent"
    }

    @Sendable
    private static func checkProbes(_ value: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        for name in ["livenessProbe", "startupProbe"] {
            if let threshold = value[name]?["successThreshold"], threshold != 1 {
                errors.append(.invalid(path.child(name, "successThreshold"), threshold, "must be 1"))
            }
        }
        if let grace = value[["readinessProbe", "terminationGracePeriodSeconds"]] {
            errors.append(
                .invalid(
                    path.child("readinessProbe", "terminationGracePeriodSeconds"), grace,
                    "must not be set for readinessProbes"))
        }
    }
}

extension SchemaField {
    /// The same field, with 0 for none and otherwise a port.
    fileprivate var withPortRange: SchemaField {
        let ranged = schema
        return .field(name, ranged, doc: doc)
    }
}

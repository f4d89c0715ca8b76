/// The types that describe a pod.
enum PodSchemas {
    private static let dnsConfig = Schema.core(
        "PodDNSConfig", doc: "How names are looked up, besides the DNS policy.",
        [
            .field("nameservers", .list(of: .text(.ipAddress)), doc: "DNS servers."),
            .field("searches", .stringList, doc: "Domains that are tried for short names."),
            .field(
                "options",
                .list(
                    of: .core(
                        "PodDNSConfigOption", doc: "An option of the resolver.",
                        [
                            .field("name", .string, required: true, doc: "Name of the option."),
                            .field("value", .string, doc: "Its value."),
                        ])), doc: "Options of the resolver."),
        ])

    private static let hostAlias = Schema.core(
        "HostAlias", doc: "A line of /etc/hosts.",
        [
            .field("ip", .text(.ipAddress), required: true, doc: "The address."),
            .field("hostnames", .stringList, doc: "Its names."),
        ])

    private static let readinessGate = Schema.core(
        "PodReadinessGate", doc: "A condition that must hold before the pod is ready.",
        [.field("conditionType", .text(.qualifiedName), required: true, doc: "Type of the condition.")])

    private static let schedulingGate = Schema.core(
        "PodSchedulingGate", doc: "Something that must be removed before the pod is scheduled.",
        [.field("name", .text(.qualifiedName), required: true, doc: "Name of the gate.")])

    private static let resourceClaim = Schema.core(
        "PodResourceClaim", doc: "A claim for devices.",
        [
            .field("name", .string, required: true, doc: "The pod's name for the claim."),
            .field("resourceClaimName", .string, doc: "The ResourceClaim."),
            .field("resourceClaimTemplateName", .string, doc: "The template from which a claim is made."),
        ])

    private static let containersFields: [SchemaField] = [
        .field(
            "volumes",
            .list(of: VolumeSchemas.volume, keys: ["name"], isUnique: true, strategies: ["merge", "retainKeys"]),
            doc: "Directories that containers can mount."),
        .field(
            "containers", .list(of: ContainerSchemas.container, keys: ["name"], isUnique: true), required: true,
            doc: "The programs of the pod; at least one."),
        .field(
            "initContainers", .list(of: ContainerSchemas.container, keys: ["name"], isUnique: true),
            doc: "Programs that run one after the other before the containers start."),
        .field(
            "ephemeralContainers", .list(of: ContainerSchemas.ephemeral, keys: ["name"]),
            doc: "Containers added to the running pod, to look into it."),
        .field(
            "restartPolicy", .string, default: "Always", oneOf: ["Always", "OnFailure", "Never"],
            doc: "Whether containers that end are started again."),
        .field(
            "dnsPolicy", .string, default: "ClusterFirst",
            oneOf: ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"], doc: "Whose DNS servers are asked."),
    ]

    private static let lifeFields: [SchemaField] = [
        .field(
            "terminationGracePeriodSeconds", .int64, default: 30, minimum: 0,
            doc: "Seconds the pod gets to end cleanly."),
        .field(
            "activeDeadlineSeconds", .int64, minimum: 1, maximum: Int64(Int32.max),
            doc: "Seconds after which the pod is ended."),
        .field("securityContext", SecuritySchemas.pod, default: [:], doc: "As whom the containers run."),
        .field(
            "imagePullSecrets", .list(of: VolumeSchemas.localReference, keys: ["name"]),
            doc: "Secrets with the credentials of image registries."),
        .field("serviceAccountName", .text(.dnsSubdomain), doc: "The identity of the pod towards the API server."),
        .field("serviceAccount", .string, doc: "The old name of serviceAccountName."),
        .field("automountServiceAccountToken", .bool, doc: "Whether the identity's token is mounted."),
        .field("enableServiceLinks", .bool, doc: "Whether Services appear as environment variables."),
        .field("hostname", .text(.dnsLabel), doc: "The host name; the pod's name if absent."),
        .field("subdomain", .text(.dnsLabel), doc: "The domain under the namespace in which the host name is known."),
        .field("setHostnameAsFQDN", .bool, doc: "Whether the host name is the full one."),
        .field("hostAliases", .list(of: hostAlias, keys: ["ip"]), doc: "Lines of /etc/hosts."),
        .field("dnsConfig", dnsConfig, doc: "How names are looked up."),
        .field("hostNetwork", .bool, doc: "Whether the pod uses the node's network."),
        .field("hostPID", .bool, doc: "Whether the pod sees the node's processes."),
        .field("hostIPC", .bool, doc: "Whether the pod shares memory with the node."),
        .field("hostUsers", .bool, doc: "Whether the pod uses the node's user ids."),
        .field("shareProcessNamespace", .bool, doc: "Whether containers see each other's processes."),
        .field(
            "os",
            .core(
                "PodOS", doc: "The operating system that the pod is for.",
                [.field("name", .string, required: true, oneOf: ["linux", "windows"], doc: "linux or windows.")]),
            doc: "The operating system that the pod is for."),
        .field("runtimeClassName", .text(.dnsSubdomain), doc: "The runtime that runs the pod."),
    ]

    private static let schedulingFields: [SchemaField] = [
        .field("nodeName", .text(.dnsSubdomain), doc: "The node; set by the scheduler."),
        .field("nodeSelector", nodeLabels, doc: "Labels that the node must have."),
        .field("affinity", AffinitySchemas.affinity, doc: "Where the pod may run, and where it would rather."),
        .field("tolerations", .list(of: AffinitySchemas.toleration), doc: "Taints that do not keep the pod away."),
        .field(
            "topologySpreadConstraints",
            .list(of: AffinitySchemas.spread, keys: ["topologyKey", "whenUnsatisfiable"]),
            doc: "How evenly pods are to be spread over areas."),
        .field("schedulerName", .string, default: "default-scheduler", doc: "The scheduler that places the pod."),
        .field(
            "schedulingGates", .list(of: schedulingGate, keys: ["name"], isUnique: true),
            doc: "What must be removed before the pod is scheduled."),
        .field("priorityClassName", .text(.dnsSubdomain), doc: "The class that gives the pod its priority."),
        .field("priority", .int32, doc: "Higher goes first; set by the server from the class."),
        .field(
            "preemptionPolicy", .string, oneOf: ["Never", "PreemptLowerPriority"],
            doc: "Whether pods of lower priority may be ended to make room."),
        .field("readinessGates", .list(of: readinessGate), doc: "Conditions that must hold before the pod is ready."),
        .field("overhead", .resourceAmounts, doc: "What the runtime itself needs."),
        .field(
            "resourceClaims",
            .list(of: resourceClaim, keys: ["name"], strategies: ["merge", "retainKeys"]), doc: "Claims for devices."),
        .field("resources", ResourceSchemas.requirements, doc: "What the whole pod needs and may use."),
    ]

    private static let nodeLabels = Schema.strings.checking { value, path, errors in
        MetadataRules.labels(value, at: path, into: &errors)
    }

    private static let anySpec = Schema.core(
        "PodSpec", doc: "What a pod is to run, and how.", containersFields + lifeFields + schedulingFields
    ).defaulting(PodRules.completeSpec)

    /// The spec in a template.
    static let spec = anySpec.judged(by: PodSpecRules.checkTemplate)

    /// The spec of a pod itself, which is judged with the pod's name and history in mind.
    static let ownSpec = anySpec.judged { _, _, _ in }

    static let template = Schema.core(
        "PodTemplateSpec", doc: "What pods are made from.",
        [
            .field(
                "metadata", MetadataSchemas.ofTemplate, default: [:], doc: "Labels and annotations that each pod gets."),
            .field("spec", spec, default: [:], doc: "What each pod is to run."),
        ]
    ).checking { value, path, errors in
        let metadata = path.child("metadata")
        MetadataRules.labels(value[["metadata", "labels"]], at: metadata.child("labels"), into: &errors)
        MetadataRules.annotations(value[["metadata", "annotations"]], at: metadata.child("annotations"), into: &errors)
        AppArmorAnnotations.check(value, path, &errors)
        if !JSONValue.isEmpty(value[["spec", "ephemeralContainers"]]) {
            errors.append(
                .forbidden(
                    path.child("spec", "ephemeralContainers"), "ephemeral containers not allowed in pod template"))
        }
    }
}

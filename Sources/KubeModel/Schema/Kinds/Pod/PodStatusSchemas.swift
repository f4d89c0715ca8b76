/// What the kubelet reports about a pod.
enum PodStatusSchemas {
    private static let state = Schema.core(
        "ContainerState", doc: "What a container is doing; at most one member is set.",
        [
            .field(
                "waiting",
                .core(
                    "ContainerStateWaiting", doc: "The container is not yet running.",
                    [
                        .field("message", .string, doc: "An explanation for people."),
                        .field("reason", .string, doc: "One word for why, for example ImagePullBackOff."),
                    ]), doc: "The container is not yet running."),
            .field(
                "running",
                .core(
                    "ContainerStateRunning", doc: "The container is running.",
                    [.field("startedAt", .time, doc: "Since when.")]), doc: "The container is running."),
            .field(
                "terminated",
                .core(
                    "ContainerStateTerminated", doc: "The container has ended.",
                    [
                        .field("containerID", .string, doc: "The container that ended."),
                        .field("exitCode", .int32, doc: "Its exit code."),
                        .field("finishedAt", .time, doc: "When it ended."),
                        .field("message", .string, doc: "Its last message."),
                        .field("reason", .string, doc: "One word for why, for example Completed or Error."),
                        .field("signal", .int32, doc: "The signal that ended it."),
                        .field("startedAt", .time, doc: "When it started."),
                    ]), doc: "The container has ended."),
        ])

    private static let user = Schema.core(
        "ContainerUser", doc: "As whom the first process runs.",
        [
            .field(
                "linux",
                .core(
                    "LinuxContainerUser", doc: "User and groups of the first process.",
                    [
                        .field("gid", .int64, doc: "Group id."),
                        .field("supplementalGroups", .list(of: .int64), doc: "Further groups."),
                        .field("uid", .int64, doc: "User id."),
                    ]), doc: "User and groups on Linux.")
        ])

    private static let mount = Schema.core(
        "VolumeMountStatus", doc: "How a volume is mounted.",
        [
            .field("mountPath", .string, doc: "Where it is seen."),
            .field("name", .string, doc: "The volume."),
            .field("readOnly", .bool, doc: "Whether it can only be read."),
            .field("recursiveReadOnly", .string, doc: "Whether mounts inside are read-only too."),
        ])

    private static let resource = Schema.core(
        "ResourceStatus", doc: "The health of devices.",
        [
            .field("name", .string, doc: "Name of the resource."),
            .field(
                "resources",
                .list(
                    of: .core(
                        "ResourceHealth", doc: "The health of one device.",
                        [
                            .field("health", .string, doc: "Healthy, Unhealthy or Unknown."),
                            .field("resourceID", .string, doc: "The device."),
                        ]), keys: ["resourceID"]), doc: "Its devices."),
        ])

    private static let container = Schema.core(
        "ContainerStatus", doc: "What a container is doing.",
        [
            .field("allocatedResources", .resourceAmounts, doc: "What the node has set aside."),
            .field("allocatedResourcesStatus", .list(of: resource, keys: ["name"]), doc: "The health of devices."),
            .field("containerID", .string, doc: "Id of the container in the runtime."),
            .field("image", .string, doc: "The image that runs."),
            .field("imageID", .string, doc: "Its digest."),
            .field("lastState", state, doc: "How the container ended before it was restarted."),
            .field("name", .string, doc: "The container."),
            .field("ready", .bool, doc: "Whether it can serve."),
            .field("resources", ResourceSchemas.requirements, doc: "The requests and limits in force."),
            .field("restartCount", .int32, doc: "How often it was restarted."),
            .field("started", .bool, doc: "Whether it has passed its startup probe and its start hook."),
            .field("state", state, doc: "What it is doing."),
            .field("user", user, doc: "As whom the first process runs."),
            .field("volumeMounts", .list(of: mount, keys: ["mountPath"]), doc: "How volumes are mounted."),
        ])

    private static let condition = MetadataSchemas.condition(
        "io.k8s.api.core.v1.PodCondition",
        [
            .field(
                "lastProbeTime", .time.with { $0.isNullable = true }, default: .null,
                doc: "When the condition was last looked at.")
        ])

    private static func address(_ name: String, _ doc: String) -> Schema {
        .core(name, doc: doc, [.field("ip", .string, doc: "The address.")])
    }

    static let status = Schema.core(
        "PodStatus", doc: "What the pod has reached.",
        [
            .field(
                "conditions", .list(of: condition, keys: ["type"]),
                doc: "PodScheduled, Initialized, ContainersReady, Ready."),
            .field("containerStatuses", .list(of: container), doc: "What the containers are doing."),
            .field("ephemeralContainerStatuses", .list(of: container), doc: "What the ephemeral containers are doing."),
            .field("hostIP", .string, doc: "Address of the node."),
            .field(
                "hostIPs",
                .list(of: address("HostIP", "An address of the node.")).with {
                    $0.patchMergeKey = "ip"; $0.patchStrategies = ["merge"]
                },
                doc: "Addresses of the node."),
            .field("initContainerStatuses", .list(of: container), doc: "What the init containers are doing."),
            .field("message", .string, doc: "An explanation for people."),
            .field("nominatedNodeName", .string, doc: "The node on which room is being made."),
            .field("phase", .string, doc: "Pending, Running, Succeeded, Failed or Unknown."),
            .field("podIP", .string, doc: "Address of the pod."),
            .field(
                "podIPs", .list(of: address("PodIP", "An address of the pod."), keys: ["ip"]),
                doc: "Addresses of the pod."),
            .field(
                "qosClass", .string, doc: "Guaranteed, Burstable or BestEffort: who goes first when memory runs out."),
            .field("reason", .string, doc: "One word for why, for example Evicted."),
            .field("resize", .string, doc: "How far a change of resources has come."),
            .field(
                "resourceClaimStatuses",
                .list(
                    of: .core(
                        "PodResourceClaimStatus", doc: "The claim made for the pod.",
                        [
                            .field("name", .string, doc: "The pod's name for the claim."),
                            .field("resourceClaimName", .string, doc: "The ResourceClaim."),
                        ]), keys: ["name"], strategies: ["merge", "retainKeys"]), doc: "The claims made for the pod."),
            .field("startTime", .time, doc: "When the kubelet took the pod on."),
        ])
}

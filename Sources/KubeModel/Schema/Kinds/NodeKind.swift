private let taint = Schema.core(
    "Taint", doc: "Keeps pods away that do not tolerate it.",
    [
        .field("key", .text(.qualifiedName), required: true, doc: "Name of the taint."),
        .field("value", .text(.labelValue), doc: "Its value."),
        .field(
            "effect", .string, required: true, oneOf: ["NoSchedule", "PreferNoSchedule", "NoExecute"],
            doc: "Whether new pods are kept away, or running ones are sent away too."),
        .field("timeAdded", .time, doc: "When it was added."),
    ])

private let configSource = Schema.core(
    "NodeConfigSource", doc: "Not used any more.",
    [
        .field(
            "configMap",
            .core(
                "ConfigMapNodeConfigSource", doc: "Not used any more.",
                [
                    .field("kubeletConfigKey", .string, doc: "Not used any more."),
                    .field("name", .string, doc: "Not used any more."),
                    .field("namespace", .string, doc: "Not used any more."),
                    .field("resourceVersion", .string, doc: "Not used any more."),
                    .field("uid", .string, doc: "Not used any more."),
                ]), doc: "Not used any more.")
    ])

private let spec = Schema.core(
    "NodeSpec", doc: "What the node may be used for.",
    [
        .field("podCIDR", .string, doc: "The range of pod addresses."),
        .field("podCIDRs", .stringSet, doc: "The ranges of pod addresses."),
        .field("providerID", .string, doc: "The machine's id at its provider."),
        .field(
            "taints", .list(of: taint).judged { _, _, _ in }, doc: "What keeps pods away."),
        .field("unschedulable", .bool, doc: "Whether new pods stay away (cordon)."),
        .field("configSource", configSource, doc: "Not used any more."),
        .field("externalID", .string, doc: "Not used any more."),
    ]
).defaulting { spec in
    // The first of the ranges is also told alone.
    if let range = spec["podCIDR"], range != "", JSONValue.isEmpty(spec["podCIDRs"]) {
        spec["podCIDRs"] = [range]
    } else if let first = spec["podCIDRs"]?.array?.first, JSONValue.isEmpty(spec["podCIDR"]) {
        spec["podCIDR"] = first
    }
}

private let condition = MetadataSchemas.condition(
    "io.k8s.api.core.v1.NodeCondition", [.field("lastHeartbeatTime", .time, doc: "When the node last reported.")])

private let address = Schema.core(
    "NodeAddress", doc: "An address of the node.",
    [
        .field("address", .string, doc: "The address."),
        .field("type", .string, doc: "Hostname, InternalIP, ExternalIP, InternalDNS or ExternalDNS."),
    ])

private let systemInfo = Schema.core(
    "NodeSystemInfo", doc: "What the node is.",
    [
        .field("architecture", .string, doc: "The processor's architecture."),
        .field("bootID", .string, doc: "Changes with every start of the machine."),
        .field("containerRuntimeVersion", .string, doc: "What runs containers."),
        .field("kernelVersion", .string, doc: "The kernel."),
        .field("kubeProxyVersion", .string, doc: "Not used any more."),
        .field("kubeletVersion", .string, doc: "The kubelet."),
        .field("machineID", .string, doc: "The machine's id."),
        .field("operatingSystem", .string, doc: "linux or windows."),
        .field("osImage", .string, doc: "The distribution."),
        .field("systemUUID", .string, doc: "The machine's id in its firmware."),
    ])

private let image = Schema.core(
    "ContainerImage", doc: "An image on the node.",
    [
        .field("names", .stringList, doc: "Names of the image."),
        .field("sizeBytes", .int64, doc: "Its size."),
    ])

private let attachedVolume = Schema.core(
    "AttachedVolume", doc: "A volume that is attached to the node.",
    [
        .field("devicePath", .string, doc: "Its device."),
        .field("name", .string, doc: "Its name."),
    ])

private let daemonEndpoints = Schema.core(
    "NodeDaemonEndpoints", doc: "Ports of the node's own services.",
    [
        .field(
            "kubeletEndpoint",
            .core(
                "DaemonEndpoint", doc: "A port.", [.field("Port", .int32, doc: "The port.")]),
            doc: "The kubelet's port.")
    ])

private let runtimeHandler = Schema.core(
    "NodeRuntimeHandler", doc: "A way of running containers.",
    [
        .field(
            "features",
            .core(
                "NodeRuntimeHandlerFeatures", doc: "What it can do.",
                [
                    .field("recursiveReadOnlyMounts", .bool, doc: "Read-only mounts with everything inside."),
                    .field("userNamespaces", .bool, doc: "User namespaces."),
                ]), doc: "What it can do."),
        .field("name", .string, doc: "Its name."),
    ])

private let configStatus = Schema.core(
    "NodeConfigStatus", doc: "Not used any more.",
    [
        .field("active", configSource, doc: "Not used any more."),
        .field("assigned", configSource, doc: "Not used any more."),
        .field("error", .string, doc: "Not used any more."),
        .field("lastKnownGood", configSource, doc: "Not used any more."),
    ])

private let status = Schema.core(
    "NodeStatus", doc: "What the node is and how it fares.",
    [
        .field("addresses", .list(of: address, keys: ["type"]), doc: "Addresses of the node."),
        .field("allocatable", .resourceAmounts, doc: "What pods can have."),
        .field("capacity", .resourceAmounts, doc: "What the machine has."),
        .field(
            "conditions", .list(of: condition, keys: ["type"]),
            doc: "Ready, and pressures on memory, disk and processes."),
        .field("config", configStatus, doc: "Not used any more."),
        .field("daemonEndpoints", daemonEndpoints, doc: "Ports of the node's own services."),
        .field(
            "features",
            .core(
                "NodeFeatures", doc: "What the runtime can do.",
                [.field("supplementalGroupsPolicy", .bool, doc: "Policies for supplemental groups.")]),
            doc: "What the runtime can do."),
        .field("images", .list(of: image), doc: "Images on the node."),
        .field("nodeInfo", systemInfo, doc: "What the node is."),
        .field("phase", .string, doc: "Not used any more."),
        .field("runtimeHandlers", .list(of: runtimeHandler), doc: "Ways of running containers."),
        .field("volumesAttached", .list(of: attachedVolume), doc: "Volumes that are attached."),
        .field("volumesInUse", .stringList, doc: "Volumes that are mounted."),
    ])

extension KindSchema {
    /// A machine that runs pods.
    static let node = KindSchema(
        .nodes, shortNames: ["no"],
        root: MetadataSchemas.kind(
            "io.k8s.api.core.v1.Node", doc: "A machine that runs pods.",
            [
                .field("spec", spec, default: [:], doc: "What the node may be used for."),
                .field("status", status, doc: "What the node is and how it fares."),
            ]),
        subresources: ["proxy", "status"],
        columns: NodeColumns.all,
        selectableFields: ["spec.unschedulable"],
        behavior: KindBehavior {
            // A kubelet registers its node with the status already in it.
            $0.keepsStatusOfNewObjects = true
            $0.validate = NodeRules.check
            $0.validateUpdate = NodeRules.checkUpdate
        })
}

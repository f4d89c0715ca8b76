/// The columns of `kubectl get nodes`.
enum NodeColumns {
    static let all: [PrinterColumn] = [
        .name,
        .computed("Status", "Whether the node is ready for pods.") { node, _ in .string(status(node)) },
        .computed("Roles", "What the node is for.") { node, _ in .string(roles(node)) },
        .age,
        .value("Version", ["status", "nodeInfo", "kubeletVersion"], absent: "", "Version of the kubelet."),
        .wide("Internal-IP", "Address inside the cluster.") { node, _ in .string(address(node, "InternalIP")) },
        .wide("External-IP", "Address from outside.") { node, _ in .string(address(node, "ExternalIP")) },
        .value("OS-Image", ["status", "nodeInfo", "osImage"], absent: "<unknown>", priority: 1, "The distribution."),
        .value(
            "Kernel-Version", ["status", "nodeInfo", "kernelVersion"], absent: "<unknown>", priority: 1, "The kernel."),
        .value(
            "Container-Runtime", ["status", "nodeInfo", "containerRuntimeVersion"], absent: "<unknown>", priority: 1,
            "What runs containers."),
    ]

    private static func status(_ node: KubeObject) -> String {
        let conditions = node.value[["status", "conditions"]]?.array ?? []
        let ready = conditions.first { $0["type"] == "Ready" }
        var status = "Unknown"
        if let ready { status = ready["status"] == "True" ? "Ready" : "NotReady" }
        return node.value[["spec", "unschedulable"]] == true ? "\(status),SchedulingDisabled" : status
    }

    private static func roles(_ node: KubeObject) -> String {
        let prefix = "node-role.kubernetes.io/"
        var roles: Set<String> = []
        for (label, value) in node.labels {
            if label.hasPrefix(prefix) {
                roles.insert(String(label.dropFirst(prefix.count)))
            } else if label == "kubernetes.io/role" {
                roles.insert(value)
            }
        }
        roles.remove("")
        return roles.isEmpty ? "<none>" : roles.sorted().joined(separator: ",")
    }

    private static func address(_ node: KubeObject, _ type: JSONValue) -> String {
        let addresses = node.value[["status", "addresses"]]?.array ?? []
        return addresses.first { $0["type"] == type }?["address"]?.string ?? "<none>"
    }
}

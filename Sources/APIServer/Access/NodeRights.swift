import KubeModel

/// What the kubelet of a node may do (`Using Node Authorization`).
enum NodeRights {
    private static let rules = BootstrapPolicy.rules(ofClusterRole: "system:node") + extra

    /// What this kubelet does besides: it is not built from the same parts.
    private static let extra = [
        PolicyRule(verbs: ["patch", "update", "get"], apiGroups: [""], resources: ["pods/ephemeralcontainers"]),
        PolicyRule(
            verbs: ["get", "list", "watch"], apiGroups: [""],
            resources: ["persistentvolumeclaims", "persistentvolumes", "serviceaccounts", "namespaces"]),
        PolicyRule(
            verbs: ["create", "update", "patch"], apiGroups: ["events.k8s.io"], resources: ["events"]),
    ]

    /// Whether a node may do this, and why; nil when the user is no node.
    ///
    /// - Parameter pods: The pods of a namespace, asked for only where it matters whether one of the node's needs something.
    static func decide(_ user: UserInfo, _ info: RequestInfo, pods: (_ namespace: String) -> [Pod]) -> Decision? {
        guard user.groups.contains("system:nodes"), let node = name(of: user) else { return nil }
        let refusal = Decision(isAllowed: false)
        guard rules.contains(where: { $0.allows(info) }) else { return refusal }
        // A node writes about itself only.
        if info.apiGroup.isEmpty, info.resource == "nodes", ["update", "patch", "delete"].contains(info.verb) {
            guard info.name == node else { return refusal }
        }
        if !user.isOwnKubelet, info.apiGroup.isEmpty, let names = Self.names[info.resource] {
            guard !info.name.isEmpty else { return Decision(isAllowed: false, reason: "No Object name found") }
            let isNeeded = pods(info.namespace).contains { $0.nodeName == node && names($0).contains(info.name) }
            guard isNeeded else {
                return Decision(
                    isAllowed: false, reason: "no relationship found between node '\(node)' and this object")
            }
        }
        return Decision(isAllowed: true, reason: "node \(node)")
    }

    /// The node behind a user of the group `system:nodes`.
    static func name(of user: UserInfo) -> String? {
        let prefix = "system:node:"
        return user.name.hasPrefix(prefix) ? String(user.name.dropFirst(prefix.count)) : nil
    }

    // MARK: What pods need

    /// The objects that a pod needs, by their names, for each resource that a node reads for its pods only.
    private static let names: [String: @Sendable (Pod) -> Set<String>] = [
        "secrets": { pod in
            let pulls = (pod.spec["imagePullSecrets"]?.array ?? []).compactMap { $0["name"]?.string }
            return Set(pulls).union(sources(pod, "secret", "secretName", "secretKeyRef", "secretRef"))
        },
        "configmaps": { sources($0, "configMap", "name", "configMapKeyRef", "configMapRef") },
        "persistentvolumeclaims": { Set($0.claimNames) },
    ]

    /// What a pod's volumes and the environments of its containers come from.
    private static func sources(
        _ pod: Pod, _ volume: String, _ name: String, _ key: String, _ all: String
    ) -> Set<String> {
        var found: [JSONValue?] = []
        for part in pod.spec["volumes"]?.array ?? [] {
            found.append(part[[volume, name]])
            found += (part[["projected", "sources"]]?.array ?? []).map { $0[[volume, "name"]] }
        }
        for container in pod.initContainers + pod.containers + pod.ephemeralContainers {
            found += (container.value["env"]?.array ?? []).map { $0[["valueFrom", key, "name"]] }
            found += (container.value["envFrom"]?.array ?? []).map { $0[[all, "name"]] }
        }
        return Set(found.compactMap { $0?.string })
    }
}

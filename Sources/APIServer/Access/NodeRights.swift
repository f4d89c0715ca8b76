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

    /// Why a node may do this; nil when the user is no node or may not.
    static func reason(_ user: UserInfo, _ info: RequestInfo) -> String? {
        guard user.groups.contains("system:nodes"), let node = name(of: user) else { return nil }
        guard rules.contains(where: { $0.allows(info) }) else { return nil }
        // A node writes about itself only.
        if info.apiGroup.isEmpty, info.resource == "nodes", ["update", "patch", "delete"].contains(info.verb) {
            guard info.name == node else { return nil }
        }
        return "node \(node)"
    }

    /// The node behind a user of the group `system:nodes`.
    static func name(of user: UserInfo) -> String? {
        let prefix = "system:node:"
        return user.name.hasPrefix(prefix) ? String(user.name.dropFirst(prefix.count)) : nil
    }
}

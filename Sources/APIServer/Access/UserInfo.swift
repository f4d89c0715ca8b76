/// Who makes a request.
public struct UserInfo: Sendable, Hashable {
    public var name: String
    public var uid: String
    public var groups: [String]
    /// What the authenticator knows besides, for example the pod behind a token.
    public var extra: [String: [String]]
    /// The kubelet of this process, which asks for nothing but what its pods need.
    var isOwnKubelet = false

    public init(name: String, uid: String = "", groups: [String] = [], extra: [String: [String]] = [:]) {
        self.name = name
        self.uid = uid
        self.groups = groups
        self.extra = extra
    }

    public static let anonymous = UserInfo(name: "system:anonymous", groups: ["system:unauthenticated"])

    /// Whoever is in it may do everything.
    static let masters = "system:masters"
    static let authenticated = "system:authenticated"
    static let unauthenticated = "system:unauthenticated"

    /// Whether no rule is asked for this user.
    var isPrivileged: Bool { groups.contains(Self.masters) }

    /// The user that a service account is.
    static func serviceAccount(_ name: String, namespace: String, uid: String = "", extra: [String: [String]] = [:])
        -> UserInfo
    {
        UserInfo(
            name: "system:serviceaccount:\(namespace):\(name)", uid: uid,
            groups: ["system:serviceaccounts", "system:serviceaccounts:\(namespace)", authenticated], extra: extra)
    }

    /// The groups that a part of the cluster belongs to, by its user's name.
    ///
    /// The scheduler and the nodes have the rights that Kubernetes gives them. The controllers and the network are one
    /// client each where Kubernetes has many with a role of their own, so they may do everything, as the checkers may.
    static func component(_ name: String) -> UserInfo {
        if name.hasPrefix("system:node:") {
            var user = UserInfo(name: name, groups: ["system:nodes", authenticated])
            user.isOwnKubelet = true
            return user
        }
        if name.hasPrefix("system:serviceaccount:") {
            let parts = name.split(separator: ":").map(String.init)
            if parts.count == 4 { return serviceAccount(parts[3], namespace: parts[2]) }
        }
        if name == "system:kube-scheduler" { return UserInfo(name: name, groups: [authenticated]) }
        return UserInfo(name: name, groups: [masters, authenticated])
    }
}

import KubeModel

/// Whom a user wants to be for one request (`kubectl --as`), as its headers say.
struct Impersonation: Sendable, Hashable {
    var name = ""
    var uid = ""
    var groups: [String] = []
    var extra: [String: [String]] = [:]

    /// Reads the headers; nil when there is none of this sort.
    init?(headers: some Sequence<(name: String, value: String)>) {
        var isWanted = false
        for (name, value) in headers {
            guard name.count > 12, name.prefix(12).lowercased() == "impersonate-" else { continue }
            let what = name.dropFirst(12).lowercased()
            switch what {
            case "user": self.name = value
            case "uid": uid = value
            case "group": groups.append(value)
            case _ where what.hasPrefix("extra-"):
                extra[PercentCoding.decode(String(what.dropFirst(6))), default: []].append(value)
            default: continue
            }
            isWanted = true
        }
        guard isWanted else { return nil }
    }

    /// The user to go on as, after each part of it has been allowed to the real one by the verb `impersonate`.
    func user(insteadOf real: UserInfo, _ authorizer: any Authorizer) throws(Status) -> UserInfo {
        guard !name.isEmpty else {
            throw .internalError(
                "requested [\(parts)] without impersonating a user name")
        }
        let account = Self.serviceAccount(name)
        if let account {
            try check(real, authorizer, group: "", "serviceaccounts", namespace: account.namespace, account.name)
        } else {
            try check(real, authorizer, group: "", "users", name)
        }
        for group in groups { try check(real, authorizer, group: "", "groups", group) }
        for (key, values) in extra.sorted(by: { $0.key < $1.key }) {
            for value in values {
                try check(
                    real, authorizer, group: "authentication.k8s.io", "userextras", subresource: key, value)
            }
        }
        if !uid.isEmpty { try check(real, authorizer, group: "authentication.k8s.io", "uids", uid) }
        return finished(account)
    }

    private var parts: String {
        var parts: [String] = []
        for group in groups { parts.append("{Group    \(group)  authentication.k8s.io/v1  }") }
        if !uid.isEmpty { parts.append("{UID    \(uid)  authentication.k8s.io/v1  }") }
        return parts.joined(separator: " ")
    }

    private func finished(_ account: (namespace: String, name: String)?) -> UserInfo {
        var user = UserInfo(name: name, uid: uid, groups: groups, extra: extra)
        if let account, groups.isEmpty {
            user.groups = UserInfo.serviceAccount(account.name, namespace: account.namespace).groups
        }
        if name == UserInfo.anonymous.name {
            if !user.groups.contains(UserInfo.unauthenticated) { user.groups.append(UserInfo.unauthenticated) }
        } else if !user.groups.contains(UserInfo.authenticated), !user.groups.contains(UserInfo.unauthenticated) {
            user.groups.append(UserInfo.authenticated)
        }
        return user
    }

    private func check(
        _ real: UserInfo, _ authorizer: any Authorizer, group: String, _ resource: String, subresource: String = "",
        namespace: String = "", _ name: String
    ) throws(Status) {
        _ = try authorizer.check(
            real,
            RequestInfo(
                verb: "impersonate", group: group, version: "v1", resource: resource, subresource: subresource,
                namespace: namespace, name: name))
    }

    /// The parts of `system:serviceaccount:NAMESPACE:NAME`.
    static func serviceAccount(_ user: String) -> (namespace: String, name: String)? {
        let parts = user.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, parts[0] == "system", parts[1] == "serviceaccount" else { return nil }
        guard NameSyntax.dnsLabel(parts[2]).isEmpty, NameSyntax.dnsSubdomain(parts[3]).isEmpty else { return nil }
        return (parts[2], parts[3])
    }
}

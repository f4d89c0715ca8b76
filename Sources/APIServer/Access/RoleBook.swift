import KubeModel

/// All roles and bindings of the cluster, and what they make of a user.
struct RoleBook: Sendable {
    /// A rule that a user has, with the binding that gives it.
    struct Grant: Sendable {
        let rule: PolicyRule
        /// For example `ClusterRoleBinding "a" of ClusterRole "b" to User "c"`.
        let source: String
    }

    /// What a user may do in one namespace, or everywhere; with the roles that bindings name and nobody has.
    struct Grants: Sendable {
        var grants: [Grant] = []
        var errors: [String] = []

        var rules: [PolicyRule] { grants.map(\.rule) }
    }

    private var clusterRoles: [String: [PolicyRule]] = [:]
    private var roles: [ObjectKey: [PolicyRule]] = [:]
    private var clusterBindings: [String: RoleBinding] = [:]
    private var bindings: [String: [String: RoleBinding]] = [:]

    static let resources = [
        ResourceType.clusterRoles, .roles, .clusterRoleBindings, .roleBindings,
    ].map(\.qualifiedPlural)

    /// Takes note of an object of one of the four kinds; `isGone` for one that has been deleted.
    mutating func note(_ object: KubeObject, of resource: String, isGone: Bool = false) {
        let name = object.name
        let namespace = object.namespace ?? ""
        switch resource {
        case ResourceType.clusterRoles.qualifiedPlural:
            clusterRoles[name] = isGone ? nil : PolicyRule.rules(of: object)
        case ResourceType.roles.qualifiedPlural:
            roles[ObjectKey(object)] = isGone ? nil : PolicyRule.rules(of: object)
        case ResourceType.clusterRoleBindings.qualifiedPlural:
            clusterBindings[name] = isGone ? nil : RoleBinding(object)
        case ResourceType.roleBindings.qualifiedPlural:
            bindings[namespace, default: [:]][name] = isGone ? nil : RoleBinding(object)
        default: break
        }
    }

    /// The rules of the role that a binding names; nil if there is no such role.
    func rules(kind: String, name: String, namespace: String) -> [PolicyRule]? {
        kind == "ClusterRole" ? clusterRoles[name] : roles[ObjectKey(namespace: namespace, name: name)]
    }

    /// What ClusterRoleBindings give to a user.
    func clusterGrants(_ user: UserInfo) -> Grants {
        grants(of: clusterBindings, user, namespace: "")
    }

    /// What RoleBindings of a namespace give to a user.
    func grants(_ user: UserInfo, in namespace: String) -> Grants {
        grants(of: bindings[namespace] ?? [:], user, namespace: namespace)
    }

    private func grants(of bindings: [String: RoleBinding], _ user: UserInfo, namespace: String) -> Grants {
        var found = Grants()
        let concerned = bindings.values.compactMap { binding in
            binding.subjects.first { $0.includes(user, namespace: namespace) }.map { (binding, $0) }
        }
        for (binding, subject) in concerned.sorted(by: { $0.0.name < $1.0.name }) {
            guard let rules = rules(kind: binding.roleKind, name: binding.roleName, namespace: namespace) else {
                let resource = binding.roleKind == "ClusterRole" ? "clusterrole" : "role"
                found.errors.append(
                    "\(resource).rbac.authorization.k8s.io \(GoText.quote(binding.roleName)) not found")
                continue
            }
            let source = binding.describe(subject, namespace: namespace)
            found.grants += rules.map { Grant(rule: $0, source: source) }
        }
        return found
    }
}

/// A RoleBinding or ClusterRoleBinding, as far as it says who gets what.
struct RoleBinding: Sendable {
    let name: String
    let roleKind: String
    let roleName: String
    let subjects: [Subject]

    init(_ object: KubeObject) {
        name = object.name
        roleKind = object.value[["roleRef", "kind"]]?.string ?? ""
        roleName = object.value[["roleRef", "name"]]?.string ?? ""
        subjects = (object.value["subjects"]?.array ?? []).map(Subject.init)
    }

    func describe(_ subject: Subject, namespace: String) -> String {
        let kind = namespace.isEmpty ? "ClusterRoleBinding" : "RoleBinding"
        let shown = namespace.isEmpty ? name : "\(name)/\(namespace)"
        return "\(kind) \(GoText.quote(shown)) of \(roleKind) \(GoText.quote(roleName)) to \(subject.text(namespace))"
    }

    struct Subject: Sendable {
        let kind: String
        let name: String
        let namespace: String
        /// The user name of a service account.
        private let account: String

        init(_ value: JSONValue) {
            kind = value["kind"]?.string ?? ""
            name = value["name"]?.string ?? ""
            namespace = value["namespace"]?.string ?? ""
            account = namespace.isEmpty ? "" : "system:serviceaccount:\(namespace):\(name)"
        }

        func includes(_ user: UserInfo, namespace bindingNamespace: String) -> Bool {
            switch kind {
            case "User": return user.name == name
            case "Group": return user.groups.contains(name)
            case "ServiceAccount":
                if !account.isEmpty { return user.name == account }
                return !bindingNamespace.isEmpty && user.name == "system:serviceaccount:\(bindingNamespace):\(name)"
            default: return false
            }
        }

        func text(_ bindingNamespace: String) -> String {
            guard kind == "ServiceAccount" else { return "\(kind) \(GoText.quote(name))" }
            return "ServiceAccount \(GoText.quote("\(name)/\(namespace.isEmpty ? bindingNamespace : namespace)"))"
        }
    }
}

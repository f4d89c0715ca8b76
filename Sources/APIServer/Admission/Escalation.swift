import KubeModel

/// Nobody gives away rights that they do not have (`Using RBAC Authorization`, "Privilege escalation prevention").
struct Escalation {
    let authorizer: RoleAuthorizer
    let request: AdmissionRequest

    func check(_ object: KubeObject) throws(Status) {
        guard let user = request.caller, !user.isPrivileged, request.subresource == nil else { return }
        switch request.resource {
        case .roles, .clusterRoles: try checkRole(object, user)
        default: try checkBinding(object, user)
        }
    }

    private func checkRole(_ role: KubeObject, _ user: UserInfo) throws(Status) {
        let isAggregated = role.value["aggregationRule"] != nil || request.old?.value["aggregationRule"] != nil
        if let old = request.old, old.value["rules"] == role.value["rules"],
            old.value["aggregationRule"] == role.value["aggregationRule"]
        {
            return
        }
        guard !may(user, "escalate", request.resource.plural, role.namespace, role.name) else { return }
        if isAggregated, !missing(PolicyRule.all, user, role.namespace).isEmpty {
            throw request.forbidden(role, "must have cluster-admin privileges to use an aggregationRule")
        }
        try checkHeld(PolicyRule.rules(of: role), role, user)
    }

    private func checkBinding(_ binding: KubeObject, _ user: UserInfo) throws(Status) {
        if let old = request.old, old.value["roleRef"] == binding.value["roleRef"],
            old.value["subjects"] == binding.value["subjects"]
        {
            return
        }
        let kind = binding.value[["roleRef", "kind"]]?.string ?? ""
        let name = binding.value[["roleRef", "name"]]?.string ?? ""
        let resource: ResourceType = kind == "ClusterRole" ? .clusterRoles : .roles
        guard !may(user, "bind", resource.plural, binding.namespace, name) else { return }
        guard let rules = authorizer.rules(kind: kind, name: name, namespace: binding.namespace ?? "") else {
            throw .notFound(resource, name)
        }
        try checkHeld(rules, binding, user)
    }

    private func may(_ user: UserInfo, _ verb: String, _ resource: String, _ namespace: String?, _ name: String) -> Bool
    {
        authorizer.decide(
            user,
            RequestInfo(
                verb: verb, group: ResourceType.roles.group, version: "*", resource: resource,
                namespace: namespace ?? "", name: name)
        ).isAllowed
    }

    private func missing(_ rules: [PolicyRule], _ user: UserInfo, _ namespace: String?) -> [PolicyRule] {
        PolicyRule.missing(rules, from: authorizer.rules(user, namespace: namespace ?? "").rules)
    }

    private func checkHeld(_ rules: [PolicyRule], _ object: KubeObject, _ user: UserInfo) throws(Status) {
        let missing = missing(rules, user, object.namespace)
        guard !missing.isEmpty else { return }
        let errors = authorizer.rules(user, namespace: object.namespace ?? "").errors
        let list = Set(missing.map(\.text)).sorted().joined(separator: "\n")
        throw request.forbidden(
            object,
            "user \(GoText.quote(user.name)) (groups=\(GoText.list(user.groups))) is attempting to grant RBAC "
                + "permissions not currently held:\n\(list)"
                + (errors.isEmpty ? "" : "; resolution errors: [\(errors.joined(separator: " "))]"))
    }
}

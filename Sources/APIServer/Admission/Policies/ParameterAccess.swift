import KubeModel

/// Nobody puts a policy into force with parameters that they may not read themselves.
///
/// Source: Kubernetes, `pkg/registry/admissionregistration`, `authz.go` of policies and of their bindings.
struct ParameterAccess {
    let authorizer: RoleAuthorizer
    let catalog: KindCatalog
    let facts: AdmissionFacts
    let request: AdmissionRequest

    func check(_ object: KubeObject) throws(Status) {
        guard let user = request.caller, !user.isPrivileged, request.subresource == nil else { return }
        let error = request.resource == .validatingAdmissionPolicies ? policy(object, user) : binding(object, user)
        if let error { throw .invalid(request.resource, name: object.name, [error]) }
    }

    /// A policy may be bound to any object of the kind of its parameters.
    private func policy(_ policy: KubeObject, _ user: UserInfo) -> FieldError? {
        let path = ["spec", "paramKind"]
        guard let kind = policy.value[path], !kind.isNull, request.old?.value[path] != kind else { return nil }
        guard !may(user, "get", question(kind), namespace: "*", name: "*") else { return nil }
        return .forbidden(
            FieldPath("spec", "paramKind"),
            "user \(user.goText) must have \"get\" permission on all objects of the referenced paramKind "
                + "(kind=\(kind["kind"]?.string ?? ""), apiVersion=\(kind["apiVersion"]?.string ?? ""))")
    }

    private func binding(_ binding: KubeObject, _ user: UserInfo) -> FieldError? {
        let (path, policyPath) = (["spec", "paramRef"], ["spec", "policyName"])
        guard let reference = binding.value[path], !reference.isNull else { return nil }
        if let old = request.old?.value, old[path] == reference, old[policyPath] == binding.value[policyPath] {
            return nil
        }
        func text(_ member: String) -> String { reference[member]?.string ?? "" }
        let verb = text("name").isEmpty ? "list" : "get"
        let policyName = binding.value[policyPath]?.string ?? ""
        let policy = facts.object(.validatingAdmissionPolicies, policyName)
        let kind = policy?.value[["spec", "paramKind"]]
        guard !may(user, verb, question(kind), namespace: text("namespace"), name: text("name")) else { return nil }
        guard policy != nil else {
            return .forbidden(
                FieldPath("spec", "paramRef"),
                "unable to get policy \(policyName) to determine minimum required permissions and user "
                    + "\(user.goText) does not have \"\(verb)\" permission for all groups, versions and resources")
        }
        return .forbidden(
            FieldPath("spec", "paramRef"),
            "user \(user.goText) does not have \"\(verb)\" permission on the object referenced by paramRef")
    }

    /// The group and the plural of a `paramKind`; stars for what cannot be told.
    private func question(_ paramKind: JSONValue?) -> (group: String, resource: String) {
        guard let paramKind, let version = paramKind["apiVersion"]?.string else { return ("*", "*") }
        let group = version.split(separator: "/").count == 2 ? String(version.prefix { $0 != "/" }) : ""
        let kind = catalog.kind(apiVersion: version, kind: paramKind["kind"]?.string ?? "")
        return (group, kind?.resource.plural ?? "*")
    }

    private func may(
        _ user: UserInfo, _ verb: String, _ what: (group: String, resource: String), namespace: String, name: String
    ) -> Bool {
        authorizer.decide(
            user,
            RequestInfo(
                verb: verb, group: what.group, version: "*", resource: what.resource, namespace: namespace, name: name)
        ).isAllowed
    }
}

extension UserInfo {
    /// The user as Go's `%v` shows one.
    fileprivate var goText: String {
        let more = extra.sorted { $0.key < $1.key }.map { "\($0.key):[\($0.value.joined(separator: " "))]" }
        return "&{\(name) \(uid) [\(groups.joined(separator: " "))] map[\(more.joined(separator: " "))]}"
    }
}

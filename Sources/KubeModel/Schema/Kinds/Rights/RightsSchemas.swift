/// What roles allow, and to whom.
enum RightsSchemas {
    static let group = "rbac.authorization.k8s.io"

    static func rights(_ name: String, doc: String, _ fields: [SchemaField]) -> Schema {
        .object("io.k8s.api.rbac.v1.\(name)", doc: doc, fields)
    }

    private static let ruleFields: [SchemaField] = [
        .field(
            "apiGroups", .stringList, doc: "API groups; \"\" is the core group, * stands for all of them."),
        .field(
            "nonResourceURLs", .stringList,
            doc: "Paths that are no objects, for example /healthz; only in a ClusterRole, and not with resources."),
        .field(
            "resourceNames", .stringList, doc: "Names of the objects; all objects if empty."),
        .field("resources", .stringList, doc: "Plural names, for example pods or pods/log; * stands for all of them."),
        .field(
            "verbs", .stringList, required: true, doc: "What may be done, for example get or create; * is everything."),
    ]

    private static func rule(isNamespaced: Bool) -> Schema {
        rights("PolicyRule", doc: "Something that may be done.", ruleFields).judged { value, path, errors in
            checkRule(value, path, isNamespaced: isNamespaced, &errors)
        }
    }

    private static func checkRule(
        _ rule: JSONValue, _ path: FieldPath, isNamespaced: Bool, _ errors: inout [FieldError]
    ) {
        func isEmpty(_ member: String) -> Bool { JSONValue.isEmpty(rule[member]) }
        if isEmpty("verbs") {
            errors.append(.required(path.child("verbs"), "verbs must contain at least one value"))
        }
        guard isEmpty("nonResourceURLs") else {
            let place = path.child("nonResourceURLs")
            let paths = rule["nonResourceURLs"]
            if isNamespaced {
                errors.append(.invalid(place, paths, "namespaced rules cannot apply to non-resource URLs"))
            }
            if !isEmpty("apiGroups") || !isEmpty("resources") || !isEmpty("resourceNames") {
                errors.append(
                    .invalid(place, paths, "rules cannot apply to both regular resources and non-resource URLs"))
            }
            return
        }
        if isEmpty("apiGroups") {
            errors.append(.required(path.child("apiGroups"), "resource rules must supply at least one api group"))
        }
        if isEmpty("resources") {
            errors.append(.required(path.child("resources"), "resource rules must supply at least one resource"))
        }
    }

    static func rules(isNamespaced: Bool) -> SchemaField {
        .field(
            "rules", .list(of: rule(isNamespaced: isNamespaced)).with { $0.isNullable = true }, default: .null,
            doc: "What may be done; nothing else may.")
    }

    static let aggregation = rights(
        "AggregationRule", doc: "Makes a role the sum of others.",
        [
            .field(
                "clusterRoleSelectors", .list(of: LabelSelectorSchema.selector), required: true,
                requiredDetail: "at least one clusterRoleSelector required if aggregationRule is non-nil",
                doc: "The other roles, by their labels; a role that one of them selects counts.")
        ])

    // MARK: Bindings

    static let subject = rights(
        "Subject", doc: "Somebody: a user, a group of users, or a service account.",
        [
            .field(
                "apiGroup", .string,
                doc: "rbac.authorization.k8s.io for users and groups, empty for service accounts; filled in."),
            .field("kind", .string, required: true, doc: "User, Group or ServiceAccount."),
            .field("name", .string, required: true, doc: "The name."),
            .field("namespace", .string, doc: "Namespace of the service account; only for ServiceAccount."),
        ]
    ).judged { _, _, _ in
        // What is right depends on whether the binding is one of a namespace: `checkBinding` looks at subjects.
    }.defaulting { subject in
        guard JSONValue.isEmpty(subject["apiGroup"]) else { return }
        if subject["kind"] == "User" || subject["kind"] == "Group" { subject["apiGroup"] = .string(group) }
    }

    static func checkSubject(
        _ subject: JSONValue, _ path: FieldPath, isNamespaced: Bool, _ errors: inout [FieldError]
    ) {
        let name = subject["name"]?.string ?? ""
        let apiGroup = subject["apiGroup"]?.string ?? ""
        let kind = subject["kind"]?.string ?? ""
        if name.isEmpty { errors.append(.required(path.child("name"))) }
        switch kind {
        case "ServiceAccount":
            for complaint in name.isEmpty ? [] : NameSyntax.dnsSubdomain(name) {
                errors.append(.invalid(path.child("name"), .string(name), complaint))
            }
            if !apiGroup.isEmpty {
                errors.append(.notSupported(path.child("apiGroup"), .string(apiGroup), [""]))
            }
            if !isNamespaced, JSONValue.isEmpty(subject["namespace"]) {
                errors.append(.required(path.child("namespace")))
            }
        case "User", "Group":
            if name.isEmpty {
                errors.append(.invalid(path.child("name"), "", "\(kind.lowercased()) name cannot be empty"))
            }
            if apiGroup != group {
                errors.append(.notSupported(path.child("apiGroup"), .string(apiGroup), [group]))
            }
        default:
            errors.append(
                .notSupported(path.child("kind"), .string(kind), ["ServiceAccount", "User", "Group"]))
        }
    }

    static let roleReference = rights(
        "RoleRef", doc: "Names the role that is given.",
        [
            .field("apiGroup", .string, default: .string(group), required: true, doc: "rbac.authorization.k8s.io."),
            .field("kind", .string, required: true, doc: "Role or ClusterRole."),
            .field("name", .string, required: true, doc: "Name of the role."),
        ]
    ).judged { _, _, _ in
        // Which kinds are right depends on the binding: `checkBinding` looks at the role.
    }.patching("replace")

    /// Checks a binding and the change of one; the role of a binding is for ever.
    static func checkBinding(_ binding: JSONValue, kinds: [String], isNamespaced: Bool, _ errors: inout [FieldError]) {
        let role = binding["roleRef"]
        let path = FieldPath("roleRef")
        if role?["apiGroup"]?.string != group {
            errors.append(.notSupported(path.child("apiGroup"), role?["apiGroup"] ?? "", [group]))
        }
        if !kinds.contains(role?["kind"]?.string ?? "") {
            errors.append(.notSupported(path.child("kind"), role?["kind"] ?? "", kinds))
        }
        let name = role?["name"]?.string ?? ""
        if name.isEmpty { errors.append(.required(path.child("name"))) }
        for complaint in NameSyntax.pathSegment(name) {
            errors.append(.invalid(path.child("name"), .string(name), complaint))
        }
        for (index, subject) in (binding["subjects"]?.array ?? []).enumerated() {
            checkSubject(subject, FieldPath("subjects")[index], isNamespaced: isNamespaced, &errors)
        }
    }

    @Sendable
    static func checkBindingUpdate(
        _ binding: KubeObject, _ old: KubeObject, _ subresource: String?, _ errors: inout [FieldError]
    ) {
        let members = ["apiGroup", "kind", "name"]
        func texts(_ object: KubeObject) -> [String] { members.map { object.value[["roleRef", $0]]?.string ?? "" } }
        let role = texts(binding)
        guard role != texts(old) else { return }
        let shown = zip(["APIGroup", "Kind", "Name"], role).map { "\($0):\(GoText.quote($1))" }
        errors.append(
            FieldError(
                .invalid, FieldPath("roleRef"), shownValue: "rbac.RoleRef{\(shown.joined(separator: ", "))}",
                "cannot change roleRef"))
    }
}

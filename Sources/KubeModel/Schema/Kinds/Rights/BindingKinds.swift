private func binding(
    _ resource: ResourceType, doc: String, roleKinds: [String]
) -> KindSchema {
    KindSchema(
        resource,
        root: MetadataSchemas.kind(
            "io.k8s.api.rbac.v1.\(resource.kind)", doc: doc,
            [
                .field(
                    "roleRef", RightsSchemas.roleReference, default: [:], required: true,
                    doc: "The role that is given; it cannot be changed later."),
                .field("subjects", .list(of: RightsSchemas.subject), doc: "To whom the role is given."),
            ]),
        columns: [
            .name,
            .computed("Role", "The role that is given.") { binding, _ in
                let role = binding.value["roleRef"]
                return .string("\(role?["kind"]?.string ?? "")/\(role?["name"]?.string ?? "")")
            },
            .age,
            .wide("Users", "Users who have the role.") { binding, _ in .string(subjects(binding, "User")) },
            .wide("Groups", "Groups that have the role.") { binding, _ in .string(subjects(binding, "Group")) },
            .wide("ServiceAccounts", "Service accounts that have the role.") { binding, _ in
                .string(subjects(binding, "ServiceAccount"))
            },
        ],
        behavior: KindBehavior {
            $0.nameSyntax = NameSyntax.pathSegment
            $0.validate = { object, errors in
                RightsSchemas.checkBinding(
                    object.value, kinds: roleKinds, isNamespaced: resource.isNamespaced, &errors)
            }
            $0.validateUpdate = RightsSchemas.checkBindingUpdate
        })
}

private func subjects(_ binding: KubeObject, _ kind: String) -> String {
    let subjects = (binding.value["subjects"]?.array ?? []).filter { $0["kind"]?.string == kind }
    return subjects.map { subject in
        let name = subject["name"]?.string ?? ""
        return kind == "ServiceAccount" ? "\(subject["namespace"]?.string ?? "")/\(name)" : name
    }.joined(separator: ", ")
}

extension KindSchema {
    /// Gives a role to somebody in one namespace.
    static let roleBinding = binding(
        .roleBindings, doc: "Gives a role to somebody in one namespace.", roleKinds: ["Role", "ClusterRole"])

    /// Gives a role to somebody everywhere.
    static let clusterRoleBinding = binding(
        .clusterRoleBindings, doc: "Gives a role to somebody everywhere.", roleKinds: ["ClusterRole"])
}

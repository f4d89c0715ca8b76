/// The controller behind a class of Ingresses.
enum IngressClassSchemas {
    private static let parameters = Schema.object(
        "io.k8s.api.networking.v1.IngressClassParametersReference",
        doc: "Names the object with the settings of a controller.",
        [
            .field("apiGroup", .string, doc: "API group of the object; absent for the core group."),
            .field("kind", .string, required: true, doc: "Kind of the object."),
            .field("name", .string, required: true, doc: "Name of the object."),
            .field(
                "namespace", .string, doc: "Namespace of the object; needed for scope Namespace, and only for it."),
            .field(
                "scope", .string, default: "Cluster", doc: "Cluster for an object of the cluster, or Namespace."),
        ]
    ).judged { value, path, errors in
        IngressRules.checkReference(value, path, &errors)
        let scope = value["scope"]?.string ?? ""
        let namespace = value["namespace"]?.string
        switch (scope, namespace) {
        case ("Namespace", nil):
            errors.append(.required(path.child("namespace"), "`parameters.scope` is set to 'Namespace'"))
        case ("Namespace", let namespace?):
            for complaint in NameSyntax.dnsLabel(namespace) {
                errors.append(.invalid(path.child("namespace"), .string(namespace), complaint))
            }
        case ("Cluster", nil): break
        case ("Cluster", _?):
            errors.append(.forbidden(path.child("namespace"), "`parameters.scope` is set to 'Cluster'"))
        default: errors.append(.notSupported(path.child("scope"), .string(scope), ["Cluster", "Namespace"]))
        }
    }

    /// The controller's name: a domain, a slash, and what RFC 3986 allows in a path.
    private static let controller = Schema.string.checking { value, path, errors in
        guard let text = value.string, !text.isEmpty else { return }
        if text.utf8.count > 250 { errors.append(.tooLong(path, bytesMax: 250)) }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
            return errors.append(
                .invalid(path, value, "must be a domain-prefixed path (such as \"acme.io/foo\")"))
        }
        for complaint in NameSyntax.dnsSubdomain(parts[0]) {
            errors.append(.invalid(path, .string(parts[0]), complaint))
        }
        if !NameSyntax.isURLPath(parts[1]) {
            errors.append(
                .invalid(
                    path, .string(parts[1]),
                    "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')"))
        }
    }

    static let spec = Schema.object(
        "io.k8s.api.networking.v1.IngressClassSpec", doc: "The controller of the class and its settings.",
        [
            .field(
                "controller", controller, required: true, immutable: true,
                doc: "The controller, for example example.com/ingress."),
            .field("parameters", parameters, doc: "The object with the controller's settings."),
        ])
}

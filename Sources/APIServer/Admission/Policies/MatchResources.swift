import KubeModel

/// Which requests a policy or a binding is about (`MatchResources`).
struct MatchResources: Sendable {
    private let rules: [NamedRule]
    private let excluded: [NamedRule]
    private let namespaces: LabelSelector
    private let objects: LabelSelector
    private let matchesEquivalents: Bool

    /// A rule, and the names of the objects that it is about; all when there are none.
    private struct NamedRule: Sendable {
        let rule: WebhookRule
        let names: Set<String>

        init(_ value: JSONValue) {
            rule = WebhookRule(value)
            names = Set((value["resourceNames"]?.array ?? []).compactMap(\.string))
        }

        func matches(_ wanted: RequestedResource, name: String) -> Bool {
            rule.matches(wanted) && (names.isEmpty || names.contains(name))
        }
    }

    init(_ value: JSONValue?) {
        rules = (value?["resourceRules"]?.array ?? []).map(NamedRule.init)
        excluded = (value?["excludeResourceRules"]?.array ?? []).map(NamedRule.init)
        namespaces = LabelSelector(value?["namespaceSelector"])
        objects = LabelSelector(value?["objectSelector"])
        matchesEquivalents = value?["matchPolicy"]?.string != "Exact"
    }

    /// The kind in whose version the request is meant; nil for requests that are not.
    func kind(of request: PolicyRequest) -> KindSchema? {
        guard selectsNamespace(of: request) else { return nil }
        if !objects.isEmpty,
            ![request.object, request.old].contains(where: { $0.map { objects.matches($0.labels) } ?? false })
        {
            return nil
        }
        if kind(by: excluded, request) != nil { return nil }
        return rules.isEmpty ? request.kind : kind(by: rules, request)
    }

    private func selectsNamespace(of request: PolicyRequest) -> Bool {
        if namespaces.isEmpty { return true }
        // A namespace that is being written is as it will be.
        if request.kind.resource == .namespaces {
            return (request.object ?? request.old).map { namespaces.matches($0.labels) } ?? false
        }
        guard !request.namespace.isEmpty else { return true }
        return request.namespaceObject.map { namespaces.matches($0.labels) } ?? false
    }

    private func kind(by rules: [NamedRule], _ request: PolicyRequest) -> KindSchema? {
        let asked = request.resource(as: request.kind)
        if rules.contains(where: { $0.matches(asked, name: request.name) }) { return request.kind }
        guard matchesEquivalents, !rules.isEmpty else { return nil }
        return request.equivalents.first { kind in
            let wanted = request.resource(as: kind)
            return rules.contains { $0.matches(wanted, name: request.name) }
        }
    }
}

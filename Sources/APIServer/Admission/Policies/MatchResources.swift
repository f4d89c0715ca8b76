import KubeModel

/// Which requests a policy, a binding or a webhook is about: `MatchResources`, and the same members of a webhook.
///
/// Source: apiserver, `admission/plugin/policy/matching` and `admission/plugin/webhook/predicates`.
struct MatchResources: Sendable {
    private let rules: [NamedRule]
    private let excluded: [NamedRule]
    /// Whether all resources are meant where no rule names any.
    private let meansAllWithoutRules: Bool
    private let namespaces: LabelSelector
    private let objects: LabelSelector
    /// Whether the rules count for the other versions of a resource as well (`matchPolicy: Equivalent`).
    private let matchesEquivalents: Bool

    /// A rule, and the names of the objects that it is about; all when there are none.
    private struct NamedRule: Sendable {
        let rule: ResourceRule
        let names: Set<String>

        init(_ value: JSONValue) {
            rule = ResourceRule(value)
            names = Set((value["resourceNames"]?.array ?? []).compactMap(\.string))
        }

        func matches(_ wanted: RequestedResource, name: String) -> Bool {
            rule.matches(wanted) && (names.isEmpty || names.contains(name))
        }
    }

    /// - Parameter value: A `MatchResources`; nil for one that says nothing.
    init(_ value: JSONValue?) {
        self.init(value, rules: value?["resourceRules"], meansAllWithoutRules: true)
    }

    /// - Parameter webhook: An element of `webhooks`, which is about nothing until a rule says so.
    init(webhook: JSONValue) {
        self.init(webhook, rules: webhook["rules"], meansAllWithoutRules: false)
    }

    private init(_ value: JSONValue?, rules: JSONValue?, meansAllWithoutRules: Bool) {
        self.rules = (rules?.array ?? []).map(NamedRule.init)
        excluded = (value?["excludeResourceRules"]?.array ?? []).map(NamedRule.init)
        self.meansAllWithoutRules = meansAllWithoutRules
        namespaces = LabelSelector(value?["namespaceSelector"])
        objects = LabelSelector(value?["objectSelector"])
        matchesEquivalents = value?["matchPolicy"]?.string != "Exact"
    }

    /// The kind in whose version the request is meant; nil for requests that are not.
    ///
    /// - Throws: That the namespace, whose labels would decide, is not there.
    func kind(of request: PolicyRequest) throws(Status) -> KindSchema? {
        guard selectsObject(of: request), kind(by: excluded, request) == nil else { return nil }
        let meant = rules.isEmpty && meansAllWithoutRules ? request.kind : kind(by: rules, request)
        // A namespace that is not there matters only to what would be asked.
        guard let meant, try selectsNamespace(of: request) else { return nil }
        return meant
    }

    private func selectsObject(of request: PolicyRequest) -> Bool {
        objects.isEmpty
            || [request.object, request.old].contains { $0.map { objects.matches($0.labels) } ?? false }
    }

    private func selectsNamespace(of request: PolicyRequest) throws(Status) -> Bool {
        if namespaces.isEmpty { return true }
        // A namespace that is being written is as it will be; one that is deleted, as it is.
        if let written = request.writtenNamespace { return namespaces.matches(written.labels) }
        if request.namespace.isEmpty { return true }
        guard let present = request.namespaceObject else { throw .notFound(.namespaces, request.namespace) }
        return namespaces.matches(present.labels)
    }

    private func kind(by rules: [NamedRule], _ request: PolicyRequest) -> KindSchema? {
        guard !rules.isEmpty else { return nil }
        let asked = request.resource(as: request.kind)
        if rules.contains(where: { $0.matches(asked, name: request.name) }) { return request.kind }
        guard matchesEquivalents else { return nil }
        let others = request.equivalents.map { (kind: $0, wanted: request.resource(as: $0)) }
        for rule in rules {
            if let other = others.first(where: { rule.matches($0.wanted, name: request.name) }) { return other.kind }
        }
        return nil
    }
}

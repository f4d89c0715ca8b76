import KubeModel

/// One webhook of a configuration, as code reads it.
struct Webhook: Sendable {
    enum Role: Sendable { case mutating, validating }

    /// Tells webhooks apart: the configuration's name and the place in it.
    struct ID: Sendable, Hashable {
        let configuration: String
        let index: Int
    }

    let id: ID
    let role: Role
    let name: String
    let client: WebhookClient
    let rules: [WebhookRule]
    /// Whether the rules count for the other versions of a resource as well (`matchPolicy: Equivalent`).
    let matchesEquivalents: Bool
    let namespaces: LabelSelector
    let objects: LabelSelector
    /// Nil when it has none.
    let conditions: MatchConditions?
    /// Whether a request goes on when the webhook fails (`failurePolicy: Ignore`).
    let ignoresFailures: Bool
    let timeoutSeconds: Int
    /// Whether it may be asked about a request that changes nothing.
    let allowsDryRun: Bool
    /// Whether it is asked again when others changed the object after it (`reinvocationPolicy: IfNeeded`).
    let isReinvoked: Bool
    /// The version of `AdmissionReview` to speak: the first of its list that is known here.
    let reviewVersion: String

    init(_ value: JSONValue, id: ID, role: Role) {
        self.id = id
        self.role = role
        name = value["name"]?.string ?? ""
        client = WebhookClient(value["clientConfig"] ?? [:])
        rules = (value["rules"]?.array ?? []).map(WebhookRule.init)
        matchesEquivalents = value["matchPolicy"]?.string != "Exact"
        namespaces = LabelSelector(value["namespaceSelector"])
        objects = LabelSelector(value["objectSelector"])
        let conditions = value["matchConditions"]?.array ?? []
        self.conditions = conditions.isEmpty ? nil : MatchConditions(conditions)
        ignoresFailures = value["failurePolicy"]?.string == "Ignore"
        timeoutSeconds = value["timeoutSeconds"]?.int ?? 10
        allowsDryRun = ["None", "NoneOnDryRun"].contains(value["sideEffects"]?.string ?? "")
        isReinvoked = value["reinvocationPolicy"]?.string == "IfNeeded"
        let versions = (value["admissionReviewVersions"]?.array ?? []).compactMap(\.string)
        reviewVersion = versions.first { AdmissionReview.versions.contains($0) } ?? "v1"
    }

    /// The webhooks of a configuration, in its order.
    static func all(of configuration: KubeObject, _ role: Role) -> [Webhook] {
        (configuration.value["webhooks"]?.array ?? []).enumerated().map { index, value in
            Webhook(value, id: ID(configuration: configuration.name, index: index), role: role)
        }
    }

    /// Whether the labels of an object, as it is to be or as it was, are those that the webhook wants.
    func selects(_ object: KubeObject?, _ old: KubeObject?) -> Bool {
        if objects.isEmpty { return true }
        return [object, old].contains { $0.map { objects.matches($0.labels) } ?? false }
    }
}

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
    private let match: MatchResources
    /// Nil when it has none.
    private let conditions: MatchConditions?
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
        match = MatchResources(webhook: value)
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

    /// The kind in whose version the webhook is to be asked about a request; nil when it is not to be asked.
    func kind(of request: PolicyRequest) throws(Status) -> KindSchema? {
        guard let kind = try match.kind(of: request) else { return nil }
        switch conditions?.verdict(request.variables(as: kind)) ?? .met {
        case .met: return kind
        case .notMet: return nil
        case .unknown(let why):
            guard ignoresFailures else { throw .forbidden(request.kind.resource, request.name, why) }
            return nil
        }
    }
}

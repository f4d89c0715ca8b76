/// The types of flow control.
enum FlowSchemas {
    static let package = "io.k8s.api.flowcontrol.v1."

    static func object(_ name: String, doc: String, _ fields: [SchemaField]) -> Schema {
        .object(package + name, doc: doc, fields)
    }

    // MARK: Flows

    private static func name(_ type: String, _ doc: String, _ more: [SchemaField] = []) -> Schema {
        object(type, doc: doc, [.field("name", .string, keepsZero: true, doc: "The name; * for all.")] + more)
    }

    private static let subject = object(
        "Subject", doc: "Who makes the requests; the member that the kind names is set.",
        [
            .field("group", name("GroupSubject", "A group of users."), doc: "A group of users."),
            .field("kind", .string, keepsZero: true, doc: "User, Group or ServiceAccount."),
            .field(
                "serviceAccount",
                name(
                    "ServiceAccountSubject", "An account for programs.",
                    [.field("namespace", .string, keepsZero: true, doc: "The namespace of the account.")]),
                doc: "An account for programs."),
            .field("user", name("UserSubject", "A user."), doc: "A user."),
        ])

    private static let resourceRule = object(
        "ResourcePolicyRule", doc: "Requests about objects.",
        [
            .field("apiGroups", .stringSet, doc: "Groups of the objects; * for all."),
            .field("clusterScope", .bool, doc: "Whether requests without a namespace are meant."),
            .field("namespaces", .stringSet, doc: "Namespaces of the objects; * for all."),
            .field("resources", .stringSet, doc: "Resources as in URLs; * for all."),
            .field("verbs", .stringSet, doc: "The verbs; * for all."),
        ])

    private static let pathRule = object(
        "NonResourcePolicyRule", doc: "Requests about other pages.",
        [
            .field("nonResourceURLs", .stringSet, doc: "The paths; * for all."),
            .field("verbs", .stringSet, doc: "The verbs; * for all."),
        ])

    private static let rule = object(
        "PolicyRulesWithSubjects", doc: "Requests by what they are about and who makes them.",
        [
            .field("nonResourceRules", .list(of: pathRule), doc: "Requests about other pages."),
            .field("resourceRules", .list(of: resourceRule), doc: "Requests about objects."),
            .field("subjects", .list(of: subject), keepsZero: true, doc: "Who makes the requests."),
        ])

    static let flow = object(
        "FlowSchemaSpec", doc: "The requests and their priority.",
        [
            .field(
                "distinguisherMethod",
                object(
                    "FlowDistinguisherMethod", doc: "What tells one flow from another.",
                    [.field("type", .string, keepsZero: true, doc: "ByUser or ByNamespace.")]),
                doc: "What tells one flow from another; nothing if absent."),
            .field(
                "matchingPrecedence", .int32, default: 1000, replacesZero: true, keepsZero: true,
                doc: "The schema of the lowest number counts, of those that a request fits."),
            .field(
                "priorityLevelConfiguration",
                object(
                    "PriorityLevelConfigurationReference", doc: "Names a priority.",
                    [.field("name", .string, keepsZero: true, doc: "Name of the PriorityLevelConfiguration.")]),
                keepsZero: true, doc: "The priority."),
            .field("rules", .list(of: rule), doc: "The requests."),
        ])

    // MARK: Levels

    private static func shares(_ standard: JSONValue) -> [SchemaField] {
        [
            .field("lendablePercent", .int32, default: 0, doc: "How much of its part others may use, from 0 to 100."),
            .field(
                "nominalConcurrencyShares", .int32, default: standard, doc: "The part of all requests, beside others."),
        ]
    }

    private static let queuing = object(
        "QueuingConfiguration", doc: "Where requests wait.",
        [
            .field("handSize", .int32, default: 8, replacesZero: true, doc: "How many queues a flow can be in."),
            .field(
                "queueLengthLimit", .int32, default: 50, replacesZero: true, doc: "How many requests a queue can hold."),
            .field("queues", .int32, default: 64, replacesZero: true, doc: "How many queues there are."),
        ])

    private static let response = object(
        "LimitResponse", doc: "What becomes of requests that are too many.",
        [
            .field("queuing", queuing, doc: "Where they wait; only for type Queue."),
            .field("type", .string, keepsZero: true, doc: "Queue or Reject."),
        ])

    static let level = object(
        "PriorityLevelConfigurationSpec", doc: "How many requests are served at once.",
        [
            .field(
                "exempt",
                object("ExemptPriorityLevelConfiguration", doc: "A priority without a limit.", shares(0)),
                doc: "The part of a priority without a limit; only for type Exempt."),
            .field(
                "limited",
                object(
                    "LimitedPriorityLevelConfiguration", doc: "A priority with a limit.",
                    shares(30) + [
                        .field(
                            "borrowingLimitPercent", .int32, keepsZero: true,
                            doc: "How much it may use of what others have left, in percent of its own part."),
                        .field(
                            "limitResponse", response, keepsZero: true,
                            doc: "What becomes of requests that are too many."),
                    ]),
                doc: "The limit; only for type Limited."),
            .field("type", .string, keepsZero: true, doc: "Exempt or Limited."),
        ]
    ).defaulting { value in
        guard value["type"] == "Exempt", value["exempt"] == nil else { return }
        value["exempt"] = ["nominalConcurrencyShares": 0, "lendablePercent": 0]
    }
}

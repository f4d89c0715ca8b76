/// What the types of webhooks and of policies have in common.
enum AdmissionSchemas {
    static let package = "io.k8s.api.admissionregistration.v1."

    /// Which requests are meant.
    static let ruleMembers: [SchemaField] = [
        .field("apiGroups", .stringList, doc: "Groups of the objects; * for all."),
        .field("apiVersions", .stringList, doc: "Versions of the objects; * for all."),
        .field("operations", .stringList, doc: "CREATE, UPDATE, DELETE, CONNECT, or * for all."),
        .field("resources", .stringList, doc: "Resources as in URLs, for example pods or pods/status; * for all."),
        .field("scope", .string, default: "*", doc: "Cluster, Namespaced, or * for both."),
    ]

    static let condition = Schema.object(
        package + "MatchCondition", doc: "A condition in CEL that a request must meet.",
        [
            .field("expression", .string, keepsZero: true, doc: "The expression, which must be true."),
            .field("name", .string, keepsZero: true, doc: "The name of the condition."),
        ])

    static let rule = Schema.object(
        package + "RuleWithOperations", doc: "Which requests concern the webhook.", ruleMembers)

    static let namedRule = Schema.object(
        package + "NamedRuleWithOperations", doc: "Which requests are meant.",
        ruleMembers + [
            .field("resourceNames", .stringList, doc: "Names of the objects; all when there are none.")
        ])

    static let matchResources = Schema.object(
        package + "MatchResources", doc: "Which requests are meant; all selectors and one of the rules must hold.",
        [
            .field("excludeResourceRules", .list(of: namedRule), doc: "Requests that are not meant after all."),
            .field(
                "matchPolicy", .string, default: "Equivalent",
                doc: "Whether objects in another version than the rules name are meant: Equivalent or Exact."),
            .field("namespaceSelector", LabelSelectorSchema.selector, default: [:], doc: "Selects namespaces."),
            .field("objectSelector", LabelSelectorSchema.selector, default: [:], doc: "Selects objects."),
            .field("resourceRules", .list(of: namedRule), doc: "Which requests are meant; one must hold."),
        ])
}

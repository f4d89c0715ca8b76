extension ResourceType {
    private static func v1(_ kind: String, _ plural: String) -> ResourceType {
        ResourceType(
            group: "admissionregistration.k8s.io", version: "v1", kind: kind, plural: plural, isNamespaced: false)
    }

    /// Programs that change objects before they are stored.
    public static let mutatingWebhookConfigurations = v1(
        "MutatingWebhookConfiguration", "mutatingwebhookconfigurations")
    /// Programs that say whether objects may be stored.
    public static let validatingWebhookConfigurations = v1(
        "ValidatingWebhookConfiguration", "validatingwebhookconfigurations")
}

private let package = AdmissionSchemas.package

private let client = Schema.object(
    package + "WebhookClientConfig", doc: "Where the webhook is; either url or service is set.",
    [
        .field("caBundle", .bytes, doc: "PEM of the authority that signed the webhook's certificate."),
        .field(
            "service",
            .object(
                package + "ServiceReference", doc: "The Service in front of the webhook.",
                [
                    .field("name", .string, keepsZero: true, doc: "Name of the Service."),
                    .field("namespace", .string, keepsZero: true, doc: "Namespace of the Service."),
                    .field("path", .string, doc: "The path of the webhook's URL."),
                    .field("port", .int32, default: 443, doc: "The port of the Service."),
                ]),
            doc: "The Service in front of the webhook."),
        .field("url", .string, doc: "The webhook's URL: https://host[/path]."),
    ])

private let members: [SchemaField] = [
    .field("admissionReviewVersions", .stringList, doc: "Versions of AdmissionReview that the webhook understands."),
    .field("clientConfig", client, keepsZero: true, doc: "Where the webhook is."),
    .field(
        "failurePolicy", .string, default: "Fail",
        doc: "What becomes of requests when the webhook fails: Fail or Ignore."
    ),
    .field(
        "matchConditions", .list(of: AdmissionSchemas.condition, keys: ["name"]),
        doc: "Conditions that requests must meet."),
    .field(
        "matchPolicy", .string, default: "Equivalent",
        doc: "Whether objects in another version than the rules name concern the webhook: Equivalent or Exact."),
    .field("name", .string, keepsZero: true, doc: "The webhook's full name, for example check.example.com."),
    .field("namespaceSelector", LabelSelectorSchema.selector, default: [:], doc: "Selects namespaces of objects."),
    .field("objectSelector", LabelSelectorSchema.selector, default: [:], doc: "Selects objects."),
    .field("rules", .list(of: AdmissionSchemas.rule), doc: "Which requests concern the webhook."),
    .field("sideEffects", .string, doc: "Whether the webhook does anything else: None or NoneOnDryRun."),
    .field("timeoutSeconds", .int32, default: 10, doc: "Seconds to wait for the webhook, from 1 to 30."),
]

private func configuration(_ type: ResourceType, hook: Schema, doc: String) -> KindSchema {
    KindSchema(
        type, categories: ["api-extensions"],
        root: MetadataSchemas.kind(
            package + type.kind, doc: doc,
            [.field("webhooks", .list(of: hook, keys: ["name"]), doc: "The webhooks.")]),
        columns: [
            .name,
            .computed("Webhooks", type: "integer", "How many webhooks there are.") { object, _ in
                JSONValue(object.value.list("webhooks").count)
            },
            .age,
        ],
        behavior: KindBehavior {
            $0.countsGenerations = true
            $0.validate = { WebhookRules.check($0.value, &$1) }
        })
}

extension KindSchema {
    /// Programs that change objects before they are stored.
    static let mutatingWebhookConfiguration = configuration(
        .mutatingWebhookConfigurations,
        hook: .object(
            package + "MutatingWebhook", doc: "A program that may change objects.",
            members + [
                .field(
                    "reinvocationPolicy", .string, default: "Never",
                    doc: "Whether the webhook is asked again when others changed the object: Never or IfNeeded.")
            ]),
        doc: "Programs that change objects before they are stored.")

    /// Programs that say whether objects may be stored.
    static let validatingWebhookConfiguration = configuration(
        .validatingWebhookConfigurations,
        hook: .object(package + "ValidatingWebhook", doc: "A program that judges objects.", members),
        doc: "Programs that say whether objects may be stored.")
}

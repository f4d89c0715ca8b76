extension ResourceType {
    /// The groups and versions that are served, as objects.
    public static let apiServices = ResourceType(
        group: "apiregistration.k8s.io", version: "v1", kind: "APIService", plural: "apiservices", isNamespaced: false)
}

private let package = "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1."

private let spec = Schema.object(
    package + "APIServiceSpec", doc: "Which group and version, and who serves it.",
    [
        .field("caBundle", .bytes, doc: "PEM of the authority that signed the server's certificate."),
        .field("group", .string, doc: "The group."),
        .field("groupPriorityMinimum", .int32, doc: "The place of the group among all groups; higher comes first."),
        .field("insecureSkipTLSVerify", .bool, doc: "Whether the server's certificate is believed without a look."),
        .field(
            "service",
            .object(
                package + "ServiceReference", doc: "The Service that serves it.",
                [
                    .field("name", .string, doc: "Name of the Service."),
                    .field("namespace", .string, doc: "Namespace of the Service."),
                    .field("port", .int32, default: 443, doc: "The port of the Service."),
                ]),
            doc: "The Service that serves it; absent when it is this server itself."),
        .field("version", .string, doc: "The version."),
        .field("versionPriority", .int32, doc: "The place of the version in its group; higher comes first."),
    ])

private let status = Schema.object(
    package + "APIServiceStatus", doc: "Whether it is served.",
    [
        .field(
            "conditions", .list(of: MetadataSchemas.condition(package + "APIServiceCondition"), keys: ["type"]),
            doc: "Available.")
    ])

extension KindSchema {
    /// A group and version that is served, by this server or by one behind a Service.
    static let apiService = KindSchema(
        .apiServices, categories: ["api-extensions"],
        root: MetadataSchemas.kind(
            package + "APIService", doc: "A group and version that is served.",
            [
                .field("spec", spec, doc: "Which group and version, and who serves it."),
                .field("status", status, doc: "Whether it is served."),
            ]),
        subresources: ["status"],
        columns: [
            .name,
            .computed("Service", "Who serves it.") { object, _ in
                guard let service = object.value[["spec", "service"]] else { return "Local" }
                return .string("\(service["namespace"]?.string ?? "")/\(service["name"]?.string ?? "")")
            },
            .computed("Available", "Whether it is served.") { object, _ in
                let condition = object.value[["status", "conditions"]]?.array?.first { $0["type"] == "Available" }
                let status = condition?["status"]?.string ?? "Unknown"
                return .string(status == "True" ? status : "\(status) (\(condition?["reason"]?.string ?? ""))")
            },
            .age,
        ],
        behavior: KindBehavior {
            $0.nameSyntax = { _ in [] }
            $0.initialStatus = [:]
            // This server is there for whoever asks it.
            $0.prepareForCreate = { object in
                guard object.value[["spec", "service"]] == nil else { return }
                let condition = StatusCondition(
                    "Available", true, reason: "Local", message: "Local APIServices are always available", at: .now)
                object.value["status"] = ["conditions": [condition.value]]
            }
            $0.validate = APIServiceRules.check
        })
}

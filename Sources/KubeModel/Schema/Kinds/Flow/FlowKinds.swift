extension ResourceType {
    private static func v1(_ kind: String, _ plural: String) -> ResourceType {
        ResourceType(
            group: "flowcontrol.apiserver.k8s.io", version: "v1", kind: kind, plural: plural, isNamespaced: false)
    }

    /// Which requests are of which priority.
    public static let flowSchemas = v1("FlowSchema", "flowschemas")
    /// How many requests of a priority are served at once.
    public static let priorityLevelConfigurations = v1("PriorityLevelConfiguration", "prioritylevelconfigurations")
}

private let notThrottled = "This server keeps such objects and holds no request back."

private func status(_ kind: String) -> SchemaField {
    .field(
        "status",
        FlowSchemas.object(
            "\(kind)Status", doc: "What the server found out.",
            [
                .field(
                    "conditions",
                    .list(of: MetadataSchemas.condition(FlowSchemas.package + "\(kind)Condition"), keys: ["type"]),
                    doc: "What the server found out.")
            ]), doc: "What the server found out.")
}

extension KindSchema {
    /// Which requests are of which priority.
    static let flowSchema = KindSchema(
        .flowSchemas,
        root: MetadataSchemas.kind(
            FlowSchemas.package + "FlowSchema", doc: "Which requests are of which priority. \(notThrottled)",
            [.field("spec", FlowSchemas.flow, doc: "The requests and their priority."), status("FlowSchema")]),
        subresources: ["status"],
        columns: [
            .name,
            .value(
                "PriorityLevel", ["spec", "priorityLevelConfiguration", "name"], absent: "", "The priority."),
            .count("MatchingPrecedence", ["spec", "matchingPrecedence"], "Its place; the lowest number counts."),
            .value(
                "DistinguisherMethod", ["spec", "distinguisherMethod", "type"], "What tells one flow from another."),
            .age,
            .computed("MissingPL", "Whether the priority is not there.") { object, _ in
                let conditions = object.value["status"]?.list("conditions") ?? []
                return conditions.first { $0["type"] == "Dangling" }?["status"] ?? "?"
            },
        ],
        behavior: KindBehavior {
            $0.countsGenerations = true
            $0.validate = { FlowRules.check(flow: $0, &$1) }
        })

    /// How many requests of a priority are served at once.
    static let priorityLevelConfiguration = KindSchema(
        .priorityLevelConfigurations,
        root: MetadataSchemas.kind(
            FlowSchemas.package + "PriorityLevelConfiguration",
            doc: "How many requests of a priority are served at once. \(notThrottled)",
            [
                .field("spec", FlowSchemas.level, doc: "How many requests are served at once."),
                status("PriorityLevelConfiguration"),
            ]),
        subresources: ["status"],
        columns: [
            .name, .value("Type", ["spec", "type"], absent: "", "Whether there is a limit."),
            .value(
                "NominalConcurrencyShares", ["spec", "limited", "nominalConcurrencyShares"],
                "The part of all requests."),
            .value("Queues", ["spec", "limited", "limitResponse", "queuing", "queues"], "How many queues there are."),
            .value(
                "HandSize", ["spec", "limited", "limitResponse", "queuing", "handSize"],
                "How many queues a flow can be in."),
            .value(
                "QueueLengthLimit", ["spec", "limited", "limitResponse", "queuing", "queueLengthLimit"],
                "How long a queue can be."),
            .age,
        ],
        behavior: KindBehavior {
            $0.countsGenerations = true
            $0.validate = { FlowRules.check(level: $0, &$1) }
        })
}

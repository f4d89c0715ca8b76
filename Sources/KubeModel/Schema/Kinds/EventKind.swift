let eventSource = Schema.core(
    "EventSource", doc: "Who reported the event.",
    [
        .field("component", .string, doc: "The program."),
        .field("host", .string, doc: "Its node."),
    ])

private let series = Schema.core(
    "EventSeries", doc: "An event that happens again and again.",
    [
        .field("count", .int32, doc: "How often it happened."),
        .field("lastObservedTime", .microTime, doc: "When it last happened."),
    ])

extension KindSchema {
    /// Something that happened to an object.
    static let event = KindSchema(
        .events, shortNames: ["ev"],
        root: MetadataSchemas.kind(
            "io.k8s.api.core.v1.Event", doc: "Something that happened to an object.",
            [
                .field("action", .string, doc: "What was done."),
                .field("count", .int32, doc: "How often it happened."),
                .field("eventTime", .microTime.with { $0.isNullable = true }, doc: "When it first happened."),
                .field("firstTimestamp", .time.with { $0.isNullable = true }, doc: "When it first happened."),
                .field(
                    "involvedObject", VolumeSchemas.objectReference, default: [:], doc: "The object it happened to."),
                .field("lastTimestamp", .time.with { $0.isNullable = true }, doc: "When it last happened."),
                .field("message", .string, doc: "What happened, for people."),
                .field("reason", .string, doc: "What happened, in one word."),
                .field("related", VolumeSchemas.objectReference, doc: "A second object that is concerned."),
                .field("reportingComponent", .string, doc: "The controller that reported it."),
                .field("reportingInstance", .string, doc: "Which one of these controllers."),
                .field("series", series, doc: "Its repetitions."),
                .field("source", eventSource, doc: "Who reported it."),
                .field("type", .string, doc: "Normal or Warning."),
            ]),
        columns: EventColumns.all,
        selectableFields: [
            "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
            "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
            "reportingComponent", "source", "type",
        ],
        behavior: KindBehavior {
            $0.validate = { event, errors in EventRules.check(event, into: &errors) }
        })
}

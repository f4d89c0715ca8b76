private let series = Schema.object(
    "io.k8s.api.events.v1.EventSeries", doc: "An event that happens again and again.",
    [
        .field("count", .int32, doc: "How often it happened."),
        .field("lastObservedTime", .microTime, doc: "When it last happened."),
    ])

private func nullable(_ schema: Schema) -> Schema { schema.with { $0.isNullable = true } }

/// The members of an event that are called otherwise in the core group.
private let renamed = [
    ("note", "message"), ("regarding", "involvedObject"), ("reportingController", "reportingComponent"),
    ("deprecatedCount", "count"), ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"), ("deprecatedSource", "source"),
]

extension ResourceType {
    /// Events as the group `events.k8s.io` serves them; the same objects as those of the core group.
    public static let eventsEvents = ResourceType(
        group: "events.k8s.io", version: "v1", kind: "Event", plural: "events")
}

extension StoredForm {
    /// Events of `events.k8s.io` are kept as events of the core group.
    fileprivate static let coreEvent = StoredForm(
        .events, judgedAs: { .event },
        toStored: { object in
            object.value["apiVersion"] = .string(ResourceType.events.apiVersion)
            for (new, old) in renamed { object.move(new, to: old) }
            if object.value["involvedObject"] == nil { object.value["involvedObject"] = [:] }
        },
        toServed: { object in
            object.value["apiVersion"] = .string(ResourceType.eventsEvents.apiVersion)
            for (new, old) in renamed { object.move(old, to: new) }
        })
}

extension KubeObject {
    fileprivate mutating func move(_ from: String, to: String) {
        guard let member = value[from] else { return }
        value[from] = nil
        value[to] = member
    }
}

extension KindSchema {
    /// Something that happened to an object, in the newer form.
    static let eventsEvent = KindSchema(
        .eventsEvents, shortNames: ["ev"],
        root: MetadataSchemas.kind(
            "io.k8s.api.events.v1.Event",
            doc: "Something that happened to an object. Events are kept for an hour and are meant for people.",
            [
                .field("action", .string, doc: "What was done, or failed, in one word."),
                .field("deprecatedCount", .int32, doc: "How often it happened; only in events of the older form."),
                .field(
                    "deprecatedFirstTimestamp", nullable(.time),
                    doc: "When it first happened; only in events of the older form."),
                .field(
                    "deprecatedLastTimestamp", nullable(.time),
                    doc: "When it last happened; only in events of the older form."),
                .field("deprecatedSource", eventSource, doc: "Who reported it; only in events of the older form."),
                .field("eventTime", nullable(.microTime), doc: "When it first happened."),
                .field("note", .string, doc: "What happened, for people; at most 1024 bytes."),
                .field("reason", .string, doc: "Why it was done, in one word."),
                .field("regarding", VolumeSchemas.objectReference, doc: "The object it happened to."),
                .field("related", VolumeSchemas.objectReference, doc: "A second object that is concerned."),
                .field("reportingController", .string, doc: "The controller that reported it, for example kubelet."),
                .field("reportingInstance", .string, doc: "Which one of these controllers."),
                .field("series", series, doc: "Its repetitions; absent if it happened once."),
                .field("type", .string, doc: "Normal or Warning."),
            ]),
        columns: EventColumns.all.map { column in
            PrinterColumn(
                name: column.name, type: column.type, format: column.format, description: column.description,
                priority: column.priority
            ) { object, now in
                var stored = object
                StoredForm.coreEvent.toStored(&stored)
                return column.cell(stored, now)
            }
        },
        selectableFields: [
            "regarding.kind", "regarding.namespace", "regarding.name", "regarding.uid", "regarding.apiVersion",
            "regarding.resourceVersion", "regarding.fieldPath", "reason", "reportingController", "type",
        ],
        storedForm: .coreEvent,
        behavior: KindBehavior {
            $0.validateCreate = { event, errors in EventRules.checkStrictly(event, into: &errors) }
            $0.validateUpdate = { event, old, _, errors in
                EventRules.checkStrictUpdate(event, old: old, into: &errors)
            }
        })
}

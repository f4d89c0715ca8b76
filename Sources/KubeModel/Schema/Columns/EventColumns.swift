/// The columns of `kubectl get events`.
enum EventColumns {
    static let all: [PrinterColumn] = [
        .computed("Last Seen", "How long ago it last happened.") { event, now in .string(lastSeen(event, now)) },
        .value("Type", ["type"], absent: "", "Normal or Warning."),
        .value("Reason", ["reason"], absent: "", "What happened, in one word."),
        .computed("Object", "The object it happened to.") { event, _ in
            let kind = event.value[["involvedObject", "kind"]]?.string?.lowercased() ?? ""
            let name = event.value[["involvedObject", "name"]]?.string ?? ""
            return .string(name.isEmpty ? kind : "\(kind)/\(name)")
        },
        .value("Subobject", ["involvedObject", "fieldPath"], absent: "", priority: 1, "The part of the object."),
        .wide("Source", "Who reported it.") { event, _ in .string(source(event)) },
        .computed("Message", "What happened.") { event, _ in
            .string(trimmed(event.value["message"]?.string ?? ""))
        },
        .wide("First Seen", "How long ago it first happened.") { event, now in .string(firstSeen(event, now)) },
        .computed("Count", type: "integer", priority: 1, "How often it happened.") { event, _ in
            if let count = event.value[["series", "count"]] { return count }
            return JSONValue(max(event.value["count"]?.int ?? 0, 1))
        },
        PrinterColumn(name: "Name", format: "name", description: "The name of the event.", priority: 1) { event, _ in
            .string(event.name)
        },
    ]

    private static func moment(_ event: KubeObject, _ path: String...) -> Timestamp? {
        event.value[path]?.string.flatMap(Timestamp.init(parsing:))
    }

    private static func firstSeen(_ event: KubeObject, _ now: Timestamp) -> String {
        HumanDuration.since(moment(event, "firstTimestamp") ?? moment(event, "eventTime"), now: now)
    }

    private static func lastSeen(_ event: KubeObject, _ now: Timestamp) -> String {
        if event.value["series"]?.object != nil {
            return HumanDuration.since(moment(event, "series", "lastObservedTime"), now: now)
        }
        guard let last = moment(event, "lastTimestamp") else { return firstSeen(event, now) }
        return HumanDuration.since(last, now: now)
    }

    private static func source(_ event: KubeObject) -> String {
        let component = event.value[["source", "component"]]?.string ?? ""
        let host = event.value[["source", "host"]]?.string ?? ""
        let parts =
            component.isEmpty
            ? [event.value["reportingComponent"]?.string ?? "", event.value["reportingInstance"]?.string ?? ""]
            : [component, host]
        return parts.filter { !$0.isEmpty }.joined(separator: ", ")
    }

    private static func trimmed(_ text: String) -> String {
        var rest = text[...]
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest.drop(while: \.isWhitespace))
    }
}

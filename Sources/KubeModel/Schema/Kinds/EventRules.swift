/// What must hold for events; those of `events.k8s.io` are judged more strictly than those of the core group.
enum EventRules {
    private static let lengthMax = 128
    private static let noteLengthMax = 1024

    private static func text(_ event: KubeObject, _ name: String) -> String { event.value[name]?.string ?? "" }

    /// What holds for every event, whichever way it came.
    static func check(_ event: KubeObject, into errors: inout [FieldError]) {
        let place = FieldPath("involvedObject", "namespace")
        let namespace = event.value[["involvedObject", "namespace"]]?.string ?? ""
        func complain() { errors.append(.invalid(place, .string(namespace), "does not match event.namespace")) }
        guard event.value["eventTime"]?.string != nil else {
            if namespace.isEmpty ? event.namespace != "default" : namespace != event.namespace { complain() }
            return
        }
        if namespace.isEmpty, !["default", "kube-system"].contains(event.namespace) { complain() }
        let controller = text(event, "reportingComponent")
        let path = FieldPath("reportingController")
        if controller.isEmpty { errors.append(.required(path)) }
        for complaint in NameSyntax.qualifiedName(controller) {
            errors.append(.invalid(path, .string(controller), complaint))
        }
        for name in ["reportingInstance", "action", "reason"] {
            let value = text(event, name)
            if value.isEmpty { errors.append(.required(FieldPath(name))) }
            checkLength(value, name, lengthMax, &errors)
        }
        checkLength(text(event, "message"), "message", noteLengthMax, &errors)
    }

    private static func checkLength(_ text: String, _ name: String, _ max: Int, _ errors: inout [FieldError]) {
        guard text.utf8.count > max else { return }
        errors.append(.invalid(FieldPath(name), "", "can have at most \(max) characters"))
    }

    /// What holds for new events of `events.k8s.io` besides.
    static func checkStrictly(_ event: KubeObject, into errors: inout [FieldError]) {
        checkSeries(event, &errors)
        if event.value["eventTime"]?.string == nil { errors.append(.required(FieldPath("eventTime"))) }
        let type = text(event, "type")
        if type != "Normal", type != "Warning" {
            errors.append(.invalid(FieldPath("type"), "", "has invalid value: \(type)"))
        }
        func unset(_ name: String) { errors.append(.invalid(FieldPath(name), "", "needs to be unset")) }
        for name in ["firstTimestamp", "lastTimestamp"] where event.value[name]?.string != nil { unset(name) }
        if event.value["count"]?.int ?? 0 != 0 { unset("count") }
        if event.value["source"]?.object?.values.contains(where: { !JSONValue.isEmpty($0) }) ?? false {
            unset("source")
        }
    }

    private static func checkSeries(_ event: KubeObject, _ errors: inout [FieldError]) {
        guard let series = event.value["series"], series.object != nil else { return }
        if series["count"]?.int ?? 0 < 2 {
            errors.append(.invalid(FieldPath("series", "count"), "", "should be at least 2"))
        }
        if series["lastObservedTime"]?.string == nil {
            errors.append(.required(FieldPath("series", "lastObservedTime")))
        }
    }

    private static let immutable = [
        "involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count", "reason", "type",
        "eventTime", "action", "related", "reportingController", "reportingInstance",
    ]

    /// What a change of an event of `events.k8s.io` may not change: everything but its series.
    static func checkStrictUpdate(_ event: KubeObject, old: KubeObject, into errors: inout [FieldError]) {
        if event.value["series"] != old.value["series"] { checkSeries(event, &errors) }
        for name in immutable {
            let member = name == "reportingController" ? "reportingComponent" : name
            let (value, before) = (event.value[member], old.value[member])
            guard value != before, !(JSONValue.isEmpty(value) && JSONValue.isEmpty(before)) else { continue }
            errors.append(.invalid(FieldPath(name), value ?? "", "field is immutable"))
        }
    }
}

/// What must hold for a HorizontalPodAutoscaler, judged in its `autoscaling/v2` form.
enum AutoscalerRules {
    static func check(_ object: KubeObject, into errors: inout [FieldError]) {
        let spec = object.value["spec"] ?? [:]
        let path = FieldPath("spec")
        let min = spec["minReplicas"]?.int
        let max = spec["maxReplicas"]?.int ?? 0
        if let min, min < 1 {
            errors.append(.invalid(path.child("minReplicas"), JSONValue(min), "must be greater than or equal to 1"))
        }
        if max < 1 { errors.append(.invalid(path.child("maxReplicas"), JSONValue(max), "must be greater than 0")) }
        if let min, max < min {
            errors.append(
                .invalid(
                    path.child("maxReplicas"), JSONValue(max), "must be greater than or equal to `minReplicas`"))
        }
        checkReference(spec["scaleTargetRef"], path.child("scaleTargetRef"), &errors)
        for (index, metric) in (spec["metrics"]?.array ?? []).enumerated() {
            checkMetric(metric, path.child("metrics")[index], &errors)
        }
        for direction in ["scaleUp", "scaleDown"] {
            guard let rules = spec[["behavior", direction]] else { continue }
            checkRules(rules, path.child("behavior", direction), &errors)
        }
    }

    static func checkStatus(_ object: KubeObject, into errors: inout [FieldError]) {
        for name in ["currentReplicas", "desiredReplicas"] {
            guard let count = object.value[["status", name]]?.int, count < 0 else { continue }
            errors.append(
                .invalid(FieldPath("status", name), JSONValue(count), "must be greater than or equal to 0"))
        }
    }

    /// A name that can stand in a URL.
    private static func checkSegment(
        _ text: String, _ path: FieldPath, _ absent: String = "", _ errors: inout [FieldError]
    ) {
        guard !text.isEmpty else {
            errors.append(.required(path, absent))
            return
        }
        if text == "." || text == ".." {
            errors.append(.invalid(path, .string(text), "may not be '\(text)'"))
            return
        }
        for sign in ["/", "%"] where text.contains(sign) {
            errors.append(.invalid(path, .string(text), "may not contain '\(sign)'"))
        }
    }

    private static func checkReference(_ reference: JSONValue?, _ path: FieldPath, _ errors: inout [FieldError]) {
        checkSegment(reference?["kind"]?.string ?? "", path.child("kind"), &errors)
        checkSegment(reference?["name"]?.string ?? "", path.child("name"), &errors)
    }

    private static func checkSegment(_ text: String, _ path: FieldPath, _ errors: inout [FieldError]) {
        checkSegment(text, path, "", &errors)
    }

    // MARK: Metrics

    private static let sources = [
        ("ContainerResource", "containerResource"), ("External", "external"), ("Object", "object"), ("Pods", "pods"),
        ("Resource", "resource"),
    ]

    private static func checkMetric(_ metric: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let type = metric["type"]?.string ?? ""
        if type.isEmpty { errors.append(.required(path.child("type"), "must specify a metric source type")) }
        let expected = sources.first { $0.0 == type }?.1
        if expected == nil {
            errors.append(.notSupported(path.child("type"), .string(type), sources.map(\.0)))
        }
        let order = ["object", "external", "pods", "resource", "containerResource"]
        let present = order.filter { metric[$0] != nil }
        if let first = present.first, let source = metric[first] {
            checkSource(first, source, path.child(first), &errors)
        }
        if let expected, metric[expected] == nil {
            errors.append(
                .required(path.child(expected), "must populate information for the given metric source"))
        }
        guard present.count != 1 else { return }
        for name in present where name != expected {
            errors.append(.forbidden(path.child(name), "must populate the given metric source only"))
        }
    }

    private static func checkSource(
        _ name: String, _ source: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        let target = source["target"] ?? [:]
        let goal = path.child("target")
        if name == "object" { checkReference(source["describedObject"], path.child("describedObject"), &errors) }
        if name == "resource" || name == "containerResource" {
            checkResource(name, source, target, path, goal, &errors)
            return
        }
        checkSegment(
            source[["metric", "name"]]?.string ?? "", path.child("metric", "name"), "must specify a metric name",
            &errors)
        checkTarget(target, goal, &errors)
        let hasAverage = target["averageValue"] != nil
        switch name {
        case "pods" where !hasAverage:
            errors.append(
                .required(goal.child("averageValue"), "must specify a positive target averageValue"))
        case "object" where !hasAverage && target["value"] == nil:
            errors.append(
                .required(goal.child("averageValue"), "must set either a target value or averageValue"))
        case "external" where !hasAverage && target["value"] == nil:
            errors.append(
                .required(
                    goal.child("averageValue"), "must set either a target value for metric or a per-pod target"))
        case "external" where hasAverage && target["value"] != nil:
            errors.append(
                .forbidden(
                    goal.child("value"), "may not set both a target value for metric and a per-pod target"))
        default: break
        }
    }

    private static func checkResource(
        _ name: String, _ source: JSONValue, _ target: JSONValue, _ path: FieldPath, _ goal: FieldPath,
        _ errors: inout [FieldError]
    ) {
        if (source["name"]?.string ?? "").isEmpty {
            errors.append(.required(path.child("name"), "must specify a resource name"))
        }
        if name == "containerResource" {
            let container = source["container"]?.string ?? ""
            if container.isEmpty {
                errors.append(.required(path.child("container"), "must specify a container"))
            } else {
                for complaint in NameSyntax.dnsLabel(container) {
                    errors.append(.invalid(path.child("container"), .string(container), complaint))
                }
            }
        }
        checkTarget(target, goal, &errors)
        let (share, amount) = (target["averageUtilization"], target["averageValue"])
        if share == nil, amount == nil {
            errors.append(
                .required(
                    goal.child("averageUtilization"), "must set either a target raw value or a target utilization"))
        }
        if share != nil, amount != nil {
            errors.append(
                .forbidden(
                    goal.child("averageValue"), "may not set both a target raw value and a target utilization"))
        }
    }

    private static func checkTarget(_ target: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let type = target["type"]?.string ?? ""
        if type.isEmpty { errors.append(.required(path.child("type"), "must specify a metric target type")) }
        if !["Utilization", "Value", "AverageValue"].contains(type) {
            errors.append(
                .invalid(
                    path.child("type"), .string(type), "must be either Utilization, Value, or AverageValue"))
        }
        for name in ["value", "averageValue"] {
            guard let amount = target[name].flatMap(Quantity.init), amount <= Quantity(0) else { continue }
            errors.append(.invalid(path.child(name), target[name], "must be positive"))
        }
        if let share = target["averageUtilization"]?.int, share < 1 {
            errors.append(.invalid(path.child("averageUtilization"), JSONValue(share), "must be greater than 0"))
        }
    }

    // MARK: Behaviour

    private static func checkRules(_ rules: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        if let seconds = rules["stabilizationWindowSeconds"]?.int {
            let path = path.child("stabilizationWindowSeconds")
            if seconds < 0 {
                errors.append(.invalid(path, JSONValue(seconds), "must be greater than or equal to zero"))
            }
            if seconds > 3600 {
                errors.append(.invalid(path, JSONValue(seconds), "must be less than or equal to 3600"))
            }
        }
        let selections = ["Disabled", "Max", "Min"]
        if let policy = rules["selectPolicy"]?.string, !selections.contains(policy) {
            errors.append(.notSupported(path.child("selectPolicy"), .string(policy), selections))
        }
        let policies = rules["policies"]?.array ?? []
        if policies.isEmpty {
            errors.append(.required(path.child("policies"), "must specify at least one Policy"))
        }
        for (index, policy) in policies.enumerated() { checkPolicy(policy, path.child("policies")[index], &errors) }
    }

    private static func checkPolicy(_ policy: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let type = policy["type"]?.string ?? ""
        if type != "Pods", type != "Percent" {
            errors.append(.notSupported(path.child("type"), .string(type), ["Percent", "Pods"]))
        }
        for name in ["value", "periodSeconds"] {
            let number = policy[name]?.int ?? 0
            if number <= 0 {
                errors.append(.invalid(path.child(name), JSONValue(number), "must be greater than zero"))
            }
            if name == "periodSeconds", number > 1800 {
                errors.append(.invalid(path.child(name), JSONValue(number), "must be less than or equal to 1800"))
            }
        }
    }
}

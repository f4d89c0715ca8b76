/// The annotations in which `autoscaling/v1` carries what it has no members for.
enum AutoscalerAnnotations {
    static let metrics = "autoscaling.alpha.kubernetes.io/metrics"
    static let currentMetrics = "autoscaling.alpha.kubernetes.io/current-metrics"
    static let conditions = "autoscaling.alpha.kubernetes.io/conditions"
    static let behavior = "autoscaling.alpha.kubernetes.io/behavior"

    static let all = [metrics, currentMetrics, conditions, behavior]

    static func drop(from object: inout KubeObject) {
        guard object.value[["metadata", "annotations"]] != nil else { return }
        for name in all { object.value[["metadata", "annotations", name]] = nil }
        if JSONValue.isEmpty(object.value[["metadata", "annotations"]]) {
            object.value[["metadata", "annotations"]] = nil
        }
    }

    static func read(_ name: String, _ object: KubeObject) -> JSONValue? {
        object.value[["metadata", "annotations", name]]?.string.flatMap { try? JSONValue(parsing: Array($0.utf8)) }
    }

    static func write(_ value: JSONValue, _ name: String, _ object: inout KubeObject) {
        object.value[["metadata", "annotations", name]] = .string(value.text)
    }
}

/// Autoscalers from `autoscaling/v1` to `v2` and back, without loss.
///
/// Source: Kubernetes, `pkg/apis/autoscaling/v1/conversion.go`.
enum AutoscalerConversion {
    @Sendable static func toV2(_ object: inout KubeObject) {
        guard object.apiVersion != "autoscaling/v2" else { return }
        var metrics: [JSONValue] = []
        if let percent = object.value[["spec", "targetCPUUtilizationPercentage"]] {
            metrics.append([
                "type": "Resource",
                "resource": ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": percent]],
            ])
        }
        let others = AutoscalerAnnotations.read(AutoscalerAnnotations.metrics, object)?.array ?? []
        metrics += others.map { MetricConversion.toV2($0, isStatus: false) }
        if metrics.isEmpty { metrics = AutoscalerSchemas.defaultMetrics.array ?? [] }
        object.value[["spec", "targetCPUUtilizationPercentage"]] = nil
        object.value[["spec", "metrics"]] = .array(metrics)
        if let behavior = AutoscalerAnnotations.read(AutoscalerAnnotations.behavior, object) {
            object.value[["spec", "behavior"]] = Keys.lowered(behavior)
        }
        if object.value["status"] != nil { statusToV2(&object) }
        AutoscalerAnnotations.drop(from: &object)
        object.value["apiVersion"] = "autoscaling/v2"
    }

    private static func statusToV2(_ object: inout KubeObject) {
        let percent = object.value[["status", "currentCPUUtilizationPercentage"]]
        object.value[["status", "currentCPUUtilizationPercentage"]] = nil
        if let current = AutoscalerAnnotations.read(AutoscalerAnnotations.currentMetrics, object)?.array {
            object.value[["status", "currentMetrics"]] = .array(
                current.map { MetricConversion.toV2($0, isStatus: true) })
        } else if let percent {
            object.value[["status", "currentMetrics"]] = [
                ["type": "Resource", "resource": ["name": "cpu", "current": ["averageUtilization": percent]]]
            ]
        } else {
            object.value[["status", "currentMetrics"]] = .null
        }
        if let conditions = AutoscalerAnnotations.read(AutoscalerAnnotations.conditions, object) {
            object.value[["status", "conditions"]] = conditions
        }
    }

    @Sendable static func toV1(_ object: inout KubeObject) {
        guard object.apiVersion != "autoscaling/v1" else { return }
        AutoscalerAnnotations.drop(from: &object)
        let metrics = object.value[["spec", "metrics"]]?.array ?? []
        let cpu = metrics.first { $0["type"] == "Resource" && $0[["resource", "name"]] == "cpu" }
        let others = metrics.filter {
            $0["type"] != "Resource" || $0[["resource", "name"]] != "cpu"
                || $0[["resource", "target", "averageUtilization"]] == nil
        }
        object.value[["spec", "metrics"]] = nil
        object.value[["spec", "targetCPUUtilizationPercentage"]] =
            cpu?[["resource", "target", "averageUtilization"]]
        if !others.isEmpty {
            let list = JSONValue.array(others.map { MetricConversion.toV1($0, isStatus: false) })
            AutoscalerAnnotations.write(list, AutoscalerAnnotations.metrics, &object)
        }
        statusToV1(&object)
        if let behavior = object.value[["spec", "behavior"]] {
            AutoscalerAnnotations.write(Keys.raised(behavior), AutoscalerAnnotations.behavior, &object)
            object.value[["spec", "behavior"]] = nil
        }
        object.value["apiVersion"] = "autoscaling/v1"
    }

    private static func statusToV1(_ object: inout KubeObject) {
        guard object.value["status"] != nil else { return }
        let current = object.value[["status", "currentMetrics"]]?.array ?? []
        object.value[["status", "currentMetrics"]] = nil
        for metric in current where metric["type"] == "Resource" && metric[["resource", "name"]] == "cpu" {
            object.value[["status", "currentCPUUtilizationPercentage"]] =
                metric[["resource", "current", "averageUtilization"]]
        }
        if object.value[["status", "currentReplicas"]] == nil { object.value[["status", "currentReplicas"]] = 0 }
        if let conditions = object.value[["status", "conditions"]], !JSONValue.isEmpty(conditions) {
            AutoscalerAnnotations.write(conditions, AutoscalerAnnotations.conditions, &object)
        }
        object.value[["status", "conditions"]] = nil
        if !current.isEmpty {
            let list = JSONValue.array(current.map { MetricConversion.toV1($0, isStatus: true) })
            AutoscalerAnnotations.write(list, AutoscalerAnnotations.currentMetrics, &object)
        }
    }
}

/// Names of members as Go's types have them (`ScaleUp`), in which the annotation for behaviour is written.
private enum Keys {
    static func raised(_ value: JSONValue) -> JSONValue { map(value) { $0.prefix(1).uppercased() + $0.dropFirst() } }

    static func lowered(_ value: JSONValue) -> JSONValue { map(value) { $0.prefix(1).lowercased() + $0.dropFirst() } }

    private static func map(_ value: JSONValue, _ rename: (String) -> String) -> JSONValue {
        switch value {
        case .object(let members):
            .object(JSONObject(members.filter { !$0.value.isNull }.map { (rename($0.key), map($0.value, rename)) }))
        case .array(let elements): .array(elements.map { map($0, rename) })
        default: value
        }
    }
}

/// One metric between the flat form of `autoscaling/v1` annotations and the form of `v2`.
private enum MetricConversion {
    private static func source(_ metric: JSONValue) -> String {
        let type = metric["type"]?.string ?? ""
        return type.prefix(1).lowercased() + type.dropFirst()
    }

    /// The flat names of what `v2` has below `target` or `current`, for a kind of source.
    private static func names(_ source: String, isStatus: Bool) -> [(flat: String, nested: String)] {
        let prefix = isStatus ? "current" : "target"
        switch source {
        case "resource", "containerResource":
            return [
                ("\(prefix)AverageUtilization", "averageUtilization"), ("\(prefix)AverageValue", "averageValue"),
            ]
        case "pods": return [("\(prefix)AverageValue", "averageValue")]
        case "object": return [("\(prefix)Value", "value"), ("averageValue", "averageValue")]
        default: return [("\(prefix)Value", "value"), ("\(prefix)AverageValue", "averageValue")]
        }
    }

    static func toV2(_ metric: JSONValue, isStatus: Bool) -> JSONValue {
        let source = source(metric)
        guard let flat = metric[source], flat.object != nil else { return metric }
        var nested: JSONValue = [:]
        for (old, new) in names(source, isStatus: isStatus) {
            if let value = flat[old], !value.isNull { nested[new] = value }
        }
        if !isStatus {
            nested["type"] =
                nested["averageUtilization"] != nil
                ? "Utilization" : nested["averageValue"] != nil ? "AverageValue" : "Value"
        }
        var result: JSONValue = [:]
        for name in ["name", "container"] { if let value = flat[name] { result[name] = value } }
        if let name = flat["metricName"] {
            var identifier: JSONValue = ["name": name]
            if let selector = flat["selector"] ?? flat["metricSelector"] { identifier["selector"] = selector }
            result["metric"] = identifier
        }
        if source == "object" { result["describedObject"] = flat["target"] }
        result[isStatus ? "current" : "target"] = nested
        return ["type": metric["type"] ?? "", source: result]
    }

    static func toV1(_ metric: JSONValue, isStatus: Bool) -> JSONValue {
        let source = source(metric)
        guard let full = metric[source], full.object != nil else { return metric }
        var flat: JSONValue = [:]
        if source == "object" { flat["target"] = full["describedObject"] }
        for name in ["name", "container"] { if let value = full[name] { flat[name] = value } }
        if let name = full[["metric", "name"]] { flat["metricName"] = name }
        if let selector = full[["metric", "selector"]] {
            flat[source == "external" ? "metricSelector" : "selector"] = selector
        }
        let nested = full[isStatus ? "current" : "target"]
        for (old, new) in names(source, isStatus: isStatus) {
            if let value = nested?[new] { flat[old] = value }
        }
        return ["type": metric["type"] ?? "", source: flat]
    }
}

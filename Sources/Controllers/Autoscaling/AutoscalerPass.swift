import KubeModel

/// One look at an autoscaler: what it wants, and the status that is being written.
struct AutoscalerPass {
    /// What is scaled.
    struct Target {
        let apiVersion: String
        let kind: String
        let name: String

        var group: String { apiVersion.split(separator: "/").dropLast().first.map(String.init) ?? "" }
    }

    let original: KubeObject
    private(set) var object: KubeObject
    let now: Timestamp

    init(_ object: KubeObject, now: Timestamp) {
        original = object
        self.object = object
        self.now = now
    }

    private var spec: JSONValue { object.value["spec"] ?? [:] }
    var min: Int { spec["minReplicas"]?.int ?? 1 }
    var max: Int { spec["maxReplicas"]?.int ?? 1 }
    var metrics: [JSONValue] { spec["metrics"]?.array ?? [] }

    var target: Target {
        let reference = spec["scaleTargetRef"]
        return Target(
            apiVersion: reference?["apiVersion"]?.string ?? "v1", kind: reference?["kind"]?.string ?? "",
            name: reference?["name"]?.string ?? "")
    }

    /// Sets a condition; its time moves only when the status changes.
    mutating func set(_ type: String, _ isTrue: Bool, _ reason: String, _ message: String) {
        var conditions = object.value[["status", "conditions"]]?.array ?? []
        let index = conditions.firstIndex { $0["type"]?.string == type }
        let status = isTrue ? "True" : "False"
        var condition: JSONValue = [
            "type": .string(type), "status": .string(status), "lastTransitionTime": .string(now.text),
            "reason": .string(reason), "message": .string(message),
        ]
        if let index {
            if conditions[index]["status"]?.string == status {
                condition["lastTransitionTime"] = conditions[index]["lastTransitionTime"]
            }
            conditions[index] = condition
        } else {
            conditions.append(condition)
        }
        object.value[["status", "conditions"]] = .array(conditions)
    }

    mutating func setMetrics(_ statuses: [JSONValue]) {
        object.value[["status", "currentMetrics"]] = .array(statuses)
    }

    /// Writes the numbers; `desired` nil leaves what was last found.
    mutating func report(current: Int, desired: Int?, rescaled: Bool) {
        object.value[["status", "currentReplicas"]] = JSONValue(current)
        if let desired { object.value[["status", "desiredReplicas"]] = JSONValue(desired) }
        if rescaled { object.value[["status", "lastScaleTime"]] = .string(now.text) }
    }
}

/// Rules that the kinds which run copies of a pod share.
enum WorkloadRules {
    /// The selector must be there, select something, and select the template's pods.
    static func selector(of kind: String) -> SchemaTraits.Rule {
        { value, path, errors in
            let selector = value["selector"]
            let isMissing = selector?.object == nil
            if !isMissing, JSONValue.isEmpty(selector?["matchLabels"]), JSONValue.isEmpty(selector?["matchExpressions"])
            {
                errors.append(
                    FieldError(
                        .invalid, path.child("selector"), shownValue: GoText.selector(selector),
                        "empty selector is invalid for \(kind)"))
                return
            }
            // A selector that is missing selects nothing, so that no labels match it.
            let labels = value[["template", "metadata", "labels"]]
            if isMissing || !LabelSelector(selector).matches(KubeObject.strings(labels)) {
                errors.append(
                    FieldError(
                        .invalid, path.child("template", "metadata", "labels"), shownValue: GoText.map(labels),
                        "`selector` does not match template `labels`"))
            }
        }
    }

    /// Pods of a workload that keeps running are restarted always, and have no end.
    static func alwaysRunning(of kind: String) -> SchemaTraits.Rule {
        { value, path, errors in
            let spec = value[["template", "spec"]]
            let specPath = path.child("template", "spec")
            if let policy = spec?["restartPolicy"], policy != "Always" {
                errors.append(.notSupported(specPath.child("restartPolicy"), policy, ["Always"]))
            }
            if spec?["activeDeadlineSeconds"] != nil {
                errors.append(
                    .forbidden(
                        specPath.child("activeDeadlineSeconds"), "activeDeadlineSeconds in \(kind) is not Supported"))
            }
        }
    }

    /// A maximum given in pods or percent: not more than 100%.
    static func checkShare(_ value: JSONValue?, at path: FieldPath, into errors: inout [FieldError]) {
        guard let text = value?.string, NameSyntax.isPercent(text), let share = Int(text.dropLast()), share > 100 else {
            return
        }
        errors.append(FieldError(.invalid, path, shownValue: text, "must not be greater than 100%"))
    }

    /// The number in a count or percentage; 0 when there is none.
    static func amount(_ value: JSONValue?) -> Int {
        if let number = value?.int { return number }
        guard let text = value?.string, NameSyntax.isPercent(text) else { return 0 }
        return Int(text.dropLast()) ?? 0
    }

    /// The numbers of a status: none is negative, none is larger than `replicas`, ready ones include available ones.
    ///
    /// The counters named in `decreasing` may not go down.
    static func checkReplicaStatus(decreasing counters: [String]) -> KindBehavior.UpdateCheck {
        { object, old, subresource, errors in
            guard subresource == "status", let status = object.value["status"] else { return }
            let path = FieldPath("status")
            for (name, value) in status.object ?? [:] {
                guard let number = value.int, number < 0 else { continue }
                errors.append(.invalid(path.child(name), value, "must be greater than or equal to 0"))
            }
            let total = status["replicas"]?.int ?? 0
            let parts = [
                "fullyLabeledReplicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas",
            ]
            for name in parts where status[name]?.int ?? 0 > total {
                errors.append(.invalid(path.child(name), status[name], "cannot be greater than status.replicas"))
            }
            if status["availableReplicas"]?.int ?? 0 > status["readyReplicas"]?.int ?? 0 {
                let ready = object.kind == "StatefulSet" ? "status.readyReplicas" : "readyReplicas"
                errors.append(
                    .invalid(
                        path.child("availableReplicas"), status["availableReplicas"], "cannot be greater than \(ready)")
                )
            }
            for name in counters where status[name]?.int ?? 0 < old.value[["status", name]]?.int ?? 0 {
                errors.append(.invalid(path.child(name), status[name] ?? 0, "cannot be decremented"))
            }
        }
    }
}

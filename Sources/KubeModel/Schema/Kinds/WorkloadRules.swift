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
}

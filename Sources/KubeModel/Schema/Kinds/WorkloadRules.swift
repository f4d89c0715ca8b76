/// Rules that the kinds which run copies of a pod share.
enum WorkloadRules {
    /// The selector must be there, select something, and select the template's pods.
    static func selector(of kind: String) -> SchemaTraits.Rule {
        { value, path, errors in
            guard let selector = value["selector"], selector.object != nil else { return }
            let selectorPath = path.child("selector")
            if JSONValue.isEmpty(selector["matchLabels"]), JSONValue.isEmpty(selector["matchExpressions"]) {
                errors.append(
                    FieldError(
                        .invalid, selectorPath, shownValue: GoText.selector(selector),
                        "empty selector is invalid for \(kind)"))
                return
            }
            let labels = value[["template", "metadata", "labels"]]
            if !LabelSelector(selector).matches(KubeObject.strings(labels)) {
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

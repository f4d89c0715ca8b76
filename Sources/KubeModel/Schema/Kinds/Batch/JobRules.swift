/// Rules of Jobs, and of the Jobs that CronJobs make.
enum JobRules {
    private static let parallelismMax = 100_000
    private static let completionsSoftMax = 100_000
    private static let highCompletionsMax = 10_000
    private static let rulesMax = 20

    static func isIndexed(_ spec: JSONValue?) -> Bool { spec?["completionMode"] == "Indexed" }

    @Sendable
    static func checkSpec(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        if spec["maxFailedIndexes"] != nil, spec["backoffLimitPerIndex"] == nil {
            errors.append(.required(path.child("backoffLimitPerIndex"), "when maxFailedIndexes is specified"))
        }
        checkManager(spec, path, &errors)
        if isIndexed(spec) {
            checkIndexed(spec, path, &errors)
        } else {
            for name in ["backoffLimitPerIndex", "maxFailedIndexes"] {
                guard let value = spec[name] else { continue }
                errors.append(.invalid(path.child(name), value, "requires indexed completion mode"))
            }
        }
        JobPolicyRules.check(spec, path, &errors)
        checkReplacement(spec, path, &errors)
        checkRestart(spec, path.child("template", "spec", "restartPolicy"), &errors)
    }

    private static func checkManager(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        guard let manager = spec["managedBy"]?.string else { return }
        let path = path.child("managedBy")
        let parts = manager.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if manager.isEmpty {
            errors.append(.required(path))
        } else if parts.count != 2 || parts[0].isEmpty || parts[1].isEmpty {
            errors.append(
                .invalid(path, .string(manager), "must be a domain-prefixed path (such as \"acme.io/foo\")"))
        } else {
            for complaint in NameSyntax.dnsSubdomain(parts[0]) {
                errors.append(.invalid(path, .string(parts[0]), complaint))
            }
        }
        if manager.utf8.count > 63 { errors.append(.tooLong(path, bytesMax: 63)) }
    }

    private static func checkIndexed(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let completions = spec["completions"]?.int
        let parallelism = spec["parallelism"]?.int ?? 0
        let failedMax = spec["maxFailedIndexes"]?.int
        func refuse(_ name: String, _ detail: String) {
            errors.append(.invalid(path.child(name), spec[name], detail))
        }
        if completions == nil {
            errors.append(.required(path.child("completions"), "when completion mode is Indexed"))
        }
        if parallelism > parallelismMax {
            refuse("parallelism", "must be less than or equal to \(parallelismMax) when completion mode is Indexed")
        }
        if let completions, let failedMax, failedMax > completions {
            refuse("maxFailedIndexes", "must be less than or equal to completions")
        }
        if let failedMax, failedMax > parallelismMax {
            refuse("maxFailedIndexes", "must be less than or equal to \(parallelismMax)")
        }
        guard let completions, completions > completionsSoftMax, spec["backoffLimitPerIndex"] != nil else { return }
        let detail =
            "must be less than or equal to \(highCompletionsMax) when completions are above \(completionsSoftMax) and "
            + "used with backoff limit per index"
        if failedMax == nil {
            errors.append(
                .required(
                    path.child("maxFailedIndexes"), "must be specified when completions is above \(completionsSoftMax)")
            )
        }
        if parallelism > highCompletionsMax { refuse("parallelism", detail) }
        if let failedMax, failedMax > highCompletionsMax { refuse("maxFailedIndexes", detail) }
    }

    private static func checkReplacement(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        guard let policy = spec["podReplacementPolicy"], policy != "" else { return }
        let allowed = spec["podFailurePolicy"] == nil ? ["Failed", "TerminatingOrFailed"] : ["Failed"]
        if !allowed.contains(policy.string ?? "") {
            errors.append(.notSupported(path.child("podReplacementPolicy"), policy, allowed))
        }
    }

    private static func checkRestart(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let policy = spec[["template", "spec", "restartPolicy"]]
        switch policy {
        case nil, .null, "", "Always":
            errors.append(.required(path, "valid values: \"OnFailure\", \"Never\""))
        case "Never": break
        case "OnFailure":
            if spec["podFailurePolicy"] != nil {
                errors.append(
                    .invalid(path, policy, "only \"Never\" is supported when podFailurePolicy is specified"))
            }
        default: errors.append(.notSupported(path, policy, ["OnFailure", "Never"]))
        }
    }

    // MARK: Whole Jobs

    /// The server's own selector and labels, and the name that pods will bear.
    @Sendable
    static func checkJob(_ job: KubeObject, _ errors: inout [FieldError]) {
        let path = FieldPath("spec")
        let selector = job.value[["spec", "selector"]]
        if job.value[["spec", "manualSelector"]] != true, selector?.object != nil { checkGenerated(job, &errors) }
        if selector?.object == nil { errors.append(.required(path.child("selector"))) }
        let labels = job.value[["spec", "template", "metadata", "labels"]]
        if selector?.object == nil || !LabelSelector(selector).matches(KubeObject.strings(labels)) {
            errors.append(
                FieldError(
                    .invalid, path.child("template", "metadata", "labels"), shownValue: GoText.map(labels),
                    "`selector` does not match template `labels`"))
        }
        guard isIndexed(job.value["spec"]), let count = job.value[["spec", "completions"]]?.int, count > 0 else {
            return
        }
        let last = "\(job.name)-\(count - 1)"
        if !NameSyntax.dnsLabel(last).isEmpty {
            errors.append(
                .invalid(
                    FieldPath("metadata", "name"), .string(job.name),
                    "will not able to create pod with invalid DNS label: \(last)"))
        }
    }

    private static func checkGenerated(_ job: KubeObject, _ errors: inout [FieldError]) {
        let metadata = FieldPath("spec", "template", "metadata")
        let wanted = JobLabels.all(of: job)
        let labels = job.value[["spec", "template", "metadata", "labels"]]
        for (name, value) in wanted where labels?[name]?.string != value {
            let path = metadata.child("labels")[name]
            if labels?[name] != nil {
                errors.append(FieldError(.invalid, path, shownValue: GoText.map(labels), "must be '\(value)'"))
            } else {
                errors.append(.required(path, "must be '\(value)'"))
            }
        }
        let selector = job.value[["spec", "selector"]]
        if !LabelSelector(selector).matches(Dictionary(wanted, uniquingKeysWith: { first, _ in first })) {
            errors.append(
                FieldError(
                    .invalid, FieldPath("spec", "selector"), shownValue: GoText.selector(selector),
                    "`selector` not auto-generated"))
        }
    }
}

/// The labels by which the pods of a Job are known.
enum JobLabels {
    static let uid = "batch.kubernetes.io/controller-uid"
    static let name = "batch.kubernetes.io/job-name"

    /// The present ones, and those of old.
    static func all(of job: KubeObject) -> [(String, String)] {
        [("controller-uid", job.uid), ("job-name", job.name), (uid, job.uid), (name, job.name)]
    }

    /// Gives a new Job its selector, and the template the labels for it.
    ///
    /// What the writer has set stays, and is held against the right values by validation.
    static func generate(_ job: inout KubeObject) {
        let path = ["spec", "template", "metadata", "labels"]
        for (name, value) in all(of: job) where job.value[path + [name]] == nil {
            job.value[path + [name]] = .string(value)
        }
        let selector = ["spec", "selector", "matchLabels", uid]
        if job.value[selector] == nil { job.value[selector] = .string(job.uid) }
    }
}

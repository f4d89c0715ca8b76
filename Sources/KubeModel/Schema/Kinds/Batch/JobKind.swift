private func isTrue(_ type: String, _ job: KubeObject) -> Bool {
    Conditions(job.value[["status", "conditions"]])[type]?.isTrue ?? false
}

/// What a Job gets that its writer left out.
@Sendable
private func complete(_ job: inout JSONValue) {
    job.change("spec") { spec in
        if spec["completions"] == nil, spec["parallelism"] == nil { spec["completions"] = 1 }
        if spec["parallelism"] == nil { spec["parallelism"] = 1 }
        if spec["backoffLimit"] == nil {
            spec["backoffLimit"] = spec["backoffLimitPerIndex"] == nil ? 6 : JSONValue(Int(Int32.max))
        }
        spec.setDefault("completionMode", "NonIndexed")
        if spec["suspend"] == nil { spec["suspend"] = false }
        let isFree = spec["podFailurePolicy"] == nil
        spec.setDefault("podReplacementPolicy", isFree ? "TerminatingOrFailed" : "Failed")
    }
    takeLabels(&job)
}

/// A Job without labels bears those of its pods.
private func takeLabels(_ job: inout JSONValue) {
    guard let labels = job[["spec", "template", "metadata", "labels"]], !JSONValue.isEmpty(labels),
        JSONValue.isEmpty(job[["metadata", "labels"]])
    else { return }
    job[["metadata", "labels"]] = labels
}

extension KindSchema {
    /// Runs pods until enough of them have succeeded.
    static let job = KindSchema(
        .jobs, categories: ["all"],
        root: MetadataSchemas.kind(
            "io.k8s.api.batch.v1.Job", doc: "Runs pods until enough of them have succeeded.",
            [
                .field("spec", JobSchemas.spec, default: [:], doc: "What is to be done."),
                .field("status", JobSchemas.status, doc: "How far it has come."),
            ]
        ).defaulting(complete),
        subresources: ["status"],
        columns: [
            .name,
            .computed("Status", "Where the Job stands.") { job, _ in .string(status(of: job)) },
            .computed("Completions", "Pods that succeeded of those that must.") { job, _ in
                .string(completions(of: job))
            },
            .computed("Duration", "How long the Job has run.") { job, now in .string(duration(of: job, now: now)) },
            .age, .containers, .images,
            .wide("Selector", "The pods that belong to the object.") { job, _ in
                .string(ContainerCells.selector(job.value[["spec", "selector"]]))
            },
        ],
        behavior: KindBehavior {
            $0.countsGenerations = true
            $0.initialStatus = [:]
            $0.prepareForCreate = { job in
                if job.value[["spec", "manualSelector"]] != true { JobLabels.generate(&job) }
                takeLabels(&job.value)
            }
            $0.validate = JobRules.checkJob
            $0.validateUpdate = JobUpdateRules.check
        })

    private static func status(of job: KubeObject) -> String {
        if isTrue("Complete", job) { return "Complete" }
        if isTrue("Failed", job) { return "Failed" }
        if job.isBeingDeleted { return "Terminating" }
        if isTrue("Suspended", job) { return "Suspended" }
        return isTrue("FailureTarget", job) ? "FailureTarget" : "Running"
    }

    private static func completions(of job: KubeObject) -> String {
        let succeeded = job.value[["status", "succeeded"]]?.int ?? 0
        if let wanted = job.value[["spec", "completions"]]?.int { return "\(succeeded)/\(wanted)" }
        let parallelism = job.value[["spec", "parallelism"]]?.int ?? 0
        return parallelism > 1 ? "\(succeeded)/1 of \(parallelism)" : "\(succeeded)/1"
    }

    private static func duration(of job: KubeObject, now: Timestamp) -> String {
        func time(_ name: String) -> Timestamp? {
            job.value[["status", name]]?.string.flatMap(Timestamp.init(parsing:))
        }
        guard let start = time("startTime") else { return "" }
        return HumanDuration.since(start, now: time("completionTime") ?? now)
    }
}

/// What may not change about a Job, and what its status may not say.
enum JobUpdateRules {
    @Sendable
    static func check(_ job: KubeObject, _ old: KubeObject, _ subresource: String?, _ errors: inout [FieldError]) {
        if subresource == "status" {
            checkStatus(job, old, &errors)
        } else {
            checkSpec(job, old, &errors)
        }
    }

    // MARK: Spec

    private static func checkSpec(_ job: KubeObject, _ old: KubeObject, _ errors: inout [FieldError]) {
        let path = FieldPath("spec")
        let (spec, before) = (job.value["spec"] ?? [:], old.value["spec"] ?? [:])
        checkCompletions(spec, before, path, &errors)
        func fix(_ name: String, shownValue: String? = nil) {
            guard spec[name] != before[name] else { return }
            errors.append(
                FieldError(.invalid, path.child(name), value: spec[name], shownValue: shownValue, "field is immutable"))
        }
        fix("selector", shownValue: GoText.selector(spec["selector"]))
        if template(spec, isFree: isFree(old)) != template(before, isFree: isFree(old)) {
            errors.append(.invalid(path.child("template"), spec["template"], "field is immutable"))
        }
        for name in ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"] {
            fix(name)
        }
    }

    /// The number of an indexed Job may change together with its parallelism.
    private static func checkCompletions(
        _ spec: JSONValue, _ before: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        guard spec["completions"] != before["completions"] else { return }
        let path = path.child("completions")
        if !JobRules.isIndexed(spec) {
            errors.append(.invalid(path, spec["completions"], "field is immutable"))
        } else if let count = spec["completions"], count != spec["parallelism"] {
            errors.append(.invalid(path, count, "can only be modified in tandem with spec.parallelism"))
        }
    }

    /// Where the pods run may still change while a Job is suspended and has never run.
    private static func isFree(_ old: KubeObject) -> Bool {
        old.value[["spec", "suspend"]] == true && old.value[["status", "startTime"]] == nil
    }

    private static func template(_ spec: JSONValue, isFree: Bool) -> JSONValue {
        var template = spec["template"] ?? [:]
        guard isFree else { return template }
        for name in ["nodeSelector", "tolerations", "schedulingGates"] { template[["spec", name]] = nil }
        template[["spec", "affinity", "nodeAffinity"]] = nil
        if JSONValue.isEmpty(template[["spec", "affinity"]]) { template[["spec", "affinity"]] = nil }
        for name in ["labels", "annotations"] { template[["metadata", name]] = nil }
        if JSONValue.isEmpty(template["metadata"]) { template["metadata"] = nil }
        return template
    }

    // MARK: Status

    private static func isTrue(_ type: String, _ job: KubeObject) -> Bool {
        Conditions(job.value[["status", "conditions"]])[type]?.isTrue ?? false
    }

    private static func checkStatus(_ job: KubeObject, _ old: KubeObject, _ errors: inout [FieldError]) {
        let path = FieldPath("status")
        let status = job.value["status"] ?? [:]
        for name in ["active", "succeeded", "failed", "ready", "terminating"] {
            guard let number = status[name], number.int ?? 0 < 0 else { continue }
            errors.append(.invalid(path.child(name), number, "must be greater than or equal to 0"))
        }
        checkUncounted(status["uncountedTerminatedPods"], path.child("uncountedTerminatedPods"), &errors)
        checkConditions(job, path, &errors)
        checkFinished(job, status, path, &errors)
        checkIndexes(job, status, path, &errors)
        if status["ready"]?.int ?? 0 > status["active"]?.int ?? 0 {
            errors.append(.invalid(path.child("ready"), status["ready"], "cannot set more ready pods than active"))
        }
        checkProgress(job, old, path, &errors)
    }

    private static func checkUncounted(_ pods: JSONValue?, _ path: FieldPath, _ errors: inout [FieldError]) {
        var seen: Set<String> = []
        for list in ["succeeded", "failed"] {
            for (index, uid) in (pods?[list]?.array ?? []).enumerated() {
                let place = path.child(list)[index]
                if uid == "" {
                    errors.append(.invalid(place, uid, "must not be empty"))
                } else if !seen.insert(uid.string ?? "").inserted {
                    errors.append(.duplicate(place, uid))
                }
            }
        }
    }

    private static func checkConditions(_ job: KubeObject, _ path: FieldPath, _ errors: inout [FieldError]) {
        let isComplete = isTrue("Complete", job)
        let isFailed = isTrue("Failed", job)
        let isMet = isTrue("SuccessCriteriaMet", job)
        let isTarget = isTrue("FailureTarget", job)
        let complaints: [(Bool, String)] = [
            (isComplete && isFailed, "cannot set Complete=True and Failed=true conditions"),
            (isComplete && isTarget, "cannot set Complete=True and FailureTarget=true conditions"),
            (isFailed && !isTarget, "cannot set Failed=True condition without the FailureTarget=true condition"),
            (
                isComplete && !isMet,
                "cannot set Complete=True condition without the SuccessCriteriaMet=true condition"
            ),
            (isMet && isFailed, "cannot set SuccessCriteriaMet=True and Failed=true conditions"),
            (isMet && isTarget, "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"),
        ]
        for (isWrong, text) in complaints where isWrong {
            errors.append(JobPolicyRules.invalid(path.child("conditions"), text))
        }
    }

    private static func checkFinished(
        _ job: KubeObject, _ status: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        let isComplete = isTrue("Complete", job)
        let (start, end) = (status["startTime"]?.string, status["completionTime"]?.string)
        if let end, !isComplete {
            errors.append(
                .invalid(
                    path.child("completionTime"), .string(end),
                    "cannot set completionTime when there is no Complete=True condition"))
        }
        if end == nil, isComplete {
            errors.append(.required(path.child("completionTime"), "completionTime is required for Complete jobs"))
        }
        if let from = start.flatMap(Timestamp.init(parsing:)), let to = end.flatMap(Timestamp.init(parsing:)), to < from
        {
            errors.append(
                .invalid(
                    path.child("completionTime"), status["completionTime"],
                    "completionTime cannot be set before startTime"))
        }
        guard isComplete || isTrue("Failed", job) else { return }
        for (name, text) in [
            ("active", "active>0 is invalid for finished job"),
            ("terminating", "terminating>0 is invalid for finished job"),
        ] where status[name]?.int ?? 0 > 0 {
            errors.append(.invalid(path.child(name), status[name], text))
        }
        if start == nil { errors.append(.required(path.child("startTime"), "startTime is required for finished job")) }
        let uncounted = status["uncountedTerminatedPods"]
        if !JSONValue.isEmpty(uncounted?["succeeded"]) || !JSONValue.isEmpty(uncounted?["failed"]) {
            errors.append(
                .invalid(
                    path.child("uncountedTerminatedPods"), uncounted,
                    "uncountedTerminatedPods needs to be empty for finished job"))
        }
    }

    private static func checkIndexes(
        _ job: KubeObject, _ status: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        let spec = job.value["spec"]
        var sets: [String: IndexRanges] = [:]
        if let completions = spec?["completions"]?.int {
            for name in ["completedIndexes", "failedIndexes"] {
                guard let text = status[name]?.string else { continue }
                do throws(IndexSetError) {
                    sets[name] = try IndexRanges(parsing: text, completions: completions)
                } catch {
                    errors.append(
                        .invalid(path.child(name), .string(text), "error parsing \(name): \(error.message)"))
                }
            }
        }
        if !JSONValue.isEmpty(status["completedIndexes"]), !JobRules.isIndexed(spec) {
            errors.append(
                .invalid(
                    path.child("completedIndexes"), status["completedIndexes"],
                    "cannot set non-empty completedIndexes when non-indexed completion mode"))
        }
        if let failed = status["failedIndexes"], spec?["backoffLimitPerIndex"] == nil {
            errors.append(
                .invalid(
                    path.child("failedIndexes"), failed,
                    "cannot set non-null failedIndexes when backoffLimitPerIndex is null"))
        }
        if let completed = sets["completedIndexes"], let index = sets["failedIndexes"]?.overlap(with: completed) {
            errors.append(
                .invalid(
                    path.child("failedIndexes"), status["failedIndexes"],
                    "failedIndexes and completedIndexes overlap at index: \(index)"))
        }
    }

    private static func checkProgress(
        _ job: KubeObject, _ old: KubeObject, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        for type in ["Failed", "Complete", "FailureTarget"] where isTrue(type, old) && !isTrue(type, job) {
            errors.append(
                JobPolicyRules.invalid(path.child("conditions"), "cannot disable the terminal \(type)=True condition"))
        }
        let (status, before) = (job.value["status"], old.value["status"])
        for name in ["failed", "succeeded"] where status?[name]?.int ?? 0 < before?[name]?.int ?? 0 {
            errors.append(.invalid(path.child(name), status?[name] ?? 0, "cannot decrease the \(name) counter"))
        }
        if let end = status?["completionTime"], let was = before?["completionTime"], end != was {
            errors.append(.invalid(path.child("completionTime"), end, "completionTime cannot be mutated"))
        }
        if let start = before?["startTime"], start != status?["startTime"], job.value[["spec", "suspend"]] != true {
            errors.append(
                .required(path.child("startTime"), "startTime cannot be removed for unsuspended job"))
        }
        if isTrue("SuccessCriteriaMet", old), !isTrue("SuccessCriteriaMet", job) {
            errors.append(
                JobPolicyRules.invalid(
                    path.child("conditions"), "cannot disable the SuccessCriteriaMet=True condition"))
        }
    }
}

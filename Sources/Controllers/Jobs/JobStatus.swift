import KubeModel

/// `status` of a Job, computed from its pods.
enum JobStatus {
    /// The status with the pods that ended noted and not yet counted.
    static func noting(_ tally: JobTally, in job: Job) -> JSONValue {
        var status = job.status
        var uncounted = status["uncountedTerminatedPods"] ?? [:]
        func note(_ pods: [Pod], _ list: String) {
            let uids = (uncounted[list]?.array ?? []) + pods.map { .string($0.uid) }
            if !uids.isEmpty { uncounted[list] = .array(uids) }
        }
        // Successes of indexed Jobs are counted by their indexes.
        if !job.isIndexed { note(tally.newlySucceeded, "succeeded") }
        let policy = JobFailurePolicy(job)
        note(tally.newlyFailed.filter { policy.action(for: $0)?.action != "Ignore" }, "failed")
        status["uncountedTerminatedPods"] = uncounted
        return status
    }

    /// The status when everything noted is counted, and the Job's end if it is there.
    static func final(_ job: Job, _ tally: JobTally, _ plan: JobPlan, now: Timestamp) -> JSONValue {
        var status = job.status
        let removed = Set(plan.deletions)
        let active = tally.active.filter { !removed.contains($0.name) }
        let terminating = tally.terminating.count + removed.count
        func set(_ name: String, _ number: Int, showsZero: Bool = false) {
            status[name] = number > 0 || showsZero ? JSONValue(number) : nil
        }
        set("active", active.count + plan.creations.count)
        set("ready", active.count(where: \.isReady), showsZero: true)
        set("terminating", terminating, showsZero: true)
        set("succeeded", tally.succeeded)
        set("failed", tally.failed)
        status["uncountedTerminatedPods"] = [:]
        if job.isIndexed {
            let text = tally.completedIndexes.description
            status["completedIndexes"] = text.isEmpty ? nil : .string(text)
            if job.backoffLimitPerIndex != nil { status["failedIndexes"] = .string(tally.failedIndexes.description) }
        }
        guard let verdict = plan.verdict else { return status }
        var conditions = job.conditions
        func state(_ type: String) {
            conditions.set(JobReconciler.condition(type, true, verdict.reason, verdict.message, now))
        }
        state(verdict.isSuccess ? "SuccessCriteriaMet" : "FailureTarget")
        // Nothing of the Job runs any more once it says that it has ended.
        if active.isEmpty, terminating == 0 {
            state(verdict.isSuccess ? "Complete" : "Failed")
            if verdict.isSuccess { status["completionTime"] = .string(now.text) }
            if status["startTime"] == nil { status["startTime"] = .string(now.text) }
        }
        status["conditions"] = conditions.value
        return status
    }
}

/// The pods of a Job.
enum JobPod {
    static func make(_ job: Job, index: Int?, _ tally: JobTally) -> KubeObject {
        var pod = PodControl.pod(from: job.template, owner: job.object)
        pod.finalizers.append(Job.finalizer)
        guard let index else { return pod }
        pod.value[["metadata", "generateName"]] = .string("\(job.name)-\(index)-")
        pod.annotations[Job.indexLabel] = "\(index)"
        pod.labels[Job.indexLabel] = "\(index)"
        if job.backoffLimitPerIndex != nil {
            let before = tally.failedPods.filter { $0.completionIndex == index }
            let count = before.isEmpty ? 0 : (before.map(\.indexFailures).max() ?? 0) + 1
            pod.annotations[Job.failureCountAnnotation] = "\(count)"
        }
        pod.value[["spec", "hostname"]] = .string("\(job.name)-\(index)")
        let variable: JSONValue = [
            "name": "JOB_COMPLETION_INDEX",
            "valueFrom": ["fieldRef": ["fieldPath": .string("metadata.labels['\(Job.indexLabel)']")]],
        ]
        for list in ["containers", "initContainers"] {
            guard let containers = pod.value[["spec", list]]?.array else { continue }
            pod.value[["spec", list]] = .array(
                containers.map { container in
                    var container = container
                    let present = container["env"]?.array ?? []
                    if !present.contains(where: { $0["name"] == variable["name"] }) {
                        container["env"] = .array(present + [variable])
                    }
                    return container
                })
        }
        return pod
    }
}

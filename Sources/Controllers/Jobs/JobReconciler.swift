import ControllerKit
import KubeClient
import KubeModel

/// Runs the pods of a Job until enough have succeeded or too many have failed.
///
/// Every pod bears a finalizer until it is counted: first its uid is noted in the status, then the finalizer goes, then the
/// number grows. Whenever the controller dies between these steps, the next round goes on where it stood.
struct JobReconciler: Reconciler {
    let client: any ClusterClient
    let events: EventRecorder
    let pace: Pace

    private var control: PodControl { PodControl(client: client, events: events) }

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        let pods = try await client.list(.pods, in: key.namespace).items.map(Pod.init)
        guard let object = try await client.find(.jobs, key) else {
            try await release(pods.filter { Self.isOrphan($0, of: key) })
            return .settled
        }
        var job = Job(object)
        guard job.isOwn else { return .settled }
        if job.isFinished { return try await retire(job, pods) }
        if object.isBeingDeleted {
            try await release(pods.filter { $0.object.controllerOwner?.uid == object.uid })
            return .settled
        }
        try await release(pods.filter { Self.isOrphan($0, of: key) && $0.object.controllerOwner?.uid != object.uid })
        let claimed = try await control.claim(pods, for: object, job.selector)
        job = try await begin(job)
        let now = Timestamp.now
        let tally = JobTally(job, claimed)
        let plan = JobPlan(job, tally, pace: pace, now: now)
        // Pods that are not needed go uncounted; those of a Job that has ended count as failed.
        if plan.verdict == nil { try await release(claimed.filter { plan.deletions.contains($0.name) }) }
        try await control.delete(plan.deletions, of: object)
        var failure: (any Error)?
        do { try await create(plan, job, tally) } catch { failure = error }
        try await report(job, tally, plan, now: now)
        if let failure { throw failure }
        return plan.nextLook.map { .again(after: max($0, .milliseconds(1))) } ?? .settled
    }

    /// Whether a pod is held for a Job of this name.
    private static func isOrphan(_ pod: Pod, of key: ObjectKey) -> Bool {
        guard pod.object.finalizers.contains(Job.finalizer) else { return false }
        guard let owner = pod.object.controllerOwner else { return pod.object.labels["job-name"] == key.name }
        return owner.kind == "Job" && owner.name == key.name
    }

    // MARK: Start and end

    /// Notes when the Job was taken up, suspended and resumed.
    private func begin(_ job: Job) async throws -> Job {
        var status = job.status
        let now = Timestamp.now
        var conditions = job.conditions
        let wasSuspended = conditions["Suspended"]?.isTrue ?? false
        if job.isSuspended, !wasSuspended {
            conditions.set(Self.condition("Suspended", true, "JobSuspended", "Job suspended", now))
            status["startTime"] = nil
        } else if !job.isSuspended, wasSuspended {
            conditions.set(Self.condition("Suspended", false, "JobResumed", "Job resumed", now))
            status["startTime"] = .string(now.text)
        } else if !job.isSuspended, job.startTime == nil {
            status["startTime"] = .string(now.text)
        }
        if !conditions.list.isEmpty { status["conditions"] = conditions.value }
        if status["uncountedTerminatedPods"] == nil { status["uncountedTerminatedPods"] = [:] }
        guard status != job.status else { return job }
        var changed = job.object
        changed.value["status"] = status
        let written = Job(try await client.updateStatus(.jobs, changed))
        if job.isSuspended != wasSuspended {
            let (reason, text) = job.isSuspended ? ("Suspended", "Job suspended") : ("Resumed", "Job resumed")
            await events.record(job.object, .normal, reason: reason, message: text)
        }
        return written
    }

    static func condition(
        _ type: String, _ isTrue: Bool, _ reason: String, _ message: String, _ now: Timestamp
    ) -> StatusCondition {
        var condition = StatusCondition(type, isTrue, reason: reason, message: message, at: now)
        condition.value["lastProbeTime"] = .string(now.text)
        return condition
    }

    /// A Job that has ended lets its pods go, and goes itself when its time is over.
    private func retire(_ job: Job, _ pods: [Pod]) async throws -> Outcome {
        try await release(pods.filter { $0.object.controllerOwner?.uid == job.object.uid })
        guard let seconds = job.ttlSecondsAfterFinished, let end = job.finishTime, !job.object.isBeingDeleted else {
            return .settled
        }
        let left = .seconds(seconds) - (Timestamp.now - end)
        if left > .zero { return .again(after: left) }
        try await client.deleteIfPresent(
            .jobs, job.name, in: job.key.namespace,
            options: DeleteOptions(propagation: .foreground, uid: job.object.uid))
        return .settled
    }

    /// Takes the Job's hold off pods.
    private func release(_ pods: [Pod]) async throws {
        let held = pods.filter { $0.object.finalizers.contains(Job.finalizer) }
        try await inParallel(held.count) { index in
            let pod = held[index]
            let left = pod.object.finalizers.filter { $0 != Job.finalizer }
            let patch = ObjectPatch.merge([
                "metadata": [
                    "uid": .string(pod.uid), "finalizers": left.isEmpty ? .null : .array(left.map(JSONValue.string)),
                ]
            ])
            do throws(Status) {
                _ = try await client.patch(
                    .pods, namespace: pod.namespace, name: pod.name, patch, subresource: nil, options: WriteOptions())
            } catch {
                // Gone, or another pod of the same name.
                guard error.isNotFound || error.isConflict else { throw error }
            }
        }
    }

    // MARK: Pods

    private func create(_ plan: JobPlan, _ job: Job, _ tally: JobTally) async throws {
        let pods = plan.creations.map { JobPod.make(job, index: job.isIndexed ? $0 : nil, tally) }
        try await control.createSlowly(pods, for: job.object)
    }

    // MARK: Status

    private func report(_ job: Job, _ tally: JobTally, _ plan: JobPlan, now: Timestamp) async throws {
        var job = job
        let hasNews = !tally.newlySucceeded.isEmpty || !tally.newlyFailed.isEmpty
        let isNoted = !JSONValue.isBlank(job.status["uncountedTerminatedPods"])
        if hasNews || isNoted {
            let noted = JobStatus.noting(tally, in: job)
            if noted != job.status { job = try await write(noted, job) }
            let done = Set((tally.succeededPods + tally.failedPods).map(\.uid))
            try await release(tally.held.filter { done.contains($0.uid) })
        }
        let status = JobStatus.final(job, tally, plan, now: now)
        guard status != job.status else { return }
        let written = try await write(status, job)
        guard written.isFinished, let verdict = plan.verdict else { return }
        if verdict.isSuccess {
            await events.record(job.object, .normal, reason: "Completed", message: "Job completed")
        } else {
            await events.record(job.object, .warning, reason: verdict.reason, message: verdict.message)
        }
    }

    private func write(_ status: JSONValue, _ job: Job) async throws -> Job {
        var changed = job.object
        changed.value["status"] = status
        return Job(try await client.updateStatus(.jobs, changed))
    }
}

extension JSONValue {
    /// Absent, or an object without content.
    static func isBlank(_ value: JSONValue?) -> Bool { value?.object?.isEmpty ?? true }
}

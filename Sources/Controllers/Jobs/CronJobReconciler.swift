import ControllerKit
import KubeClient
import KubeModel

/// Starts the Jobs of a CronJob when it is time, follows them, and clears away old ones.
struct CronJobReconciler: Reconciler {
    static let timeAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp"

    let client: any ClusterClient
    let events: EventRecorder

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        guard let object = try await client.find(.cronJobs, key), !object.isBeingDeleted else { return .settled }
        let cron = CronJob(object)
        let jobs = try await client.list(.jobs, in: key.namespace).items
            .filter { $0.controllerOwner?.uid == object.uid }.map(Job.init)
        var status = CronJobStatus(cron)
        try await follow(jobs, cron, &status)
        try await clear(jobs, cron)
        let outcome = try await start(cron, jobs, &status)
        if status.value != object.value["status"] ?? [:] {
            var changed = object
            changed.value["status"] = status.value
            _ = try await client.updateStatus(.cronJobs, changed)
        }
        return outcome
    }

    // MARK: Jobs that were started

    private func follow(_ jobs: [Job], _ cron: CronJob, _ status: inout CronJobStatus) async throws {
        for job in jobs {
            let isListed = status.lists(job)
            if !isListed, !job.isFinished {
                // Started a moment ago by ourselves, and the status got lost: take it in.
                await events.record(
                    cron.object, .warning, reason: "UnexpectedJob",
                    message: "Saw a job that the controller did not create or forgot: \(job.name)")
            } else if isListed, job.isFinished {
                status.drop(job.object.uid)
                let condition = job.isComplete ? "Complete" : "Failed"
                await events.record(
                    cron.object, .normal, reason: "SawCompletedJob",
                    message: "Saw completed job: \(job.name), condition: \(condition)")
            }
            if job.isComplete, let end = job.status["completionTime"]?.string.flatMap(Timestamp.init(parsing:)) {
                status.noteSuccess(at: end)
            }
        }
        let present = Set(jobs.map(\.object.uid))
        for reference in status.active where !present.contains(reference["uid"]?.string ?? "") {
            let name = reference["name"]?.string ?? ""
            if let other = try await client.find(.jobs, ObjectKey(namespace: cron.key.namespace, name: name)),
                other.uid == reference["uid"]?.string
            {
                continue
            }
            await events.record(
                cron.object, .normal, reason: "MissingJob", message: "Active job went missing: \(name)")
            status.drop(reference["uid"]?.string ?? "")
        }
    }

    private func clear(_ jobs: [Job], _ cron: CronJob) async throws {
        let limits = [
            (jobs.filter(\.isComplete), cron.successfulJobsHistoryLimit),
            (jobs.filter(\.isFailed), cron.failedJobsHistoryLimit),
        ]
        let origin = Timestamp(seconds: 0)
        for (ended, limit) in limits {
            guard let limit, ended.count > limit else { continue }
            let oldest = ended.sorted { ($0.startTime ?? origin, $0.name) < ($1.startTime ?? origin, $1.name) }
            for job in oldest.prefix(ended.count - limit) where !job.object.isBeingDeleted {
                try await remove(job, of: cron)
            }
        }
    }

    private func remove(_ job: Job, of cron: CronJob) async throws {
        try await client.deleteIfPresent(
            .jobs, job.name, in: cron.key.namespace, options: DeleteOptions(propagation: .background))
        await events.record(cron.object, .normal, reason: "SuccessfulDelete", message: "Deleted job \(job.name)")
    }

    // MARK: The next one

    private func start(_ cron: CronJob, _ jobs: [Job], _ status: inout CronJobStatus) async throws -> Outcome {
        guard !cron.isSuspended else { return .settled }
        guard let zone = TimeZoneRules.named(cron.timeZone) else {
            await events.record(
                cron.object, .warning, reason: "UnknownTimeZone",
                message: "invalid timeZone: \"\(cron.timeZone)\": unknown time zone \(cron.timeZone)")
            return .settled
        }
        let schedule: CronSchedule
        do throws(CronError) { schedule = try CronSchedule(parsing: cron.schedule) } catch {
            await events.record(
                cron.object, .warning, reason: "UnparseableSchedule",
                message: "unparseable schedule: \"\(cron.schedule)\" : \(error.message)")
            return .settled
        }
        let now = Timestamp.now
        let plan = CronJobPlan(cron, schedule, in: zone, now: now)
        let outcome = plan.next.map { Outcome.again(after: $0 - now + .milliseconds(100)) } ?? .settled
        if plan.hasMissedMany {
            await events.record(
                cron.object, .warning, reason: "TooManyMissedTimes",
                message:
                    "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew")
        }
        guard let due = plan.due else { return outcome }
        if let deadline = cron.startingDeadlineSeconds, due + .seconds(deadline) < now {
            await events.record(
                cron.object, .warning, reason: "MissSchedule",
                message: "Missed scheduled time to start a job: \(due.text)")
            return outcome
        }
        let name = CronJobPlan.jobName(cron, at: due)
        if status.active.contains(where: { $0["name"]?.string == name }) || cron.lastScheduleTime == due {
            return outcome
        }
        switch cron.concurrencyPolicy {
        case "Forbid" where !status.active.isEmpty:
            await events.record(
                cron.object, .normal, reason: "JobAlreadyActive",
                message: "Not starting job because prior execution is running and concurrency policy is Forbid")
            return outcome
        case "Replace":
            for job in jobs where status.lists(job) {
                try await remove(job, of: cron)
                status.drop(job.object.uid)
            }
        default: break
        }
        if let job = try await create(name, at: due, cron, zone) { status.add(job) }
        status.noteStart(at: due)
        return outcome
    }

    private func create(
        _ name: String, at time: Timestamp, _ cron: CronJob, _ zone: TimeZoneRules
    ) async throws -> KubeObject? {
        var job = KubeObject(.jobs, namespace: cron.key.namespace, name: name)
        let template = KubeObject(cron.jobTemplate)
        job.labels = template.labels
        job.annotations = template.annotations
        job.annotations[Self.timeAnnotation] = time.text(offset: zone.offset(at: time.seconds))
        job.ownerReferences = [OwnerReference(controller: cron.object)]
        job.value["spec"] = cron.jobTemplate["spec"] ?? [:]
        do throws(Status) {
            let created = try await client.create(.jobs, job)
            await events.record(cron.object, .normal, reason: "SuccessfulCreate", message: "Created job \(name)")
            return created
        } catch {
            if error.isAlreadyExists {
                // Made in an earlier round whose status was not written.
                let present = try await client.find(.jobs, ObjectKey(job))
                return present.flatMap { $0.controllerOwner?.uid == cron.object.uid ? $0 : nil }
            }
            await events.record(
                cron.object, .warning, reason: "FailedCreate", message: "Error creating job: \(error.message)")
            throw error
        }
    }
}

/// `status` of a CronJob on its way to the next state.
struct CronJobStatus {
    private(set) var value: JSONValue

    init(_ cron: CronJob) { value = cron.object.value["status"] ?? [:] }

    var active: [JSONValue] { value["active"]?.array ?? [] }

    func lists(_ job: Job) -> Bool { active.contains { $0["uid"]?.string == job.object.uid } }

    mutating func drop(_ uid: String) {
        let left = active.filter { $0["uid"]?.string != uid }
        value["active"] = left.isEmpty ? nil : .array(left)
    }

    mutating func add(_ job: KubeObject) {
        let reference: JSONValue = [
            "kind": "Job", "namespace": .string(job.namespace ?? ""), "name": .string(job.name),
            "uid": .string(job.uid), "apiVersion": "batch/v1", "resourceVersion": .string(job.resourceVersion),
        ]
        value["active"] = .array(active + [reference])
    }

    mutating func noteStart(at time: Timestamp) { value["lastScheduleTime"] = .string(time.text) }

    mutating func noteSuccess(at time: Timestamp) {
        let last = value["lastSuccessfulTime"]?.string.flatMap(Timestamp.init(parsing:))
        if last.map({ $0 < time }) ?? true { value["lastSuccessfulTime"] = .string(time.text) }
    }
}

extension Timestamp {
    /// RFC 3339 in local time, for example `2026-05-04T15:37:00+02:00`.
    func text(offset: Int64) -> String {
        guard offset != 0 else { return text }
        let local = Timestamp(seconds: seconds + offset).text.dropLast()
        let minutes = abs(offset) / 60
        func pad(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(local)\(offset < 0 ? "-" : "+")\(pad(minutes / 60)):\(pad(minutes % 60))"
    }
}

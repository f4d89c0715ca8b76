import KubeModel

/// When a CronJob starts its next Job.
struct CronJobPlan: Equatable, Sendable {
    /// The time for which a Job is to be started now; nil when none is due.
    var due: Timestamp?
    /// When to look again; nil when there is nothing to wait for.
    var next: Timestamp?
    /// How many starts were missed, if so many that the user should know.
    var hasMissedMany = false

    private static let missedMax = 100

    init(_ cron: CronJob, _ schedule: CronSchedule, in zone: TimeZoneRules, now: Timestamp) {
        next = schedule.next(after: now, in: zone)
        var earliest = cron.lastScheduleTime ?? cron.object.creationTimestamp ?? now
        if let deadline = cron.startingDeadlineSeconds { earliest = max(earliest, now + .seconds(-deadline)) }
        guard earliest < now else { return }
        var count = 0
        var time = earliest
        while let following = schedule.next(after: time, in: zone), following <= now {
            (due, time) = (following, following)
            count += 1
            guard count > Self.missedMax else { continue }
            hasMissedMany = true
            due = Self.latest(schedule, in: zone, now: now, notBefore: following)
            return
        }
    }

    /// The last time before a moment, found by looking back further and further.
    private static func latest(
        _ schedule: CronSchedule, in zone: TimeZoneRules, now: Timestamp, notBefore earliest: Timestamp
    ) -> Timestamp {
        var span: Int64 = 60
        while true {
            let start = max(earliest, now + .seconds(-span))
            var latest = schedule.next(after: start, in: zone).flatMap { $0 <= now ? $0 : nil }
            while let time = latest, let following = schedule.next(after: time, in: zone), following <= now {
                latest = following
            }
            if let latest { return latest }
            if start == earliest { return earliest }
            span *= 4
        }
    }

    /// The name of the Job for a time: the same, however often it is asked for.
    static func jobName(_ cron: CronJob, at time: Timestamp) -> String { "\(cron.name)-\(time.seconds / 60)" }
}

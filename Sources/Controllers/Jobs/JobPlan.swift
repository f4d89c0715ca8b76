import KubeModel

/// What a Job does next: which pods it makes and removes, and how it ends.
struct JobPlan: Equatable, Sendable {
    /// How a Job came to its end.
    struct Verdict: Equatable, Sendable {
        let isSuccess: Bool
        let reason: String
        let message: String
    }

    /// The names of pods that are not needed any more.
    var deletions: [String] = []
    /// For indexed Jobs the numbers of the pods to make; for others zeroes, one a pod.
    var creations: [Int] = []
    /// Set as soon as it is known how the Job will end, even if pods still run.
    var verdict: Verdict?
    /// When to look again, if nothing happens before.
    var nextLook: Duration?

    /// Pods of a failed Job come back after 10 s, then 20 s, 40 s …, at most 10 minutes.
    static let backoff: Duration = .seconds(10)
    static let backoffMax: Duration = .seconds(600)

    init(_ job: Job, _ tally: JobTally, pace: Pace, now: Timestamp) {
        verdict = Self.standingVerdict(job) ?? Self.verdict(job, tally, now: now)
        if verdict != nil || job.isSuspended {
            deletions = tally.active.map(\.name)
            return
        }
        if let deadline = job.activeDeadlineSeconds, let start = job.startTime {
            nextLook = .seconds(deadline) - (now - start)
        }
        size(job, tally, pace: pace, now: now)
    }

    // MARK: The end

    private static func standingVerdict(_ job: Job) -> Verdict? {
        for (type, isSuccess) in [("SuccessCriteriaMet", true), ("FailureTarget", false)] {
            guard let condition = job.conditions[type], condition.isTrue else { continue }
            return Verdict(isSuccess: isSuccess, reason: condition.reason, message: condition.message)
        }
        return nil
    }

    private static func verdict(_ job: Job, _ tally: JobTally, now: Timestamp) -> Verdict? {
        if let message = tally.fatalFailure {
            return Verdict(isSuccess: false, reason: "PodFailurePolicy", message: message)
        }
        let isExhausted = job.restartsContainers && tally.restarts > 0 && tally.restarts >= job.backoffLimit
        if tally.failed > job.backoffLimit || isExhausted {
            return Verdict(
                isSuccess: false, reason: "BackoffLimitExceeded",
                message: "Job has reached the specified backoff limit")
        }
        if let deadline = job.activeDeadlineSeconds, let start = job.startTime, !job.isSuspended,
            now - start >= .seconds(deadline)
        {
            return Verdict(
                isSuccess: false, reason: "DeadlineExceeded", message: "Job was active longer than specified deadline")
        }
        return indexVerdict(job, tally) ?? success(job, tally)
    }

    private static func indexVerdict(_ job: Job, _ tally: JobTally) -> Verdict? {
        guard job.isIndexed, let completions = job.completions else { return nil }
        if let most = job.maxFailedIndexes, tally.failedIndexes.count > most {
            return Verdict(
                isSuccess: false, reason: "MaxFailedIndexesExceeded",
                message: "Job has exceeded the specified maximal number of failed indexes")
        }
        for (number, rule) in (job.spec[["successPolicy", "rules"]]?.array ?? []).enumerated() {
            guard meets(rule, tally, completions) else { continue }
            return Verdict(
                isSuccess: true, reason: "SuccessPolicy", message: "Matched rules at index \(number)")
        }
        let isOver = tally.failedIndexes.count + tally.completedIndexes.count >= completions
        guard !tally.failedIndexes.ranges.isEmpty, isOver else { return nil }
        return Verdict(isSuccess: false, reason: "FailedIndexes", message: "Job has failed indexes")
    }

    private static func meets(_ rule: JSONValue, _ tally: JobTally, _ completions: Int) -> Bool {
        var done = tally.completedIndexes.indexes
        var wanted = completions
        if let text = rule["succeededIndexes"]?.string {
            let counted = (try? IndexRanges(parsing: text, completions: completions)) ?? IndexRanges()
            done = done.filter(counted.contains)
            wanted = counted.count
        }
        return done.count >= rule["succeededCount"]?.int ?? wanted
    }

    private static func success(_ job: Job, _ tally: JobTally) -> Verdict? {
        let isDone =
            job.completions.map { tally.succeeded >= $0 }
            // A queue of work: one pod knows that all is done, and the others end by themselves.
            ?? (tally.succeeded > 0 && tally.active.isEmpty && tally.terminating.isEmpty)
        guard isDone else { return nil }
        return Verdict(
            isSuccess: true, reason: "CompletionsReached", message: "Reached expected number of succeeded pods")
    }

    // MARK: The number of pods

    private mutating func size(_ job: Job, _ tally: JobTally, pace: Pace, now: Timestamp) {
        var wanted: Int
        if let completions = job.completions {
            wanted = min(max(0, completions - tally.succeeded - tally.failedIndexes.count), job.parallelism)
        } else {
            wanted = tally.succeeded > 0 ? min(tally.active.count, job.parallelism) : job.parallelism
        }
        if tally.active.count > wanted {
            deletions = ReplicaPlan(wanted: wanted, pods: tally.active).deletions
            return
        }
        if job.replacesOnlyFailed { wanted -= tally.terminating.count }
        var missing = min(max(0, wanted - tally.active.count), PodControl.burstMax)
        guard missing > 0 else { return }
        if let (count, last) = tally.failuresInRow {
            let pause = pace.prescribed(min(Self.backoff * (1 << min(count - 1, 10)), Self.backoffMax))
            let left = pause - (now - last)
            if left > .zero {
                nextLook = min(nextLook ?? left, left)
                return
            }
        }
        guard job.isIndexed, let completions = job.completions else {
            creations = Array(repeating: 0, count: missing)
            return
        }
        let occupied = tally.occupiedIndexes
        for index in 0..<completions where missing > 0 && !occupied.contains(index) {
            creations.append(index)
            missing -= 1
        }
    }
}

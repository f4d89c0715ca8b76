import KubeModel

/// The pods of a Job, told apart by what they mean for it.
struct JobTally: Sendable {
    /// Neither ended nor on their way out.
    private(set) var active: [Pod] = []
    /// On their way out and not yet ended.
    private(set) var terminating: [Pod] = []
    /// Ended, and not yet in the numbers of the status.
    private(set) var newlySucceeded: [Pod] = []
    private(set) var newlyFailed: [Pod] = []
    /// All that failed, counted or not.
    private(set) var failedPods: [Pod] = []
    private(set) var succeededPods: [Pod] = []
    /// Pods that the Job still holds.
    private(set) var held: [Pod] = []
    /// Failures that a policy says do not count.
    private(set) var ignoredCount = 0

    private(set) var succeeded: Int
    private(set) var failed: Int
    private(set) var completedIndexes: IndexRanges
    private(set) var failedIndexes: IndexRanges

    private let job: Job

    init(_ job: Job, _ pods: [Pod]) {
        self.job = job
        let uncounted = job.status["uncountedTerminatedPods"]
        let uncountedSucceeded = Set((uncounted?["succeeded"]?.array ?? []).compactMap(\.string))
        let uncountedFailed = Set((uncounted?["failed"]?.array ?? []).compactMap(\.string))
        func indexes(_ name: String) -> IndexRanges {
            // What the controller wrote itself is readable; what somebody else wrote may not be, and counts for nothing.
            let text = job.status[name]?.string ?? ""
            return (try? IndexRanges(parsing: text, completions: Int.max)) ?? IndexRanges()
        }
        completedIndexes = indexes("completedIndexes")
        failedIndexes = indexes("failedIndexes")
        succeeded = job.succeeded + uncountedSucceeded.count
        failed = job.failed + uncountedFailed.count
        for pod in pods { add(pod, isCounted: uncountedSucceeded.union(uncountedFailed).contains(pod.uid)) }
        settleIndexes()
    }

    private mutating func add(_ pod: Pod, isCounted: Bool) {
        let isHeld = pod.object.finalizers.contains(Job.finalizer)
        if isHeld { held.append(pod) }
        if pod.phase == "Succeeded" {
            succeededPods.append(pod)
            if isHeld, !isCounted { newlySucceeded.append(pod) }
        } else if pod.object.isBeingDeleted, !pod.isTerminal, !isHeld {
            terminating.append(pod)  // Let go before it was asked to end: it was not needed any more, and did not fail.
        } else if hasFailed(pod) {
            failedPods.append(pod)
            if !pod.isTerminal { terminating.append(pod) }
            if isHeld, !isCounted { countFailure(pod) }
        } else if pod.object.isBeingDeleted {
            terminating.append(pod)
        } else {
            active.append(pod)
        }
    }

    /// A pod that is asked to end never comes to an end of its own, and counts as failed.
    private func hasFailed(_ pod: Pod) -> Bool {
        if pod.phase == "Failed" { return true }
        return pod.object.isBeingDeleted && !job.replacesOnlyFailed
    }

    private mutating func countFailure(_ pod: Pod) {
        newlyFailed.append(pod)
        if JobFailurePolicy(job).action(for: pod)?.action == "Ignore" {
            ignoredCount += 1
        } else {
            failed += 1
        }
    }

    private mutating func settleIndexes() {
        guard job.isIndexed else {
            succeeded += newlySucceeded.count
            return
        }
        let limit = job.completions ?? 0
        let done = succeededPods.compactMap(\.completionIndex).filter { $0 < limit }
        completedIndexes = IndexRanges(completedIndexes.indexes.filter { $0 < limit } + done)
        succeeded = completedIndexes.count
        guard let perIndex = job.backoffLimitPerIndex else { return }
        var lost = failedIndexes.indexes
        for pod in failedPods {
            guard let index = pod.completionIndex, !completedIndexes.contains(index) else { continue }
            let policy = JobFailurePolicy(job).action(for: pod)?.action
            if policy == "Ignore" { continue }
            if policy == "FailIndex" || pod.indexFailures >= perIndex { lost.append(index) }
        }
        failedIndexes = IndexRanges(lost.filter { $0 < limit })
    }

    /// The failure that ends the whole Job, by the Job's own policy.
    var fatalFailure: String? {
        let policy = JobFailurePolicy(job)
        for pod in failedPods {
            if let match = policy.action(for: pod), match.action == "FailJob" { return match.message }
        }
        return nil
    }

    /// How often containers were started again in pods that do so.
    var restarts: Int {
        active.reduce(0) { sum, pod in
            let containers = pod.object.value[["status", "initContainerStatuses"]]?.array ?? []
            return sum + pod.restartCount + containers.reduce(0) { $0 + ($1["restartCount"]?.int ?? 0) }
        }
    }

    /// Indexes for which no pod has to be made: done, lost or being worked on.
    var occupiedIndexes: Set<Int> {
        var occupied = Set(completedIndexes.indexes).union(failedIndexes.indexes)
        occupied.formUnion(active.compactMap(\.completionIndex))
        if job.replacesOnlyFailed { occupied.formUnion(terminating.compactMap(\.completionIndex)) }
        return occupied
    }

    /// When the last of the failures in a row happened, and how many they are.
    var failuresInRow: (count: Int, last: Timestamp)? {
        let origin = Timestamp(seconds: 0)
        let lastSuccess = succeededPods.compactMap(\.endTime).max() ?? origin
        let times = failedPods.compactMap(\.endTime).filter { $0 > lastSuccess }
        return times.max().map { (times.count, $0) }
    }
}

extension Pod {
    /// The number of a pod of an indexed Job.
    var completionIndex: Int? {
        (object.annotations[Job.indexLabel] ?? object.labels[Job.indexLabel]).flatMap { Int($0) }
    }

    /// How often pods of this one's index had failed before it was made.
    var indexFailures: Int { object.annotations[Job.failureCountAnnotation].flatMap { Int($0) } ?? 0 }

    /// When the pod ended, as well as it is known.
    var endTime: Timestamp? {
        let ends = containerStatuses.compactMap {
            $0[["state", "terminated", "finishedAt"]]?.string.flatMap(Timestamp.init(parsing:))
        }
        if let last = ends.max() { return last }
        return conditions["Ready"]?.lastTransitionTime ?? object.deletionTimestamp ?? object.creationTimestamp
    }
}

/// What the rules of a Job say about a pod that failed.
struct JobFailurePolicy {
    private let job: Job

    init(_ job: Job) { self.job = job }

    struct Match: Equatable {
        let action: String
        let message: String
    }

    /// The first rule that fits; nil when the failure counts as usual.
    func action(for pod: Pod) -> Match? {
        guard pod.phase == "Failed" else { return nil }
        for (index, rule) in (job.spec[["podFailurePolicy", "rules"]]?.array ?? []).enumerated() {
            let action = rule["action"]?.string ?? ""
            let tail = "matching \(action) rule at index \(index)"
            if let codes = rule["onExitCodes"], let (container, code) = fitting(codes, pod) {
                return Match(
                    action: action,
                    message:
                        "Container \(container) for pod \(pod.namespace)/\(pod.name) failed with exit code \(code) "
                        + tail)
            }
            for pattern in rule["onPodConditions"]?.array ?? [] {
                let type = pattern["type"]?.string ?? ""
                guard let condition = pod.conditions[type], condition.status == pattern["status"]?.string ?? "True"
                else { continue }
                return Match(
                    action: action, message: "Pod \(pod.namespace)/\(pod.name) has condition \(type) \(tail)")
            }
        }
        return nil
    }

    private func fitting(_ codes: JSONValue, _ pod: Pod) -> (String, Int)? {
        let values = Set((codes["values"]?.array ?? []).compactMap(\.int))
        let isIn = codes["operator"]?.string == "In"
        let statuses = pod.containerStatuses + (pod.object.value[["status", "initContainerStatuses"]]?.array ?? [])
        for status in statuses {
            guard let name = status["name"]?.string, codes["containerName"]?.string ?? name == name,
                let code = status[["state", "terminated", "exitCode"]]?.int, code != 0,
                values.contains(code) == isIn
            else { continue }
            return (name, code)
        }
        return nil
    }
}

import KubeModel

/// Why no number of pods could be computed, in the words of Kubernetes.
struct MetricError: Error, Equatable {
    let message: String
}

/// How many pods a resource metric asks for; a value without clock and client.
///
/// Source: Kubernetes docs, "Horizontal Pod Autoscaling", algorithm details.
struct ReplicaCalculator {
    /// What a pod uses of the resource, in thousandths.
    struct Measured {
        var amount: Int64
        var time: Timestamp
        var window: Duration
    }

    struct Outcome: Equatable {
        var replicas: Int
        /// Percent of what the pods request; nil for a target that is an amount.
        var utilization: Int?
        /// The average of all pods, in thousandths.
        var average: Int64
    }

    static let tolerance = 0.1
    static let initializationPeriod = Duration.seconds(300)
    static let initialReadinessDelay = Duration.seconds(30)

    /// `cpu` or `memory`.
    let resource: String
    /// Only this container of each pod counts; nil counts all.
    let container: String?
    let now: Timestamp

    private struct Groups {
        var readyCount = 0
        var unready: Set<String> = []
        var missing: Set<String> = []
        var ignored: Set<String> = []
    }

    private func group(_ pods: [Pod], _ measured: [String: Measured]) -> Groups {
        var groups = Groups()
        for pod in pods {
            if pod.object.isBeingDeleted || pod.phase == "Failed" {
                groups.ignored.insert(pod.name)
            } else if pod.phase == "Pending" {
                groups.unready.insert(pod.name)
            } else if let metric = measured[pod.name] {
                if resource == "cpu", isUnready(pod, metric) {
                    groups.unready.insert(pod.name)
                } else {
                    groups.readyCount += 1
                }
            } else {
                groups.missing.insert(pod.name)
            }
        }
        return groups
    }

    /// Whether a pod's use of the processor says nothing yet, because it is still starting.
    private func isUnready(_ pod: Pod, _ metric: Measured) -> Bool {
        let start = pod.object.value[["status", "startTime"]]?.string.flatMap(Timestamp.init(parsing:))
        guard let ready = pod.conditions["Ready"], let start else { return true }
        let changed = ready.lastTransitionTime ?? start
        if start + Self.initializationPeriod > now { return !ready.isTrue || metric.time < changed + metric.window }
        return !ready.isTrue && start + Self.initialReadinessDelay > changed
    }

    /// What each pod requests of the resource, in thousandths.
    private func requests(_ pods: [Pod]) throws(MetricError) -> [String: Int64] {
        var requests: [String: Int64] = [:]
        for pod in pods {
            var sum: Int64 = 0
            for item in pod.containers where container == nil || item.name == container {
                guard let request = item.requests[resource] else {
                    throw MetricError(
                        message: "missing request for \(resource) in container \(item.name) of Pod \(pod.name)")
                }
                sum += request.milliValue
            }
            requests[pod.name] = sum
        }
        return requests
    }

    private func check(_ pods: [Pod], _ measured: [String: Measured]) throws(MetricError) {
        if measured.isEmpty {
            throw MetricError(
                message: "unable to get metrics for resource \(resource): no metrics returned from resource metrics API"
            )
        }
        if pods.isEmpty {
            throw MetricError(message: "no pods returned by selector while calculating replica count")
        }
    }

    private static let noneReady = MetricError(
        message: "did not receive metrics for targeted pods (pods might be unready)")

    /// For a target in percent of what the pods request.
    func replicas(
        current: Int, targetUtilization: Int, pods: [Pod], measured: [String: Measured]
    ) throws(MetricError) -> Outcome {
        try check(pods, measured)
        let groups = group(pods, measured)
        var amounts = measured.mapValues(\.amount)
        for name in groups.ignored.union(groups.unready) { amounts[name] = nil }
        let requests = try requests(pods)
        guard !amounts.isEmpty else { throw Self.noneReady }
        func percent(_ amounts: [String: Int64]) throws(MetricError) -> (Int, Double) {
            let known = amounts.filter { requests[$0.key] != nil }
            let wanted = known.keys.reduce(Int64(0)) { $0 + (requests[$1] ?? 0) }
            guard wanted > 0 else { throw MetricError(message: "no metrics returned matched known pods") }
            let share = Int(known.values.reduce(0, +) * 100 / wanted)
            return (share, Double(share) / Double(targetUtilization))
        }
        let (utilization, ratio) = try percent(amounts)
        let average = amounts.values.reduce(0, +) / Int64(amounts.count)
        func outcome(_ replicas: Int) -> Outcome {
            Outcome(replicas: replicas, utilization: utilization, average: average)
        }
        let filled = fill(amounts, groups, ratio) { name, isFull in
            isFull ? (requests[name] ?? 0) * Int64(max(100, targetUtilization)) / 100 : 0
        }
        guard let filled else {
            return outcome(Self.isClose(ratio) ? current : Self.roundedUp(ratio * Double(groups.readyCount)))
        }
        return outcome(Self.settle(current, ratio, try percent(filled).1, filled.count))
    }

    /// For a target that is an amount for each pod, in thousandths.
    func replicas(
        current: Int, targetAmount: Int64, pods: [Pod], measured: [String: Measured]
    ) throws(MetricError) -> Outcome {
        try check(pods, measured)
        let groups = group(pods, measured)
        var amounts = measured.mapValues(\.amount)
        for name in groups.ignored.union(groups.unready) { amounts[name] = nil }
        guard !amounts.isEmpty else { throw Self.noneReady }
        func share(_ amounts: [String: Int64]) -> Double {
            Double(amounts.values.reduce(0, +) / Int64(amounts.count)) / Double(targetAmount)
        }
        let ratio = share(amounts)
        let average = amounts.values.reduce(0, +) / Int64(amounts.count)
        func outcome(_ replicas: Int) -> Outcome {
            Outcome(replicas: replicas, utilization: nil, average: average)
        }
        guard let filled = fill(amounts, groups, ratio, { _, isFull in isFull ? targetAmount : 0 }) else {
            return outcome(Self.isClose(ratio) ? current : Self.roundedUp(ratio * Double(groups.readyCount)))
        }
        return outcome(Self.settle(current, ratio, share(filled), filled.count))
    }

    /// The amounts with careful guesses for pods of which nothing is known; nil when no guess is needed.
    private func fill(
        _ amounts: [String: Int64], _ groups: Groups, _ ratio: Double, _ guess: (String, Bool) -> Int64
    ) -> [String: Int64]? {
        let holdsUnready = !groups.unready.isEmpty && ratio > 1
        guard holdsUnready || !groups.missing.isEmpty else { return nil }
        var amounts = amounts
        // On the way down a pod without metrics counts as busy, on the way up as idle.
        if ratio != 1 { for name in groups.missing { amounts[name] = guess(name, ratio < 1) } }
        if holdsUnready { for name in groups.unready { amounts[name] = 0 } }
        return amounts
    }

    private static func isClose(_ ratio: Double) -> Bool { abs(1 - ratio) <= tolerance }

    private static func roundedUp(_ value: Double) -> Int { Int(value.rounded(.up)) }

    /// The number that the guesses lead to, unless they would turn the direction round.
    private static func settle(_ current: Int, _ ratio: Double, _ guessed: Double, _ count: Int) -> Int {
        if isClose(guessed) || (ratio < 1 && guessed > 1) || (ratio > 1 && guessed < 1) { return current }
        let replicas = roundedUp(guessed * Double(count))
        if (guessed < 1 && replicas > current) || (guessed > 1 && replicas < current) { return current }
        return replicas
    }
}

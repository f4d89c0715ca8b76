import KubeModel

/// What was recommended and done of late, and what that allows now; a value without a clock.
struct ScalingHistory {
    struct Verdict: Equatable {
        var replicas: Int
        /// Reason and message of the condition `AbleToScale`.
        var able: (reason: String, message: String)
        var isLimited: Bool
        /// Reason and message of the condition `ScalingLimited`.
        var limit: (reason: String, message: String)

        static func == (left: Verdict, right: Verdict) -> Bool {
            left.replicas == right.replicas && left.able == right.able && left.isLimited == right.isLimited
                && left.limit == right.limit
        }
    }

    private struct Note {
        let count: Int
        let time: Timestamp
    }

    private var recommendations: [Note] = []
    private var ups: [Note] = []
    private var downs: [Note] = []

    static let defaultDownWindow = Duration.seconds(300)

    /// The first number that is seen counts as a recommendation, so that a restart does not scale down at once.
    mutating func begin(_ current: Int, now: Timestamp) {
        if recommendations.isEmpty { recommendations = [Note(count: current, time: now)] }
    }

    /// Takes note of a change that was made.
    mutating func scaled(from old: Int, to new: Int, now: Timestamp) {
        if new > old { ups.append(Note(count: new - old, time: now)) }
        if new < old { downs.append(Note(count: old - new, time: now)) }
        let oldest = now + .seconds(-1800)
        ups.removeAll { $0.time < oldest }
        downs.removeAll { $0.time < oldest }
    }

    /// What becomes of a recommendation.
    mutating func settle(
        _ wanted: Int, current: Int, min: Int, max: Int, behavior: JSONValue?, now: Timestamp
    ) -> Verdict {
        let up = behavior?["scaleUp"]
        let down = behavior?["scaleDown"]
        let upWindow = Duration.seconds(up?["stabilizationWindowSeconds"]?.int ?? 0)
        let downWindow =
            down?["stabilizationWindowSeconds"]?.int.map { Duration.seconds($0) } ?? Self.defaultDownWindow
        var lowest = wanted
        var highest = wanted
        for note in recommendations {
            if now - note.time < upWindow { lowest = Swift.min(lowest, note.count) }
            if now - note.time < downWindow { highest = Swift.max(highest, note.count) }
        }
        recommendations.append(Note(count: wanted, time: now))
        let window = Swift.max(upWindow, downWindow)
        recommendations.removeAll { now - $0.time > window }
        let stable = Swift.min(Swift.max(current, lowest), highest)
        let able =
            stable == wanted
            ? ("ReadyForNewScale", "recommended size matches current size")
            : wanted >= current
                ? (
                    "ScaleUpStabilized",
                    "recent recommendations were lower than current one, applying the lowest recent recommendation"
                )
                : (
                    "ScaleDownStabilized",
                    "recent recommendations were higher than current one, applying the highest recent recommendation"
                )
        let limited = limit(stable, current: current, min: min, max: max, up: up, down: down, now: now)
        return Verdict(
            replicas: limited.replicas, able: able, isLimited: limited.replicas != stable, limit: limited.why)
    }

    private static let withinRange = ("DesiredWithinRange", "the desired count is within the acceptable range")

    private func limit(
        _ wanted: Int, current: Int, min: Int, max: Int, up: JSONValue?, down: JSONValue?, now: Timestamp
    ) -> (replicas: Int, why: (String, String)) {
        if wanted > current {
            let rate =
                up.map { upLimit($0, current, now: now) }
                // Without a wish: at most a doubling, and 4 from the start.
                ?? Swift.max(current * 2, 4)
            let ceiling = Swift.min(Swift.max(rate, current), max)
            guard wanted > ceiling else { return (wanted, Self.withinRange) }
            return ceiling == max
                ? (max, ("TooManyReplicas", "the desired replica count is more than the maximum replica count"))
                : (
                    ceiling,
                    ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
                )
        }
        if wanted < current {
            let rate = down.map { downLimit($0, current, now: now) } ?? 0
            let floor = Swift.max(Swift.min(rate, current), min)
            guard wanted < floor else { return (wanted, Self.withinRange) }
            return floor == min
                ? (min, ("TooFewReplicas", "the desired replica count is less than the minimum replica count"))
                : (
                    floor,
                    ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate")
                )
        }
        if wanted < min {
            return (min, ("TooFewReplicas", "the desired replica count is less than the minimum replica count"))
        }
        if wanted > max {
            return (max, ("TooManyReplicas", "the desired replica count is more than the maximum replica count"))
        }
        return (wanted, Self.withinRange)
    }

    /// The number of pods at the start of a policy's period.
    private func start(_ policy: JSONValue, _ current: Int, now: Timestamp) -> Int {
        let period = Duration.seconds(policy["periodSeconds"]?.int ?? 15)
        func sum(_ notes: [Note]) -> Int { notes.filter { now - $0.time < period }.reduce(0) { $0 + $1.count } }
        return current - sum(ups) + sum(downs)
    }

    private func upLimit(_ rules: JSONValue, _ current: Int, now: Timestamp) -> Int {
        let limits = (rules["policies"]?.array ?? []).map { policy -> Int in
            let start = start(policy, current, now: now)
            let value = policy["value"]?.int ?? 0
            guard policy["type"] == "Percent" else { return start + value }
            return Int((Double(start) * (1 + Double(value) / 100)).rounded(.up))
        }
        switch rules["selectPolicy"]?.string {
        case "Disabled": return current
        case "Min": return limits.min() ?? current
        default: return limits.max() ?? current
        }
    }

    private func downLimit(_ rules: JSONValue, _ current: Int, now: Timestamp) -> Int {
        let limits = (rules["policies"]?.array ?? []).map { policy -> Int in
            let start = start(policy, current, now: now)
            let value = policy["value"]?.int ?? 0
            guard policy["type"] == "Percent" else { return start - value }
            return Int(Double(start) * (1 - Double(value) / 100))
        }
        switch rules["selectPolicy"]?.string {
        case "Disabled": return current
        case "Min": return limits.max() ?? current
        default: return limits.min() ?? current
        }
    }
}

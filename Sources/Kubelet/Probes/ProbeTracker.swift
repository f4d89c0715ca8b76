import KubeModel

/// Counts the results of one probe and says when they add up to something (Kubernetes docs, "Configure Probes").
struct ProbeTracker: Sendable, Equatable {
    enum Change: Sendable, Equatable {
        case becameHealthy
        case becameUnhealthy
    }

    private let successThreshold: Int
    private let failureThreshold: Int
    private var successes = 0
    private var failures = 0
    /// Nil until the first threshold is reached.
    private(set) var isHealthy: Bool?

    init(successThreshold: Int, failureThreshold: Int) {
        self.successThreshold = successThreshold
        self.failureThreshold = failureThreshold
    }

    init(_ probe: Probe) {
        self.init(successThreshold: probe.successThreshold, failureThreshold: probe.failureThreshold)
    }

    /// Takes a result in; nil when it changes nothing.
    mutating func record(success: Bool) -> Change? {
        if success {
            failures = 0
            successes += 1
            guard successes >= successThreshold, isHealthy != true else { return nil }
            isHealthy = true
            return .becameHealthy
        }
        successes = 0
        failures += 1
        guard failures >= failureThreshold, isHealthy != false else { return nil }
        isHealthy = false
        return .becameUnhealthy
    }
}

/// The pause before a container starts again: 10 s, doubling to 5 minutes; forgotten after 10 minutes of running.
struct RestartBackoff: Sendable, Equatable {
    private var delaySeconds = 10
    private var isFirst = true

    /// How long to wait after the container ended.
    ///
    /// The first restart comes at once, as in Kubernetes; from the second on there is a pause.
    mutating func next(ranFor duration: Duration) -> Duration {
        if duration >= .seconds(600) { self = RestartBackoff() }
        if isFirst {
            isFirst = false
            return .zero
        }
        defer { delaySeconds = min(delaySeconds * 2, 300) }
        return .seconds(delaySeconds)
    }
}

/// The pause before an image is asked for again: 10 s, doubling to 5 minutes.
struct PullBackoff: Sendable, Equatable {
    private var delaySeconds = 10

    mutating func next() -> Duration {
        defer { delaySeconds = min(delaySeconds * 2, 300) }
        return .seconds(delaySeconds)
    }
}

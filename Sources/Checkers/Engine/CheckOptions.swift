public import CourseModel
import KubeClient

/// How a checkpoint is judged.
public struct CheckOptions: Sendable {
    /// Multiplies every deadline: below 1 where the cluster's time factor shortens the waits that a manifest
    /// prescribes.
    public var limitFactor: Double
    /// No deadline that an author gave is cut below this, whatever the factor.
    public var limitMin: Duration
    /// Where the node's ports can be reached, in the order in which they are tried.
    ///
    /// With an empty list the addresses of the nodes are used, after this machine's own.
    public var nodeHosts: [String]
    /// The image of the pod that asks from inside; it must have curl.
    public var probeImage: String
    public var clock: any Clock<Duration>
    /// The time that evidence carries.
    public var now: @Sendable () -> Moment
    /// Sends a GET from this machine.
    public var fetch:
        @Sendable (_ host: String, _ port: Int, _ path: String, _ timeout: Duration) async throws -> Answer

    /// The answer to a request from this machine.
    public struct Answer: Sendable {
        public let status: Int
        public let body: String

        public init(status: Int, body: String) {
            self.status = status
            self.body = body
        }
    }

    public init(
        limitFactor: Double = 1, limitMin: Duration = .seconds(5), nodeHosts: [String] = [],
        probeImage: String = "curlimages/curl",
        clock: any Clock<Duration> = ContinuousClock(), now: @escaping @Sendable () -> Moment = { .now },
        fetch: @escaping @Sendable (String, Int, String, Duration) async throws -> Answer = CheckOptions.get
    ) {
        self.limitFactor = limitFactor
        self.limitMin = limitMin
        self.nodeHosts = nodeHosts
        self.probeImage = probeImage
        self.clock = clock
        self.now = now
        self.fetch = fetch
    }

    /// A plain GET.
    public static let get: @Sendable (String, Int, String, Duration) async throws -> Answer = {
        host, port, path, timeout in
        let answer = try await HTTPFetch.get(host: host, port: port, path: path, timeout: timeout)
        return Answer(status: answer.status, body: String(decoding: answer.body, as: UTF8.self))
    }

    func limit(_ duration: Duration) -> Duration {
        duration == .zero ? .zero : max(min(limitMin, duration), duration * limitFactor)
    }
}

/// What a running checkpoint tells, so that a screen can show it.
public enum CheckProgress: Hashable, Sendable {
    case started(CheckID)
    /// The check waits: for what, what there is now, and for how long it will at most.
    case waiting(CheckID, for: String, found: String, limit: Duration)
    /// The check has done something to the cluster, or undone it.
    case acted(CheckID, String)
    case judged(CheckResult)

    /// One line for plain output; nil for what needs none.
    public var line: String? {
        switch self {
        case .started: nil
        case .waiting(_, let wanted, let found, let limit): "waiting up to \(limit.readable): \(wanted); now: \(found)"
        case .acted(_, let what): what
        case .judged(let result): "\(result.verdict.outcome.rawValue): \(result.title)"
        }
    }
}

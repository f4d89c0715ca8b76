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
    /// Sends a request from this machine.
    public var fetch: @Sendable (Request) async throws -> Answer
    /// False for a cluster that is not ours: checks that need ours are skipped there.
    public var isEmbedded: Bool
    /// What the learner has written in answer to questions.
    public var answers: [QuestionID: String] = [:]
    /// A drill is judged only when it has begun: see ``DrillStage``.
    var needsStage = true

    /// For the course's own proof, which breaks things without a stage and answers as it likes.
    func unstaged(answers: [QuestionID: String]) -> CheckOptions {
        var copy = self
        copy.needsStage = false
        copy.answers = answers
        return copy
    }

    /// A request from this machine.
    public struct Request: Sendable {
        public let method: String
        public let host: String
        public let port: Int
        public let path: String
        /// JSON; nil when nothing is sent.
        public let body: String?
        public let timeout: Duration
    }

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
        isEmbedded: Bool = true, fetch: @escaping @Sendable (Request) async throws -> Answer = CheckOptions.send
    ) {
        self.limitFactor = limitFactor
        self.limitMin = limitMin
        self.nodeHosts = nodeHosts
        self.probeImage = probeImage
        self.clock = clock
        self.now = now
        self.isEmbedded = isEmbedded
        self.fetch = fetch
    }

    /// A plain request.
    public static let send: @Sendable (Request) async throws -> Answer = { request in
        let answer = try await HTTPFetch.send(
            request.method, host: request.host, port: request.port, path: request.path,
            headers: request.body == nil ? [] : [("Content-Type", "application/json")],
            body: request.body.map { Array($0.utf8) }, timeout: request.timeout)
        return Answer(status: answer.status, body: String(decoding: answer.body, as: UTF8.self))
    }

    /// How long nothing has to move before waiting ends.
    var patience: Duration { max(.seconds(1), .seconds(12) * min(1, limitFactor)) }

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

/// What a check found out.
public enum Verdict: Hashable, Sendable {
    case passed
    case failed(Failure)
    /// The check itself could not run; never costs points.
    case unknown(because: String)
    /// A check that it needs has not passed.
    case skipped(because: String)

    /// The four outcomes by name, as reports and the database write them.
    public enum Outcome: String, Hashable, Sendable, Codable, CaseIterable {
        case passed, failed, unknown, skipped
    }

    public var outcome: Outcome {
        switch self {
        case .passed: .passed
        case .failed: .failed
        case .unknown: .unknown
        case .skipped: .skipped
        }
    }

    public var failure: Failure? { if case .failed(let failure) = self { failure } else { nil } }
}

/// As JSON: `outcome`, and beside it what belongs to it.
extension Verdict: Codable {
    private enum CodingKeys: String, CodingKey { case outcome, because, expected, found, hint, cause }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        switch try container.decode(Outcome.self, forKey: .outcome) {
        case .passed: self = .passed
        case .failed: self = .failed(try Failure(from: decoder))
        case .unknown: self = .unknown(because: try container.decode(String.self, forKey: .because))
        case .skipped: self = .skipped(because: try container.decode(String.self, forKey: .because))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(outcome, forKey: .outcome)
        switch self {
        case .passed: break
        case .failed(let failure): try failure.encode(to: encoder)
        case .unknown(let because), .skipped(let because): try container.encode(because, forKey: .because)
        }
    }
}

/// Why a check failed, in what a learner needs to go on.
public struct Failure: Hashable, Sendable, Codable {
    public var expected: String
    public var found: String
    /// Where to look, with the names that matter.
    public var hint: String
    public var cause: Cause

    public init(expected: String, found: String, hint: String, cause: Cause) {
        self.expected = expected
        self.found = found
        self.hint = hint
        self.cause = cause
    }
}

/// What is wrong, as far as the checker can tell.
///
/// Course files name these.
public enum Cause: String, Hashable, Sendable, Codable, CaseIterable {
    /// The object does not exist.
    case missing
    /// It exists, but in another namespace.
    case wrongNamespace = "wrong-namespace"
    /// A field has another value than it should.
    case wrongValue = "wrong-value"
    /// The number of replicas asked for is another one.
    case replicas
    /// The image cannot be pulled.
    case imagePull = "image-pull"
    /// The container starts and ends again.
    case crashLoop = "crash-loop"
    /// A readiness, liveness or startup probe does not succeed.
    case probe
    /// No node can take the pod.
    case unschedulable
    /// The selector of the Service matches no pod.
    case selector
    /// Pods match, but none is ready.
    case noEndpoints = "no-endpoints"
    /// The Service sends to a port on which nothing listens.
    case targetPort = "target-port"
    /// The Service is open on another port of the node.
    case nodePort = "node-port"
    /// Nothing answers.
    case unreachable
    /// Something answers, but not as it should.
    case wrongAnswer = "wrong-answer"
    /// It can no longer be changed into what it should be: it has to be deleted and made anew.
    case immutable
    /// The name is not known to the cluster's DNS.
    case unresolved = "dns"
    /// The log does not say what it should.
    case log
    /// Requests found nobody while something was changed.
    case downtime
    /// A quota, a policy or a validation refused something.
    case refused
    /// It did not come true in time.
    case tooSlow = "too-slow"
    /// Nothing more is known.
    case other
}

/// One line of what was seen while a check ran.
public struct Evidence: Hashable, Sendable, Codable {
    /// When it was seen.
    public var at: Moment
    /// In one line: `payment-gateway-7d4-x2x is Ready`.
    public var what: String
    /// For example `pods/velocitytech/payment-gateway-7d4-x2x`; nil for things that are not objects.
    public var object: String?
    public var uid: String?

    public init(at: Moment, what: String, object: String? = nil, uid: String? = nil) {
        self.at = at
        self.what = what
        self.object = object
        self.uid = uid
    }
}

/// The verdict on one check and what proves it.
public struct CheckResult: Hashable, Sendable, Codable {
    public var check: CheckID
    public var title: String
    public var verdict: Verdict
    public var evidence: [Evidence]
    /// Times that the check measured, in milliseconds, by name: `recovery`, `scale-up`.
    public var measured: [String: Int64]
    /// What passing it was worth when it was judged; nil in records from before checks had points.
    public var points: Int?
    public var started: Moment
    public var finished: Moment

    public init(
        check: CheckID, title: String, verdict: Verdict, evidence: [Evidence] = [], measured: [String: Int64] = [:],
        points: Int? = nil, started: Moment, finished: Moment
    ) {
        self.check = check
        self.title = title
        self.verdict = verdict
        self.evidence = evidence
        self.measured = measured
        self.points = points
        self.started = started
        self.finished = finished
    }
}

/// What a run of a phase's checkpoint found out.
public struct CheckpointResult: Hashable, Sendable, Codable {
    public var lab: LabID
    public var phase: PhaseID
    /// Every check of the phase at that time: a run may have judged only some of them.
    public var checks: [CheckID]
    public var results: [CheckResult]
    public var started: Moment
    public var finished: Moment
    /// The seed that chose what a drill has broken; nil where nothing was chosen.
    ///
    /// An attempt keeps it beside the result.
    public var seed: UInt64?

    private enum CodingKeys: String, CodingKey { case lab, phase, checks, results, started, finished }

    /// With `checks` nil, the results are about every check of the phase.
    public init(
        lab: LabID, phase: PhaseID, checks: [CheckID]? = nil, results: [CheckResult], started: Moment, finished: Moment,
        seed: UInt64? = nil
    ) {
        self.lab = lab
        self.phase = phase
        self.checks = checks ?? results.map(\.check)
        self.results = results
        self.started = started
        self.finished = finished
        self.seed = seed
    }

    public func result(_ check: CheckID) -> CheckResult? { results.first { $0.check == check } }

    /// Passed when all checks that were judged did; unknown when none failed but some could not run.
    public var outcome: Verdict.Outcome {
        let outcomes = Set(results.map(\.verdict.outcome))
        if outcomes == [.passed] { return .passed }
        if outcomes.contains(.failed) { return .failed }
        return outcomes.contains(.unknown) ? .unknown : .failed
    }
}

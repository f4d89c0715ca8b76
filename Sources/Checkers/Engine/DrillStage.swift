public import CourseModel
public import KubeClient
public import KubeModel

/// A drill that has begun: which fault was made, by which seed, and when.
///
/// It is kept in annotations of the lab's namespace, so that it goes with the cluster that was broken, and every
/// program that judges it finds it there.
public struct DrillStage: Hashable, Sendable {
    public let phase: PhaseID
    public let fault: String
    public let seed: UInt64
    public let started: Moment
    /// When its checkpoint was passed for the first time; nil while something is still broken.
    public let mended: Moment?

    private static let prefix = "velocitylab.dev/drill"

    public init(phase: PhaseID, fault: String, seed: UInt64, started: Moment, mended: Moment? = nil) {
        self.phase = phase
        self.fault = fault
        self.seed = seed
        self.started = started
        self.mended = mended
    }

    /// What a lab's namespace says of it; nil when no drill has begun there.
    public init?(_ namespace: KubeObject) {
        let notes = namespace.annotations
        guard let phase = notes[Self.prefix], let fault = notes["\(Self.prefix)-fault"],
            let seed = notes["\(Self.prefix)-seed"].flatMap({ UInt64($0) }),
            let started = notes["\(Self.prefix)-started"].flatMap({ Int64($0) })
        else { return nil }
        self.init(
            phase: PhaseID(rawValue: phase), fault: fault, seed: seed, started: Moment(milliseconds: started),
            mended: notes["\(Self.prefix)-mended"].flatMap { Int64($0) }.map(Moment.init(milliseconds:)))
    }

    /// The time to recovery; nil while something is still broken.
    public var recovery: Duration? { mended.map { $0 - started } }

    /// The drill that has begun in a lab's namespace; nil when none has.
    static func present(in lab: Lab, _ client: any ClusterClient) async -> DrillStage? {
        guard let namespace = try? await client.get(.namespaces, lab.namespace) else { return nil }
        return DrillStage(namespace)
    }

    /// Breaks what is well, in the way that the seed chooses, and starts the clock.
    ///
    /// The lab must be where the drill begins, and at rest.
    public static func begin(
        _ phase: Phase, of lab: Lab, seed: UInt64, client: any ClusterClient, runner: SolutionRunner
    ) async throws {
        guard let fault = phase.fault(seed: seed) else { return }
        try await runner.run(fault.breaking)
        try await note(
            [
                prefix: .string(phase.id.rawValue), "\(prefix)-fault": .string(fault.id),
                "\(prefix)-seed": .string("\(seed)"),
                "\(prefix)-started": .string("\(Moment.now.milliseconds)"), "\(prefix)-mended": .null,
            ], in: lab, client)
    }

    private static func note(_ notes: JSONValue, in lab: Lab, _ client: any ClusterClient) async throws {
        _ = try await client.patch(
            .namespaces, namespace: nil, name: lab.namespace, .merge(["metadata": ["annotations": notes]]),
            subresource: nil, options: WriteOptions())
    }

    /// Stops the clock when the checkpoint is passed for the first time, and puts what it says on record.
    func finish(_ result: CheckpointResult, in lab: Lab, _ client: any ClusterClient) async -> CheckpointResult {
        guard result.outcome == .passed, mended == nil else { return note(in: result) }
        let stopped = DrillStage(
            phase: phase, fault: fault, seed: seed, started: started, mended: result.finished)
        // A clock that cannot be stopped is no reason to keep back the result.
        try? await Self.note(
            ["\(Self.prefix)-mended": .string("\(result.finished.milliseconds)")], in: lab, client)
        return stopped.note(in: result)
    }

    /// Puts the time to recovery and the seed on record, with the first result of a drill that is passed.
    func note(in result: CheckpointResult) -> CheckpointResult {
        var copy = result
        copy.seed = seed
        guard result.outcome == .passed, !result.results.isEmpty else { return copy }
        let took = ((mended ?? result.finished) - started).wholeMilliseconds
        copy.results[0].measured["recovery"] = took
        copy.results[0].evidence.insert(
            Evidence(
                at: started,
                what: "The drill broke it (\(fault), seed \(seed)); well again after "
                    + Duration.milliseconds(took).readable), at: 0)
        return copy
    }
}

public import CourseModel
public import KubeClient
import KubeModel

/// Judges checkpoints over a `ClusterClient`: the embedded cluster and a real one look the same to it.
///
/// It opens its watches before it does anything, acts as the checks say, and keeps what it saw as evidence. A wrong
/// cluster is a verdict, never an error.
public struct CheckEngine: Sendable {
    private let client: any ClusterClient
    private let options: CheckOptions

    public init(client: any ClusterClient, options: CheckOptions = CheckOptions()) {
        self.client = client
        self.options = options
    }

    /// Judges the checkpoint of a phase.
    ///
    /// `check` judges only that check and those that it needs; nil judges all. `progress` is called from the judging
    /// task, in order, and must not block. There is one result for each check, in the author's order. When the task
    /// is cancelled, the checks that were not judged are `unknown`; what was changed in the cluster is undone all the
    /// same.
    public func run(
        _ phase: Phase, of lab: Lab, only check: CheckID? = nil,
        progress: @escaping @Sendable (CheckProgress) -> Void = { _ in }
    ) async -> CheckpointResult {
        let checks = Self.chosen(check, from: phase.checkpoint.checks)
        let started = options.now()
        let stage = phase.isDrill && options.needsStage ? await DrillStage.present(in: lab, client) : nil
        if phase.isDrill, options.needsStage, stage?.phase != phase.id {
            return notBegun(phase, of: lab, checks, progress)
        }
        let resources = Self.resources(of: checks)
        let (stream, continuation) = AsyncStream<Signal>.makeStream()
        let results = await withTaskGroup(of: Void.self) { group in
            for (resource, namespace) in Self.scopes(resources, checks: checks, home: lab.namespace) {
                let watcher = Watcher(
                    client: client, resource: resource, namespace: namespace, clock: options.clock,
                    signals: continuation)
                group.addTask { await watcher.run() }
            }
            var session = CheckSession(
                client: client, options: options, namespace: lab.namespace, signals: stream, continuation: continuation,
                progress: progress)
            await session.waitUntilSynced(resources)
            await session.removeForgottenProbes()
            let results = await Self.judge(checks, in: &session)
            group.cancelAll()
            return results
        }
        continuation.finish()
        let result = CheckpointResult(
            lab: lab.id, phase: phase.id, checks: phase.checkpoint.checks.map(\.id), results: results, started: started,
            finished: options.now())
        return await stage?.finish(result, in: lab, client) ?? result
    }

    /// A drill that nobody has begun would be passed before anything was broken.
    private func notBegun(
        _ phase: Phase, of lab: Lab, _ checks: [Check], _ progress: @Sendable (CheckProgress) -> Void
    ) -> CheckpointResult {
        let now = options.now()
        let reason =
            "the drill has not begun; 'velocity reset \(lab.id)/\(phase.id)' begins it, or the key b in its screen"
        let results = checks.map {
            CheckResult(
                check: $0.id, title: $0.title, verdict: .skipped(because: reason), points: $0.points, started: now,
                finished: now)
        }
        for result in results { progress(.judged(result)) }
        return CheckpointResult(
            lab: lab.id, phase: phase.id, checks: phase.checkpoint.checks.map(\.id), results: results, started: now,
            finished: now)
    }

    private static func judge(_ checks: [Check], in session: inout CheckSession) async -> [CheckResult] {
        var results: [CheckResult] = []
        for check in checks {
            session.progress(.started(check.id))
            let blocker = check.needs.first { needed in results.first { $0.check == needed }?.verdict != .passed }
            let obstacle =
                blocker.map { id in "it needs: \(checks.first { $0.id == id }?.title ?? id.rawValue)" }
                ?? (session.options.isEmbedded ? nil : check.needsEmbedded)
            let result: CheckResult
            if let obstacle {
                let now = session.options.now()
                result = CheckResult(
                    check: check.id, title: check.title, verdict: .skipped(because: obstacle), points: check.points,
                    started: now, finished: now)
            } else {
                result = await session.judge(check)
            }
            session.progress(.judged(result))
            results.append(result)
        }
        return results
    }

    private static func chosen(_ id: CheckID?, from checks: [Check]) -> [Check] {
        guard let id else { return checks }
        var wanted: Set<CheckID> = [id]
        for check in checks.reversed() where wanted.contains(check.id) { wanted.formUnion(check.needs) }
        return checks.filter { wanted.contains($0.id) }
    }

    private static func conditions(of checks: [Check]) -> [ClusterCondition] {
        checks.flatMap { $0.steps.compactMap { if case .expect(let condition, _) = $0 { condition } else { nil } } }
    }

    private static func resources(of checks: [Check]) -> [ResourceType] {
        var resources: [ResourceType] = [.pods, .events]
        let acted = checks.flatMap(\.steps).compactMap { step -> ResourceType? in
            switch step {
            case .act(.scale(let ref, _)), .act(.patch(let ref, _)), .act(.restart(let ref)):
                ResourceType.ofKind(ref.kind)
            case .act(.delete(let selection, _)): ResourceType.ofKind(selection.kind)
            case .act(.load), .expect: nil
            }
        }
        for resource in acted + conditions(of: checks).flatMap(ConditionJudge.resources)
        where !resources.contains(resource) {
            resources.append(resource)
        }
        return resources
    }

    /// One watch for each kind: of the lab's namespace, or of all when a check looks elsewhere.
    private static func scopes(
        _ resources: [ResourceType], checks: [Check], home: String
    ) -> [(ResourceType, String?)] {
        var elsewhere: Set<ResourceType> = []
        for condition in conditions(of: checks) {
            switch condition {
            case .object(let ref, _), .absent(let ref), .endpoints(let ref, _), .ready(let ref, _), .podReady(let ref):
                if let namespace = ref.namespace, namespace != home {
                    elsewhere.formUnion(ConditionJudge.resources(of: condition))
                }
            case .count(let selection, _, _):
                if let namespace = selection.namespace, namespace != home {
                    elsewhere.formUnion(ConditionJudge.resources(of: condition))
                }
            case .replaced, .answers, .logged, .resolves, .lost, .executed, .answered: break
            }
        }
        return resources.map { ($0, elsewhere.contains($0) ? nil : home) }
    }
}

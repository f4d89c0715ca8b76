public import CourseModel
public import KubeClient
import KubeModel

/// Proves that a lab works: red before anything was done, green with every solution, red for every mutant with the
/// cause and the hint that its author promises; and nothing is left behind.
///
/// Every case gets a cluster of its own, in an order that the seed decides, so that no case can lean on another.
public struct CourseVerifier: Sendable {
    /// A cluster for one case.
    public struct Cluster: Sendable {
        public let client: any ClusterClient
        /// Takes the cluster down; called once, whatever happened.
        public let teardown: @Sendable () async -> Void

        public init(client: any ClusterClient, teardown: @escaping @Sendable () async -> Void) {
            self.client = client
            self.teardown = teardown
        }
    }

    /// One thing to prove.
    public enum Case: Hashable, Sendable, CustomStringConvertible {
        case untouched(PhaseID)
        case solution(SolutionID)
        case mutant(MutantID)

        public var description: String {
            switch self {
            case .untouched(let phase): "\(phase) untouched"
            case .solution(let solution): "solution \(solution)"
            case .mutant(let mutant): "mutant \(mutant)"
            }
        }
    }

    /// How a case went.
    public struct CaseResult: Sendable {
        public let lab: LabID
        public let proof: Case
        /// Empty when the case is proved.
        public let problems: [String]
        /// Nil when the cluster could not even be prepared.
        public let checkpoint: CheckpointResult?
    }

    private let lab: Lab
    private let seed: UInt64
    private let options: CheckOptions
    private let makeCluster: @Sendable () async throws -> Cluster

    /// Proves `lab`.
    ///
    /// The `seed` decides the order of the cases; print it, so that a failing order can be run again. `makeCluster`
    /// makes an empty cluster in which nodes are ready and the namespace `default` exists.
    public init(
        lab: Lab, seed: UInt64, options: CheckOptions = CheckOptions(),
        makeCluster: @escaping @Sendable () async throws -> Cluster
    ) {
        self.lab = lab
        self.seed = seed
        self.options = options
        self.makeCluster = makeCluster
    }

    /// All cases of the lab, in the order of the seed.
    public var cases: [Case] {
        var generator = SplitMix64(state: seed)
        let all =
            lab.phases.map { Case.untouched($0.id) } + lab.solutions.map { .solution($0.id) }
            + lab.mutants.map { .mutant($0.id) }
        return all.shuffled(using: &generator)
    }

    /// Proves one case after the other.
    ///
    /// - Parameter report: Called after each case.
    /// - Returns: All results; the lab is proved when none has problems.
    public func verify(report: @Sendable (CaseResult) -> Void = { _ in }) async -> [CaseResult] {
        var results: [CaseResult] = []
        for proof in cases {
            if Task.isCancelled { break }
            let result = await prove(proof)
            report(result)
            results.append(result)
        }
        return results
    }

    private func prove(_ proof: Case) async -> CaseResult {
        func result(_ problems: [String], _ checkpoint: CheckpointResult? = nil) -> CaseResult {
            CaseResult(lab: lab.id, proof: proof, problems: problems, checkpoint: checkpoint)
        }
        guard let plan = plan(for: proof) else {
            return result(["the solution cannot be carried out as it is written"])
        }
        let cluster: Cluster
        do { cluster = try await makeCluster() } catch { return result(["there is no cluster: \(error)"]) }
        let outcome: CaseResult
        do throws(SolutionRunner.Failure) {
            try await SolutionRunner(client: cluster.client, namespace: lab.namespace).run(plan.solutions)
            let before = await Remains(cluster.client)
            let checkpoint = await CheckEngine(client: cluster.client, options: options)
                .run(plan.phase, of: lab, only: plan.check)
            let after = await Remains(cluster.client)
            outcome = result(problems(proof, checkpoint) + after.differences(from: before), checkpoint)
        } catch {
            outcome = result([error.message])
        }
        await cluster.teardown()
        return outcome
    }

    private struct Plan {
        let phase: Phase
        let solutions: [Solution]
        let check: CheckID?
    }

    private func plan(for proof: Case) -> Plan? {
        switch proof {
        case .untouched(let id):
            guard let phase = lab.phase(id), let solution = lab.solutions.first(where: { $0.phase == id }) else {
                return nil
            }
            let before = lab.solutions.chain(endingWith: solution.id).filter { $0.phase != id }
            return Plan(phase: phase, solutions: before, check: nil)
        case .solution(let id):
            guard let solution = lab.solution(id), let phase = lab.phase(solution.phase) else { return nil }
            return Plan(phase: phase, solutions: lab.solutions.chain(endingWith: id), check: nil)
        case .mutant(let id):
            guard let mutant = lab.mutants.first(where: { $0.id == id }), let solution = lab.solution(mutant.solution),
                let phase = lab.phase(solution.phase)
            else { return nil }
            var chain = lab.solutions.chain(endingWith: solution.id)
            for change in mutant.changes {
                guard let index = chain.firstIndex(where: { $0.canApply(change) }),
                    let changed = chain[index].applying(change)
                else { return nil }
                chain[index] = changed
            }
            return Plan(phase: phase, solutions: chain, check: mutant.fails.check)
        }
    }

    private func problems(_ proof: Case, _ checkpoint: CheckpointResult) -> [String] {
        switch proof {
        case .untouched:
            return checkpoint.results.compactMap { result in
                switch result.verdict {
                case .passed: "the check '\(result.check)' passes although nothing was done"
                case .unknown(let because): "the check '\(result.check)' could not run: \(because)"
                case .failed, .skipped: nil
                }
            }
        case .solution:
            return checkpoint.results.compactMap { result in
                result.verdict == .passed
                    ? nil : "the check '\(result.check)' does not pass: \(Self.describe(result.verdict))"
            }
        case .mutant(let id):
            guard let mutant = lab.mutants.first(where: { $0.id == id }) else { return [] }
            return Self.problems(mutant.fails, checkpoint)
        }
    }

    private static func problems(_ wanted: Mutant.Expectation, _ checkpoint: CheckpointResult) -> [String] {
        guard let result = checkpoint.result(wanted.check) else { return ["the check '\(wanted.check)' did not run"] }
        guard let failure = result.verdict.failure else {
            return ["the check '\(wanted.check)' should fail: \(describe(result.verdict))"]
        }
        var problems: [String] = []
        if failure.cause != wanted.cause {
            problems.append(
                "the cause should be '\(wanted.cause.rawValue)', not '\(failure.cause.rawValue)': \(failure.hint)")
        }
        for text in wanted.hint where !failure.hint.contains(text) {
            problems.append("the hint should say '\(text)': \(failure.hint)")
        }
        return problems
    }

    private static func describe(_ verdict: Verdict) -> String {
        switch verdict {
        case .passed: "passed"
        case .failed(let failure): "expected \(failure.expected), found \(failure.found). \(failure.hint)"
        case .unknown(let because): "could not run: \(because)"
        case .skipped(let because): "skipped, \(because)"
        }
    }
}

/// What a check must leave as it was.
private struct Remains {
    private var objects: [String: Int] = [:]
    private var probes: [String] = []

    init(_ client: any ClusterClient) async {
        for resource in [ResourceType.namespaces, .deployments, .services, .configMaps, .secrets] {
            for object in (try? await client.list(resource))?.items ?? [] {
                objects[object.path(resource)] = object.value[["spec", "replicas"]]?.int ?? 0
            }
        }
        let options = ListOptions(labelSelector: ProbePod.label)
        let pods = (try? await client.list(.pods, namespace: nil, options: options))?.items ?? []
        probes = pods.filter { !$0.isBeingDeleted }.map(\.name)
    }

    func differences(from before: Remains) -> [String] {
        var problems = probes.map { "the checker left the pod '\($0)' behind" }
        for path in Set(objects.keys).union(before.objects.keys).sorted() where objects[path] != before.objects[path] {
            problems.append("the checker changed '\(path)' and did not set it back")
        }
        return problems
    }
}

/// A small seeded generator (Steele, Lea and Flood, "Fast splittable pseudorandom number generators").
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

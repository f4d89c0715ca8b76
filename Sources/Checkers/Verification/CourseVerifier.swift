public import CourseModel
public import KubeClient

/// Proves that a lab works: red before anything was done, green with every solution, red for every mutant with the
/// cause and the hint that its author promises; and nothing is left behind.
///
/// Every case gets a cluster of its own, in an order that the seed decides, so that no case can lean on another.
public struct CourseVerifier: Sendable {
    /// A cluster for one case.
    public struct Cluster: Sendable {
        public let client: any ClusterClient
        /// Runs commands against it; nil where nothing may run, and then what takes commands is not proved.
        public let shell: SolutionRunner.Shell?
        /// Takes the cluster down; called once, whatever happened.
        public let teardown: @Sendable () async -> Void

        public init(
            client: any ClusterClient, shell: SolutionRunner.Shell? = nil,
            teardown: @escaping @Sendable () async -> Void
        ) {
            self.client = client
            self.shell = shell
            self.teardown = teardown
        }
    }

    /// One thing to prove.
    public enum Case: Hashable, Sendable, CustomStringConvertible {
        case untouched(PhaseID)
        case solution(SolutionID)
        case mutant(MutantID)
        /// Every command that the steps print runs in order, and the checkpoint is passed then.
        case commands(PhaseID)
        /// A drill's fault shows as its author promises, and mending it is enough.
        case fault(PhaseID, String)

        public var description: String {
            switch self {
            case .untouched(let phase): "\(phase) untouched"
            case .solution(let solution): "solution \(solution)"
            case .mutant(let mutant): "mutant \(mutant)"
            case .commands(let phase): "commands of \(phase)"
            case .fault(let phase, let fault): "drill \(phase), fault \(fault)"
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
        let (drills, phases) = (lab.phases.filter(\.isDrill), lab.phases.filter { !$0.isDrill })
        var all: [Case] = phases.filter { !$0.isReview }.map { .untouched($0.id) }
        all += lab.solutions.map { .solution($0.id) }
        all += lab.mutants.map { .mutant($0.id) }
        all += lab.phases.filter(\.hasCommands).map { .commands($0.id) }
        all += drills.flatMap { drill in drill.faults.map { .fault(drill.id, $0.id) } }
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

    /// Proves one case, on a cluster of its own.
    public func prove(_ proof: Case) async -> CaseResult {
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
            let runner = SolutionRunner(client: cluster.client, namespace: lab.namespace, shell: cluster.shell)
            try await runner.run(plan.before)
            var found: [String] = []
            if let fault = plan.fault {
                // A drill breaks what was well, and its checkpoint is to know the difference.
                let (healthy, _) = await judge(plan.phase, cluster, only: nil, answers: plan.answers)
                found += Self.failures(healthy).map { "before anything is broken, \($0)" }
                try await runner.run(fault.breaking)
            }
            if case .commands = proof { found += await prove(commandsOf: plan.phase, cluster) }
            let (checkpoint, left) = await judge(plan.phase, cluster, only: plan.check, answers: plan.answers)
            found += problems(proof, checkpoint) + left
            found += await prove(hintsOf: proof, plan.phase, checkpoint, cluster)
            if case .fault = proof, let fault = plan.fault {
                try await runner.run(fault.mending)
                let (mended, left) = await judge(plan.phase, cluster, only: nil, answers: plan.answers)
                found += Self.failures(mended).map { "after mending, \($0)" } + left
            }
            outcome = result(found, checkpoint)
        } catch {
            outcome = result([error.message])
        }
        await cluster.teardown()
        return outcome
    }

    private func judge(
        _ phase: Phase, _ cluster: Cluster, only check: CheckID?, answers: [QuestionID: String]
    ) async -> (CheckpointResult, [String]) {
        let before = await Remains(cluster.client)
        let checkpoint = await CheckEngine(client: cluster.client, options: options.unstaged(answers: answers)).run(
            phase, of: lab, only: check)
        return (checkpoint, await Remains(cluster.client).differences(from: before))
    }

    private func prove(commandsOf phase: Phase, _ cluster: Cluster) async -> [String] {
        guard let shell = cluster.shell else { return ["there is no shell to run the commands in"] }
        let script = CommandScript(phase.preparation + phase.steps.flatMap(\.commands))
        return script.problems(await shell(script.text))
    }

    /// The commands that hints name run: those that were given now, and for a solution all that its phase may give.
    private func prove(
        hintsOf proof: Case, _ phase: Phase, _ checkpoint: CheckpointResult, _ cluster: Cluster
    ) async -> [String] {
        guard let shell = cluster.shell else { return [] }
        var hints = checkpoint.results.compactMap(\.verdict.failure?.hint)
        if case .solution(let id) = proof, lab.reference(for: phase.id)?.id == id {
            hints = phase.checkpoint.checks.flatMap { $0.hints.map(\.text) }
        }
        let commands = HintCommands.find(in: hints, namespace: lab.namespace)
        if commands.isEmpty { return [] }
        let script = CommandScript(commands)
        return script.problems(await shell(script.text)).map { "in a hint: \($0)" }
    }

    private struct Plan {
        let phase: Phase
        /// What is done before the checkpoint is judged.
        let before: [Operation]
        var check: CheckID?
        /// What a drill breaks then.
        var fault: Fault?
        var isUntouched = false

        /// Who solves a phase answers as its author does, unless a mutant says otherwise; who does nothing does not.
        var answers: [QuestionID: String] {
            var answers: [QuestionID: String] = [:]
            for question in isUntouched ? [] : phase.questions { answers[question.id] = question.answers.first }
            for case .answer(let question, let text) in before { answers[question] = text }
            return answers
        }
    }

    private func plan(for proof: Case) -> Plan? {
        switch proof {
        case .untouched(let id):
            return lab.phase(id).map { Plan(phase: $0, before: lab.beginning(of: $0), isUntouched: true) }
        case .solution(let id):
            guard let solution = lab.solution(id), let phase = lab.phase(solution.phase) else { return nil }
            return Plan(phase: phase, before: lab.solutions.chain(endingWith: id).flatMap(\.operations))
        case .mutant(let id):
            guard let mutant = lab.mutants.first(where: { $0.id == id }), let solution = lab.solution(mutant.solution),
                let phase = lab.phase(solution.phase)
            else { return nil }
            var chain = lab.solutions.chain(endingWith: solution.id)
            for change in mutant.changes {
                guard let index = chain.lastIndex(where: { $0.canApply(change) }),
                    let changed = chain[index].applying(change)
                else { return nil }
                chain[index] = changed
            }
            return Plan(
                phase: phase, before: chain.flatMap(\.operations) + mutant.operations, check: mutant.fails.check)
        case .commands(let id):
            guard let phase = lab.phase(id) else { return nil }
            // What a phase says a latecomer has to type first begins with an empty cluster.
            return Plan(
                phase: phase, before: phase.preparation.isEmpty ? lab.beginning(of: phase) : [],
                fault: phase.faults.first)
        case .fault(let id, let name):
            guard let phase = lab.phase(id), let fault = phase.faults.first(where: { $0.id == name }) else {
                return nil
            }
            return Plan(phase: phase, before: lab.beginning(of: phase), check: fault.fails.check, fault: fault)
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
        case .commands(let id) where lab.phase(id)?.isDrill == true: return []
        case .solution, .commands: return Self.failures(checkpoint)
        case .fault(let id, let name):
            guard let fault = lab.phase(id)?.faults.first(where: { $0.id == name }) else { return [] }
            return Self.problems(fault.fails, checkpoint)
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

    private static func failures(_ checkpoint: CheckpointResult) -> [String] {
        checkpoint.results.compactMap { result in
            result.verdict == .passed
                ? nil : "the check '\(result.check)' does not pass: \(Self.describe(result.verdict))"
        }
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

extension Phase {
    fileprivate var hasCommands: Bool { steps.contains { !$0.commands.isEmpty } }
}

import ArgumentParser
import Checkers
import Cluster
import ContainerRuntime
import CourseModel
import Foundation
import KubeClient
import KubeModel

extension CourseCommand {
    /// Each case runs in a process of its own, where possible in a network of its own: there the labs' ports are free,
    /// cases run side by side, and whatever a case starts ends with it.
    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Prove the labs: red untouched, green with each solution, red for each mistake, with the hint that fits."
        )
        @Argument(help: "LAB; all of them when not given.") var lab: String?
        @Option(help: "Decides the order; random when not given.") var seed: UInt64?
        @Option(help: "The runtime level to prove it on.") var runtime: String?
        @Option(help: "How many cases run at once; as many as there are processors when not given.") var jobs: Int?
        @Option(help: "Only the cases whose description holds this text.") var only: String?
        @Option(help: .hidden) var one: Int?
        @OptionGroup var cluster: ClusterOptions

        func run() async throws {
            let content = try CourseAccess.content()
            let labs = try lab.map { [try CourseAccess.find($0, in: content).lab] } ?? content.labs
            if let one, let lab = labs.first, let seed { return try await prove(one, lab, seed) }
            let seed = seed ?? UInt64.random(in: 0...UInt64.max)
            let place = try cluster.choice
            if !place.isEmbedded {
                Output.remark("seed \(seed), one at a time in the cluster of your \(place.name)")
                var failures = 0
                for lab in labs { failures += try await verify(lab, seed, in: place) }
                if failures > 0 { throw ExitCode(1) }
                return
            }
            let isolation = Isolation.best
            if !isolation.isComplete {
                Output.remark("remark: cases run one after the other, on this machine's own ports: \(isolation.remark)")
            }
            for port in isolation.isComplete ? [] : [30080, 8080, 3000] where !LoopbackPort.isFree(port) {
                throw ClusterError(
                    "Port \(port) is taken, and the labs need it.",
                    hint: "Stop what holds it, for example: velocity cluster down")
            }
            let width = isolation.isComplete ? max(1, jobs ?? ProcessInfo.processInfo.activeProcessorCount) : 1
            Output.remark("seed \(seed), \(width) at a time")
            var failures = 0
            for lab in labs { failures += try await verify(lab, seed, isolation, width) }
            if failures > 0 { throw ExitCode(1) }
        }

        /// Proves all cases of a lab; how many are not proved.
        private func verify(_ lab: Lab, _ seed: UInt64, _ isolation: Isolation, _ width: Int) async throws -> Int {
            let started = ContinuousClock.now
            let cases = verifier(lab, seed).cases.enumerated().filter { _, proof in
                only.map { "\(proof)".contains($0) } ?? true
            }
            var failures = 0
            try await withThrowingTaskGroup(of: (String, Finding).self) { group in
                var next = cases.makeIterator()
                func start() {
                    guard let (index, proof) = next.next() else { return }
                    let arguments =
                        [lab.id.rawValue, "--seed", "\(seed)", "--one", "\(index)"]
                        + (runtime.map { ["--runtime", $0] } ?? [])
                    group.addTask {
                        let result = await isolation.run(
                            [Machine.executable, "course", "verify"] + arguments, environment: Machine.environment)
                        return ("\(proof)", Finding(result))
                    }
                }
                for _ in 0..<width { start() }
                while let (proof, finding) = try await group.next() {
                    Output.line("\(finding.problems.isEmpty ? "✓" : "✗") \(lab.id): \(proof)\(finding.time)")
                    for problem in finding.problems { Output.line("    \(problem)") }
                    failures += finding.problems.isEmpty ? 0 : 1
                    start()
                }
            }
            let took = Duration.milliseconds((ContinuousClock.now - started).wholeMilliseconds).readable
            Output.line("\(lab.id): \(cases.count) cases in \(took), \(failures) not proved.")
            return failures
        }

        /// Proves the cases of a lab in a cluster that is not ours, one after the other; how many are not proved.
        private func verify(_ lab: Lab, _ seed: UInt64, in place: LabCluster) async throws -> Int {
            let verifier = CourseVerifier(lab: lab, seed: seed, options: place.checkOptions) {
                try await BorrowedCluster.make(lab: lab, cluster: place)
            }
            var failures = 0
            for proof in verifier.cases where only.map({ "\(proof)".contains($0) }) ?? true {
                if case .commands = proof {
                    Output.line("- \(lab.id): \(proof): skipped, because they call minikube for a cluster of their own")
                    continue
                }
                let result = await verifier.prove(proof)
                let judged = result.checkpoint.map { ($0.finished - $0.started).wholeMilliseconds }
                let finding = Finding(problems: result.problems, judgedMilliseconds: judged)
                Output.line("\(finding.problems.isEmpty ? "✓" : "✗") \(lab.id): \(proof)\(finding.time)")
                for problem in finding.problems { Output.line("    \(problem)") }
                failures += finding.problems.isEmpty ? 0 : 1
            }
            return failures
        }

        private func verifier(_ lab: Lab, _ seed: UInt64) -> CourseVerifier {
            let factor = 10.0
            let level = runtime
            return CourseVerifier(lab: lab, seed: seed, options: CheckOptions(limitFactor: 1 / factor)) {
                try await ThrowAwayCluster.make(lab: lab, timeFactor: factor, runtime: level)
            }
        }

        /// The part of a case's own process: proves it and writes what it found as JSON.
        private func prove(_ index: Int, _ lab: Lab, _ seed: UInt64) async throws {
            Isolation.raiseLoopback()
            let verifier = verifier(lab, seed)
            guard verifier.cases.indices.contains(index) else { throw ValidationError("There is no such case.") }
            let result = await verifier.prove(verifier.cases[index])
            let judged = result.checkpoint.map { ($0.finished - $0.started).wholeMilliseconds }
            try Output.json(Finding(problems: result.problems, judgedMilliseconds: judged))
        }
    }

    /// What a case's process has found.
    struct Finding: Codable, Sendable {
        var problems: [String]
        /// How long the checkpoint was judged.
        var judgedMilliseconds: Int64?

        init(problems: [String], judgedMilliseconds: Int64?) {
            self.problems = problems
            self.judgedMilliseconds = judgedMilliseconds
        }

        /// A process that said nothing of the kind has crashed.
        init(_ result: SolutionRunner.ShellResult) {
            let start = result.output.range(of: "{\n")?.lowerBound ?? result.output.endIndex
            if let found = try? JSONDecoder().decode(Finding.self, from: Data(result.output[start...].utf8)) {
                self = found
            } else {
                self.init(
                    problems: ["the case ended with \(result.exitCode): \(result.output)"], judgedMilliseconds: nil)
            }
        }

        var time: String { judgedMilliseconds.map { " (judged in \(Duration.milliseconds($0).readable))" } ?? "" }
    }
}

/// A cluster that others use as well: a case has the lab's namespace, and nothing besides.
enum BorrowedCluster {
    static func make(lab: Lab, cluster: LabCluster) async throws -> CourseVerifier.Cluster {
        let client = try cluster.client()
        if (try? await client.get(.namespaces, lab.namespace)) != nil {
            throw ClusterError(
                "The namespace '\(lab.namespace)' is there already, and is left as it is.",
                hint: "Verification makes and deletes it: choose another cluster, or delete it yourself.")
        }
        let folder = try cluster.scriptFolder("verify-\(UUID().uuidString.prefix(8))")
        let shell = try LabBash(lab: lab, cluster: cluster, folder: folder)
        return CourseVerifier.Cluster(client: client, shell: shell.run) {
            try? await client.deleteIfPresent(.namespaces, lab.namespace, in: nil)
            _ = try? await client.waitFor(.namespaces, lab.namespace, in: nil, timeout: .seconds(120)) { $0 == nil }
            try? FileManager.default.removeItem(atPath: folder)
        }
    }
}

/// A cluster in a folder of its own, gone when it is torn down.
enum ThrowAwayCluster {
    static func make(lab: Lab, timeFactor: Double, runtime: String?) async throws -> CourseVerifier.Cluster {
        let folder = NSTemporaryDirectory() + "/velocity-verify-\(UUID().uuidString.prefix(8))"
        let directory = VelocityHome(path: folder).cluster(EmbeddedCluster.defaultName)
        let process = ClusterProcess(directory)
        var settings = ClusterSettings(pace: .instant, timeFactor: timeFactor, port: 0)
        settings.level = runtime.flatMap { .init(rawValue: $0) }
        setenv("VELOCITY_HOME", folder, 1)
        try process.start(
            executable: Machine.executable, arguments: ["cluster", "serve", directory.name] + settings.arguments)
        let client = try EmbeddedCluster.client(of: directory)
        let shell = try LabBash(lab: lab, cluster: .embedded(directory), folder: "\(folder)/lab")
        return CourseVerifier.Cluster(client: client, shell: shell.run) {
            try? process.stop()
            try? FileManager.default.removeItem(atPath: folder)
        }
    }
}

import ArgumentParser
import Checkers
import Cluster
import ContainerRuntime
import Course
import CourseModel
import Foundation
import KubeClient

struct CourseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "course", abstract: "For those who write labs.", subcommands: [Lint.self, Verify.self])

    struct Lint: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Check every file of the course.")

        func run() async throws {
            let report = CourseLoader(root: try CourseAccess.root()).lint()
            for diagnostic in report.diagnostics { Output.line(diagnostic.description) }
            guard report.diagnostics.isEmpty else { throw ExitCode(1) }
            let content = report.content
            Output.line(
                "\(content.weeks.count) weeks, \(content.scenes.count) scenes, \(content.labs.count) labs: nothing wrong."
            )
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Prove the labs: red untouched, green with each solution, red for each mistake, with the hint that fits."
        )
        @Argument(help: "LAB; all of them when not given.") var lab: String?
        @Option(help: "Decides the order; random when not given.") var seed: UInt64?
        @Option(help: "The runtime level to prove it on.") var runtime: String?

        func run() async throws {
            let content = try CourseAccess.content()
            let labs = try lab.map { [try CourseAccess.find($0, in: content).lab] } ?? content.labs
            let seed = seed ?? UInt64.random(in: 0...UInt64.max)
            // The labs' own port: whoever holds it would answer in the place of the clusters made here.
            guard LoopbackPort.isFree(30080) else {
                throw ClusterError(
                    "Port 30080 is taken, and the labs need it.",
                    hint: "Stop what holds it, for example: velocity cluster down")
            }
            Output.remark("seed \(seed)")
            var failures = 0
            for lab in labs {
                let factor = 10.0
                let level = runtime
                let verifier = CourseVerifier(lab: lab, seed: seed, options: CheckOptions(limitFactor: 1 / factor)) {
                    try await ThrowAwayCluster.make(timeFactor: factor, runtime: level)
                }
                let results = await verifier.verify { result in
                    Output.line("\(result.problems.isEmpty ? "✓" : "✗") \(result.lab): \(result.proof)")
                    for problem in result.problems { Output.line("    \(problem)") }
                }
                failures += results.filter { !$0.problems.isEmpty }.count
                Output.line(
                    "\(lab.id): \(results.count) cases, \(results.filter { !$0.problems.isEmpty }.count) not proved.")
            }
            if failures > 0 { throw ExitCode(1) }
        }
    }
}

/// A cluster in a folder of its own, gone when it is torn down.
enum ThrowAwayCluster {
    static func make(timeFactor: Double, runtime: String?) async throws -> CourseVerifier.Cluster {
        let folder = NSTemporaryDirectory() + "/velocity-verify-\(UUID().uuidString.prefix(8))"
        let directory = VelocityHome(path: folder).cluster("verify")
        let process = ClusterProcess(directory)
        var settings = ClusterSettings(pace: .instant, timeFactor: timeFactor, port: 0)
        settings.level = runtime.flatMap { .init(rawValue: $0) }
        setenv("VELOCITY_HOME", folder, 1)
        try process.start(
            executable: Machine.executable, arguments: ["cluster", "serve", "verify"] + settings.arguments)
        let client = try EmbeddedCluster.client(of: directory)
        return CourseVerifier.Cluster(client: client) {
            try? process.stop()
            try? FileManager.default.removeItem(atPath: folder)
        }
    }
}

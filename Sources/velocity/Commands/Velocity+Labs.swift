import ArgumentParser
import Checkers
import Cluster
import CourseModel
import Foundation
import KubeClient
import KubeModel
import Progress

struct ListLabs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List weeks, labs and phases, and how far you are.")
    @Flag(help: "As JSON.") var json = false

    func run() async throws {
        let content = try CourseAccess.content()
        let store = try CourseAccess.progress()
        let learner = try CourseAccess.learner(store)
        let standings = try store.standing(of: learner.id)
        func standing(_ lab: Lab, _ phase: Phase) -> PhaseStanding? {
            standings.first { $0.lab == lab.id && $0.phase == phase.id }
        }
        func passed(_ lab: Lab, _ phase: Phase) -> Int {
            standing(lab, phase)?.checks.filter { $0.best == .passed }.count ?? 0
        }
        if json {
            return try Output.json(
                ListReport(
                    learner: learner.id.rawValue,
                    phases: content.labs.flatMap { lab in
                        lab.phases.map { phase in
                            .init(
                                id: "\(lab.id)/\(phase.id)", title: phase.title, minutes: phase.minutes,
                                checks: phase.checkpoint.checks.count, passed: passed(lab, phase),
                                earned: standing(lab, phase)?.earned ?? 0, points: phase.checkpoint.points,
                                attempts: standing(lab, phase)?.attempts ?? 0)
                        }
                    }, scenes: scenes(content, try store.story(of: learner))))
        }
        let record = try store.story(of: learner)
        Output.remark("Learner: \(learner.name)")
        for week in content.weeks {
            Output.line("Week \(week.number): \(week.title)")
            let rows = week.labs.compactMap(content.lab).flatMap { lab in
                lab.phases.map { phase -> [String] in
                    let count = passed(lab, phase)
                    let total = phase.checkpoint.checks.count
                    let state =
                        count == total ? "✓ passed" : standing(lab, phase) == nil ? "not tried" : "\(count) of \(total)"
                    return [
                        "\(lab.id)/\(phase.id)", phase.title, "\(phase.minutes) min", state,
                        "\(standing(lab, phase)?.earned ?? 0) of \(phase.checkpoint.points)",
                        "\(standing(lab, phase)?.attempts ?? 0)",
                    ]
                }
            }
            Output.table(["LAB", "TITLE", "TIME", "CHECKS", "POINTS", "ATTEMPTS"], rows)
            let fresh = week.scenes.compactMap(content.scene).filter {
                record.isOpen($0) && record.timesSeen($0.id) == 0
            }
            Output.remark(
                "Scenes: \(week.scenes.count), of which \(fresh.count) open and not seen yet (velocity play --list). "
                    + "Pages: \(week.pages.count) (velocity read --list).")
        }
    }

    private func scenes(_ content: CourseContent, _ record: StoryRecord) -> [ListReport.Scene] {
        content.orderedScenes.map { scene in
            .init(
                id: scene.id.rawValue, title: scene.title, open: record.isOpen(scene), seen: record.timesSeen(scene.id))
        }
    }

    private struct ListReport: Encodable {
        struct Phase: Encodable {
            var id: String
            var title: String
            var minutes: Int
            var checks: Int
            var passed: Int
            var earned: Int
            var points: Int
            var attempts: Int
        }
        struct Scene: Encodable {
            var id: String
            var title: String
            var open: Bool
            /// How often it was seen to its end.
            var seen: Int
        }
        var version = 1
        var learner: String
        var phases: [Phase]
        var scenes: [Scene]
    }
}

struct CheckLab: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Judge a checkpoint and record the result.",
        discussion: "Exits with 0 when all checks passed, 1 when not yet, 2 when something could not be checked.")
    @Argument(help: "LAB, LAB/PHASE or LAB/PHASE/CHECK; where you are, when not given.") var path: String?
    @OptionGroup var cluster: ClusterOptions
    @Flag(help: "As JSON.") var json = false

    func run() async throws {
        let content = try CourseAccess.content()
        let (lab, phase, check) = try CourseAccess.find(path, in: content)
        let store = try CourseAccess.progress()
        let learner = try CourseAccess.learner(store)
        let cluster = try cluster.choice
        let client = try cluster.client()
        let lock = try cluster.lock()
        var options = cluster.checkOptions
        options.answers = try store.answers(of: learner.id).mapValues(\.text)
        let engine = CheckEngine(client: client, options: options)
        var results: [CheckpointResult] = []
        var scores: [CheckReport.Score] = []
        for phase in phase.map({ [$0] }) ?? lab.phases {
            if !json { Output.line("\(phase.checkpoint.title)") }
            let isPlain = !json
            let result = await engine.run(phase, of: lab, only: check) { progress in
                if let line = progress.line { Output.remark("  ... \(line)") }
                if isPlain, case .judged(let result) = progress { CheckText.lines(result).forEach(Output.line) }
            }
            try store.record(result, learner: learner.id, cluster: cluster.name)
            results.append(result)
            let standing = try store.standing(of: learner.id, lab: lab.id).first { $0.phase == phase.id }
            scores.append(
                CheckReport.Score(
                    phase: phase.id, earned: standing?.earned ?? 0, points: phase.checkpoint.points, seed: result.seed))
            if isPlain, let standing { Output.line("  \(CheckText.points(standing, of: phase))") }
        }
        _ = consume lock
        if json { try Output.json(CheckReport(results: results, scores: scores)) }
        let outcomes = Set(results.map(\.outcome))
        if outcomes != [.passed] { CourseAccess.manifestFaults(lab).forEach(Output.remark) }
        if outcomes.contains(.failed) || outcomes.contains(.skipped) { throw ExitCode(1) }
        if outcomes != [.passed] { throw ExitCode(2) }
    }

    private struct CheckReport: Encodable {
        /// What the learner has by now in a phase, and which seed chose what a drill has broken.
        struct Score: Encodable {
            var phase: PhaseID
            var earned: Int
            var points: Int
            var seed: UInt64?
        }
        var version = 1
        var results: [CheckpointResult]
        var scores: [Score]
    }
}

/// A check's result, line by line.
enum CheckText {
    static func lines(_ result: CheckResult) -> [String] {
        let took = (result.finished - result.started).readable
        var lines: [String]
        switch result.verdict {
        case .passed: lines = ["  ✓ passed   \(result.title) (\(took))"]
        case .failed(let failure):
            lines = [
                "  ✗ not yet  \(result.title) (\(took))", "      expected: \(failure.expected)",
                "      found:    \(failure.found)",
                "      hint:     \(failure.hint)",
            ]
        case .unknown(let because): lines = ["  ? unknown  \(result.title)", "      because:  \(because)"]
        case .skipped(let because): lines = ["  - skipped  \(result.title)", "      because:  \(because)"]
        }
        lines += result.evidence.map { "      seen:     \($0.at.timeText) \($0.what)" }
        return lines
    }

    /// What a learner has by now in a phase, and what earns nothing any more.
    static func points(_ standing: PhaseStanding, of phase: Phase) -> String {
        let given = standing.checks.count(where: \.isDoneForThem)
        let why = given == 0 ? "" : " (\(given == 1 ? "1 check was" : "\(given) checks were") done for you: no points)"
        return "Points: \(standing.earned) of \(phase.checkpoint.points)\(why)"
    }
}

struct HintLab: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hint", abstract: "The next hint for the first check that has not passed; it is recorded.")
    @Argument(help: "LAB/PHASE; where you are, when not given.") var path: String?

    func run() async throws {
        let content = try CourseAccess.content()
        let (lab, found, _) = try CourseAccess.find(path, in: content)
        guard let phase = found ?? lab.phases.first else { return }
        let store = try CourseAccess.progress()
        let learner = try CourseAccess.learner(store)
        try NextHint.show(phase, of: lab, learner, store).forEach(Output.line)
    }
}

import ArgumentParser
import Cluster
import CourseModel
import Foundation
import Progress

struct LearnerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "learner", abstract: "Who works here.", subcommands: [Add.self, Use.self, List.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add a learner and work as them.")
        @Argument(help: "The learner's name.") var name: String

        func run() async throws {
            let store = try CourseAccess.progress()
            let learner = try store.addLearner(name: name)
            try store.useLearner(learner.id)
            Output.line("Working as \(learner.name) ('\(learner.id)').")
        }
    }

    struct Use: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Work as another learner.")
        @Argument(help: "The learner's id.") var id: String

        func run() async throws {
            try CourseAccess.progress().useLearner(LearnerID(rawValue: id))
            Output.line("Working as '\(id)'.")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the learners.")

        func run() async throws {
            let store = try CourseAccess.progress()
            let current = try store.currentLearner()?.id
            Output.table(
                ["ID", "NAME", "SINCE", ""],
                try store.learners().map {
                    [$0.id.rawValue, $0.name, $0.created.dateText, $0.id == current ? "works now" : ""]
                })
        }
    }
}

struct Submit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write one file for the instructor: attempts, verdicts with evidence, final manifests.")
    @Argument(help: "LAB; where you are, when not given.") var path: String?
    @OptionGroup var cluster: ClusterOptions
    @Option(name: .shortAndLong, help: "The file; LEARNER-LAB.velocity.json when not given.") var output: String?

    func run() async throws {
        let content = try CourseAccess.content()
        let (lab, _, _) = try CourseAccess.find(path, in: content)
        let store = try CourseAccess.progress()
        let learner = try CourseAccess.learner(store)
        let client = try cluster.choice.client()
        let manifests = try await Submission.finalManifests(of: client, in: lab.namespace)
        let submission = try store.submission(of: learner.id, lab: lab.id, manifests: manifests)
        let file = output ?? "\(learner.id)-\(lab.id).velocity.json"
        do {
            try Data(try submission.fileText().utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
        } catch let error as CocoaError {
            throw ClusterError(
                "'\(file)' cannot be written: \(error.localizedDescription)", hint: "Name another file with -o.")
        }
        Output.line(
            "'\(file)' holds \(submission.attempts.count) attempts and \(manifests.count) manifests of \(learner.name)."
        )
    }
}

struct Grade: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The instructor's side.", subcommands: [Import.self, Report.self, Export.self])

    struct BookOptions: ParsableArguments {
        @Option(help: "The gradebook's file; gradebook.sqlite in this program's folder when not given.") var book:
            String?

        func gradebook() throws -> Gradebook {
            try Gradebook(path: try book ?? Machine.home().path + "/gradebook.sqlite")
        }
    }

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take submissions into the gradebook; a file that was edited is refused.")
        @Argument(help: "Files that learners made with `velocity submit`.") var files: [String]
        @OptionGroup var options: BookOptions

        func run() async throws {
            let book = try options.gradebook()
            var refused = 0
            for file in files {
                do {
                    guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
                        throw ClusterError("'\(file)' cannot be read.", hint: "Check the name.")
                    }
                    switch try book.importSubmission(text) {
                    case .added(let learner, let lab, let count):
                        Output.line("\(file): \(learner.name), \(lab): \(count) new attempts.")
                    case .known(let learner, let lab): Output.line("\(file): \(learner.name), \(lab): already there.")
                    }
                } catch {
                    // One bad file must not keep out the others.
                    refused += 1
                    Output.remark("\(file): \(error)")
                }
            }
            if refused > 0 { throw ExitCode(1) }
        }
    }

    struct Report: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "A table of learners and checks.")
        @OptionGroup var options: BookOptions

        func run() async throws {
            let report = try options.gradebook().report()
            let signs: [Verdict.Outcome: String] = [.passed: "✓", .failed: "✗", .unknown: "?", .skipped: "-"]
            let rows = report.rows.map { row in
                [row.learner.name] + report.columns.map { row.standing($0).flatMap { signs[$0.best] } ?? "." } + [
                    "\(row.passed)", "\(row.points)",
                ]
            }
            let titles = report.columns.map { $0.check?.rawValue ?? $0.description }
            Output.table(["LEARNER"] + titles + ["PASSED", "POINTS"], rows)
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the gradebook as CSV.")
        @OptionGroup var options: BookOptions

        func run() async throws { Output.text(try options.gradebook().report().csv) }
    }
}

import ArgumentParser
import Course
import CourseModel

struct CourseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "course", abstract: "For those who write labs.", subcommands: [Lint.self, Verify.self, New.self])

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
}

import ArgumentParser
import CourseModel
import Foundation
import LabScreens
import Progress

struct Read: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read a page of the course, answer its questions, or see the map.",
        discussion: """
            In a terminal the page opens on the screen. With --plain, TERM=dumb or a pipe it is printed; a page with \
            questions then reads one line from the input for each question, and an empty line leaves an answer as it was.
            """)
    @Argument(help: "The page, or 'map'; the first page, when not given.") var page: String?
    @Flag(help: "List the pages.") var list = false
    @Flag(help: "Text instead of a screen.") var plain = false

    func run() async throws {
        let content = try CourseAccess.content()
        let store = try CourseAccess.progress()
        let learner = try CourseAccess.learner(store)
        let listed = content.weeks.flatMap(\.pages).compactMap(content.page)
        if list {
            return Output.table(
                ["PAGE", "TITLE", "WHEN"],
                listed.map { [$0.id.rawValue, $0.title, $0.isAfterLabs ? "after the labs" : "before the labs"] }
                    + [["map", "The road through all weeks", "any time"]])
        }
        let showsScreen = !plain && Machine.canShowScreens
        if page == "map" {
            if showsScreen {
                return try await ScreenSession.run(content: content, store: store, learner: learner, start: .map)
            }
            let progress = try store.phaseProgress(of: learner.id, content: content)
            return MapText.plain(content, progress: progress, columns: 80).forEach(Output.line)
        }
        guard let chosen = page.map({ content.page(PageID(rawValue: $0)) }) ?? listed.first else {
            throw CourseAccess.unknown("page", page ?? "", listed.map(\.id.rawValue) + ["map"])
        }
        if showsScreen {
            return try await ScreenSession.run(
                content: content, store: store, learner: learner, start: .page(chosen.id))
        }
        let record = try store.story(of: learner)
        Output.line("== \(chosen.title) ==")
        ReadingText.plain(chosen, content: content, record: record, columns: 76).forEach(Output.line)
        try ask(chosen.questions, store, learner)
    }

    /// Asks each question of the page; an empty line keeps what was written before, the input's end ends it.
    private func ask(_ questions: [PageQuestion], _ store: ProgressStore, _ learner: Learner) throws {
        for question in questions {
            Output.remark("\(question.text)")
            guard let text = readLine()?.trimmingCharacters(in: .whitespaces) else { return }
            if text.isEmpty { continue }
            try store.record(
                KeptAnswer(question: question.id, text: String(text.prefix(1000)), written: .now), learner: learner.id)
            Output.line("Kept: \(text)")
            if !question.reply.isEmpty { Output.line("The team: \(question.reply)") }
        }
    }
}

extension ProgressStore {
    /// How far a learner is in each phase that they have tried, by `lab/phase`.
    func phaseProgress(of learner: LearnerID, content: CourseContent) throws -> [String: PhaseProgress] {
        let standings = try standing(of: learner)
        var progress: [String: PhaseProgress] = [:]
        for lab in content.labs {
            for phase in lab.phases {
                guard let standing = standings.first(where: { $0.lab == lab.id && $0.phase == phase.id }) else {
                    continue
                }
                progress["\(lab.id)/\(phase.id)"] = PhaseProgress(
                    passed: standing.checks.filter { $0.best == .passed }.count, total: phase.checkpoint.checks.count)
            }
        }
        return progress
    }
}

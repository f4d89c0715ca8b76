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
            let read = try store.pagesRead(by: learner.id)
            return Output.table(
                ["PAGE", "TITLE", "WHEN", "READ"],
                listed.map { page in
                    [
                        page.id.rawValue, page.title, page.isAfterLabs ? "after the labs" : "before the labs",
                        read.contains(page.id) ? "✓" : "",
                    ]
                } + [["map", "The road through all weeks", "any time", ""]])
        }
        let showsScreen = !plain && Machine.canShowScreens
        if page == "map" {
            if showsScreen {
                return try await ScreenSession.run(content: content, store: store, learner: learner, start: .map)
            }
            let progress = try store.phaseProgress(of: learner.id, content: content)
            let record = try store.story(of: learner)
            return MapText.plain(content, progress: progress, record: record, columns: 80).forEach(Output.line)
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
        try store.record(read: chosen.id, learner: learner.id)
        try Answers.ask(
            chosen.questions.map { Answers.Question(id: $0.id, text: $0.text, said: $0.reply) { _ in nil } }, store,
            learner)
    }
}

/// `velocity answer`: the questions of a lab's phase, without a screen.
struct Answer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Answer the questions of a phase.",
        discussion: "Reads one line from the input for each question; an empty line leaves an answer as it was.")
    @Argument(help: "LAB/PHASE; where you are, when not given.") var path: String?
    @Option(help: "Only this question.") var question: String?

    func run() async throws {
        let content = try CourseAccess.content()
        let (lab, found, _) = try CourseAccess.find(path, in: content)
        let asked = (found.map { [$0] } ?? lab.phases).flatMap(\.questions)
        guard !asked.isEmpty else { return Output.line("There is nothing to answer here.") }
        let chosen = asked.filter { question == nil || $0.id.rawValue == question }
        if chosen.isEmpty { throw CourseAccess.unknown("question", question ?? "", asked.map(\.id.rawValue)) }
        let store = try CourseAccess.progress()
        try Answers.ask(
            chosen.map { question in
                Answers.Question(id: question.id, text: question.text, said: "") {
                    question.isRight($0) ? "✓ That is right." : "✗ Think again."
                }
            }, store, try CourseAccess.learner(store))
    }
}

/// Questions that are asked line by line.
enum Answers {
    struct Question {
        let id: QuestionID
        let text: String
        /// What the team says to any answer; empty when it says nothing.
        let said: String
        /// What is said to an answer that can be right or wrong; nil when it cannot.
        let judged: (String) -> String?
    }

    /// An empty line keeps what was written before, the input's end ends it.
    static func ask(_ questions: [Question], _ store: ProgressStore, _ learner: Learner) throws {
        for question in questions {
            Output.remark(question.text)
            guard let text = readLine()?.trimmingCharacters(in: .whitespaces) else { return }
            if text.isEmpty { continue }
            try store.record(
                KeptAnswer(question: question.id, text: String(text.prefix(1000)), written: .now), learner: learner.id)
            Output.line("Kept: \(text)")
            if let judged = question.judged(text) { Output.line(judged) }
            if !question.said.isEmpty { Output.line("The team: \(question.said)") }
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
                    passed: standing.checks.filter { $0.best == .passed }.count, total: phase.checkpoint.checks.count,
                    earned: standing.earned, points: phase.checkpoint.points)
            }
        }
        return progress
    }
}

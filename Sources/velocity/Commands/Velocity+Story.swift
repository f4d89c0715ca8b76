import ArgumentParser
import CourseModel
import Foundation
import Progress

struct Play: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Play or replay a story scene, line by line.",
        discussion: "In the screens (`velocity start`) scenes play with typewriter, skip and back-log.")
    @Argument(help: "The scene; the first one, when not given.") var scene: String?
    @Flag(help: "List the scenes.") var list = false
    @Flag(help: "No pauses: every line at once.") var plain = false
    @Option(help: "How fast: 2 is twice as fast.") var speed = 1.0

    func validate() throws {
        guard speed > 0, speed <= 100 else { throw ValidationError("--speed is above 0, and 100 at most.") }
    }

    func run() async throws {
        let content = try CourseAccess.content()
        let store = try CourseAccess.progress()
        let learner = try CourseAccess.learner(store)
        if list {
            let seen = Set(try store.plays(of: learner.id).filter { $0.finished != nil }.map(\.scene))
            let rows = content.scenes.map { [$0.id.rawValue, $0.title, seen.contains($0.id) ? "seen" : "new"] }
            return Output.table(["SCENE", "TITLE", "STATE"], rows)
        }
        let chosen = scene.map { content.scene(SceneID(rawValue: $0)) } ?? content.scenes.first
        guard let chosen else {
            throw CourseAccess.unknown("scene", scene ?? "", content.scenes.map(\.id.rawValue))
        }
        let started = Moment.now
        var player = ScenePlayer(scene: chosen, variables: try store.sceneVariables(for: learner))
        let isPaced = !plain && Machine.canShowScreens
        Output.line("== \(chosen.title) ==")
        let isFinished = try await play(&player, content, isPaced: isPaced)
        try store.record(
            ScenePlay(
                scene: chosen.id, started: started,
                finished: isFinished ? Moment.now : nil,
                lines: player.backlog.map(\.id),
                choices: player.choicesMade), learner: learner.id)
        if !isFinished { Output.remark("The input ended before the scene did; what was seen is recorded.") }
    }

    /// True when the scene was played to its end.
    private func play(_ player: inout ScenePlayer, _ content: CourseContent, isPaced: Bool) async throws -> Bool {
        while true {
            switch player.next() {
            case .line(let line):
                let name = line.speaker.map { content.character($0)?.name ?? $0.rawValue }
                let mood = line.mood.map { " (\($0))" } ?? ""
                Output.line(name.map { "\($0)\(mood): \(line.text)" } ?? line.text)
                if isPaced { try await pause(.milliseconds(25) * line.text.count) }
            case .wait(let duration): if isPaced { try await pause(duration) }
            case .choose(let lines):
                for (index, line) in lines.enumerated() { Output.line("  \(index + 1). \(line.text)") }
                guard let choice = try choose(from: lines) else { return false }
                player.choose(choice)
            case .gate(let path):
                Output.line("The story goes on when \(path) has passed: velocity check \(path)")
                return false
            case .detour(let scene): Output.line("(There is more in the scene '\(scene)'.)")
            case .finished: return true
            }
        }
    }

    private func choose(from lines: [ScenePlayer.ShownLine]) throws -> LineID? {
        while true {
            Output.remark("Your answer, 1 to \(lines.count):")
            guard let text = readLine() else { return nil }
            if let number = Int(text.trimmingCharacters(in: .whitespaces)), 1...lines.count ~= number {
                return lines[number - 1].id
            }
            Output.remark("'\(text)' is not a number from 1 to \(lines.count).")
        }
    }

    private func pause(_ duration: Duration) async throws { try await ContinuousClock().sleep(for: duration / speed) }
}

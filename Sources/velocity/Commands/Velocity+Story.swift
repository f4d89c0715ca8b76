import ArgumentParser
import Cluster
import CourseModel
import Foundation
import LabScreens
import Progress

struct Play: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Play or replay a story scene.",
        discussion: """
            In a terminal it plays on the screen, with skip, auto, back-log and a way back; with --plain, TERM=dumb or a \
            pipe it is text, line by line. An answer is its number; 'b' shows what was said so far.
            """)
    @Argument(help: "The scene; the first one, when not given.") var scene: String?
    @Flag(help: "List the scenes: the gallery.") var list = false
    @Flag(help: "Text instead of a screen, without pauses.") var plain = false
    @Option(help: "How fast: 2 is twice as fast.") var speed = 1.0
    @Flag(help: "As it happened to you: your own answers, names and times, word for word.") var asItHappened = false
    @Flag(help: "The author's cut: as it was written, with the author's answers. Nothing is recorded.") var authorsCut =
        false

    func validate() throws {
        guard speed > 0, speed <= 100 else { throw ValidationError("--speed is above 0, and 100 at most.") }
        guard !(asItHappened && authorsCut) else {
            throw ValidationError("--as-it-happened and --authors-cut are two different plays: give one of them.")
        }
    }

    private var cut: ScenePlayback.Cut { asItHappened ? .asItHappened : authorsCut ? .authorsCut : .play }

    func run() async throws {
        let content = try CourseAccess.content()
        let store = try CourseAccess.progress()
        let learner = try CourseAccess.learner(store)
        let record = try store.story(of: learner)
        if list {
            let rows = content.orderedScenes.map { scene in
                [scene.id.rawValue, scene.title, Self.state(of: scene, record)]
            }
            return Output.table(["SCENE", "TITLE", "STATE"], rows)
        }
        let chosen =
            scene.map { content.scene(SceneID(rawValue: $0)) }
            ?? content.weeks.first.flatMap {
                content.scene($0.crisis.scene)
            }
        guard let chosen else {
            throw CourseAccess.unknown("scene", scene ?? "", content.orderedScenes.map(\.id.rawValue))
        }
        if !record.isOpen(chosen), let path = chosen.after {
            throw ClusterError(
                "The scene '\(chosen.id)' is not open yet.",
                hint: "It opens when \(path) has passed: velocity check \(path)")
        }
        guard let playback = ScenePlayback(chosen, cut: cut, content: content, record: record) else {
            throw ClusterError(
                "You have not seen the scene '\(chosen.id)' yet, so there is nothing to show again.",
                hint: "Play it first: velocity play \(chosen.id)")
        }
        if !plain, Machine.canShowScreens {
            return try await ScreenSession.run(
                content: content, store: store, learner: learner, start: .scene(chosen.id, then: nil, cut: cut),
                speed: speed)
        }
        let started = Moment.now
        var stage = PlainStage(content: content, playback: playback)
        Output.line("== \(chosen.title) ==")
        if let remark = stage.remark(record) { Output.line("(\(remark))") }
        if !chosen.setting.isEmpty { Output.line("(\(chosen.setting))") }
        let isFinished = try stage.play()
        guard cut == .play else { return }
        try store.record(
            stage.playback.record(started: started, finished: isFinished ? Moment.now : nil), learner: learner.id)
        if !isFinished { Output.remark("The scene is not at its end; what was seen is recorded.") }
    }

    static func state(of scene: Scene, _ record: StoryRecord) -> String {
        if !record.isOpen(scene) { return "opens after \(scene.after?.description ?? "")" }
        let times = record.timesSeen(scene.id)
        return times == 0 ? "new" : times == 1 ? "seen" : "seen \(times) times"
    }
}

/// A scene as lines of text, for terminals that are none.
private struct PlainStage {
    let content: CourseContent
    var playback: ScenePlayback

    /// Which version of the scene this is; nil for the usual one.
    func remark(_ record: StoryRecord) -> String? {
        switch playback.cut {
        case .play: return nil
        case .authorsCut: return "The author's cut: stand-ins instead of your names and times."
        case .asItHappened:
            let play = record.lastTranscript(of: playback.scene.id)
            let hasChanged = play.map { $0.fingerprint != playback.scene.fingerprint } ?? false
            return "As it happened to you on \(play?.started.dateText ?? "an earlier day")."
                + (hasChanged ? " The script has changed since; these are the lines of that day." : "")
        }
    }

    /// True when the scene was played to its end.
    mutating func play() throws -> Bool {
        while true {
            switch playback.beat {
            case .line(let line):
                Output.line(text(of: line))
                playback.forward()
            case .wait: playback.forward()
            case .choose(let lines):
                for (index, line) in lines.enumerated() { Output.line("  \(index + 1). \(line.text)") }
                guard let choice = choose(from: lines) else {
                    Output.remark("The input ended before the scene did.")
                    return false
                }
                _ = playback.choose(choice)
            case .gate(let path):
                Output.line("The story goes on when \(path) has passed: velocity check \(path)")
                return false
            case .finished: return true
            }
        }
    }

    private func text(of line: ScenePlayer.ShownLine) -> String {
        if line.isChoice { return "> \(line.text)" }
        let name = line.speaker.map { content.character($0)?.name ?? $0.rawValue }
        let mood = line.mood.map { " (\($0))" } ?? ""
        return name.map { "\($0)\(mood): \(line.text)" } ?? line.text
    }

    private func choose(from lines: [ScenePlayer.ShownLine]) -> LineID? {
        while true {
            Output.remark("Your answer, 1 to \(lines.count):")
            guard let text = readLine()?.trimmingCharacters(in: .whitespaces) else { return nil }
            if let number = Int(text), 1...lines.count ~= number { return lines[number - 1].id }
            if text == "b" {
                for line in playback.backlog { Output.line(self.text(of: line)) }
            } else {
                Output.remark("'\(text)' is not a number from 1 to \(lines.count).")
            }
        }
    }
}

import CourseModel
import ScreenKit

/// A scene as it plays: lines appear letter by letter, the last ones stay in view, the back-log holds them all.
struct SceneScreen: Sendable {
    /// The back-log while it is open.
    struct Backlog: Sendable {
        /// Rows above its end.
        var offset = 0
        /// Only lines with this in them are shown; nil shows all.
        var search: String?
        var isTyping = false
    }

    var playback: ScenePlayback
    /// How many letters of the present line are shown.
    private(set) var revealed = 0
    private(set) var selectedChoice = 0
    private(set) var backlog: Backlog?
    private(set) var isAuto = false
    private var speed: Double
    private let seen: Set<LineID>
    /// What stands above the first line: which version this is.
    let remark: String?

    /// The pause between two letters.
    static let letterPause = Duration.milliseconds(22)

    var title: String { playback.scene.title }
    var isTyping: Bool { backlog?.isTyping ?? false }

    /// Nil: as it happened, of a scene that was not recorded with its text.
    init?(
        scene: Scene, cut: ScenePlayback.Cut = .play, content: CourseContent, record: StoryRecord, speed: Double = 1
    ) {
        guard let playback = ScenePlayback(scene, cut: cut, content: content, record: record) else { return nil }
        self.playback = playback
        self.speed = speed
        // A replay shows nothing new: all of it may be skipped.
        seen = cut == .play ? record.seenLines : Set(record.seenLines + scene.allLines.map(\.id))
        switch cut {
        case .play: remark = nil
        case .authorsCut: remark = "The author's cut: stand-ins instead of your names and times."
        case .asItHappened:
            let play = record.lastTranscript(of: scene.id)
            let hasChanged = play.map { !$0.fingerprint.isEmpty && $0.fingerprint != scene.fingerprint } ?? false
            remark =
                "As it happened to you on \(play?.started.dateText ?? "an earlier day")."
                + (hasChanged ? " The script has changed since; these are the lines of that day." : "")
        }
    }

    var hints: [KeyHint] {
        if let backlog {
            if backlog.isTyping { return [KeyHint("Enter", "search"), KeyHint("Esc", "all lines")] }
            return [KeyHint("↑↓", "scroll"), KeyHint("/", "search"), KeyHint("Esc", "close the back-log")]
        }
        let looking = [KeyHint("b", "back-log"), KeyHint("←", "look back"), KeyHint("Esc", "leave")]
        switch playback.beat {
        case .choose where playback.standingAnswer != nil: return [KeyHint("→", "on")] + looking
        case .choose: return [KeyHint("↑↓", "choose"), KeyHint("Enter", "answer")] + looking
        case .finished: return [KeyHint("Enter", "on")] + looking.prefix(2)
        default:
            return [KeyHint("Space", "next"), KeyHint("s", "skip seen"), KeyHint("S", "skip all")]
                + [KeyHint("a", isAuto ? "auto off" : "auto"), KeyHint("←", "look back"), KeyHint("b", "back-log")]
                + [KeyHint("+/-", "speed"), KeyHint("Esc", "leave")]
        }
    }

    private var text: String { if case .line(let line) = playback.beat { line.text } else { "" } }

    private var isRevealed: Bool { revealed >= text.count || playback.isLookingBack }

    var tick: Duration? {
        guard backlog == nil, !playback.isLookingBack else { return nil }
        switch playback.beat {
        case .line where !isRevealed: return Self.letterPause / speed
        case .line: return isAuto ? (.milliseconds(1200) + .milliseconds(40) * text.count) / speed : nil
        case .wait(let pause): return pause / speed
        default: return nil
        }
    }

    /// One tick has passed.
    mutating func advance() {
        switch playback.beat {
        case .line where !isRevealed: revealed += 1
        case .line where isAuto, .wait: step()
        default: break
        }
    }

    /// What is recorded has changed: a gate may open.
    mutating func update(_ record: StoryRecord) {
        if case .gate(let path) = playback.beat, record.passed.contains(path) {
            playback.openGate()
            arrive()
        }
    }

    private mutating func step() {
        let wasLookingBack = playback.isLookingBack
        playback.forward()
        // Looked at again, a pause is none.
        while playback.isLookingBack, case .wait = playback.beat { playback.forward() }
        arrive()
        if wasLookingBack { revealed = text.count }
    }

    private mutating func arrive() {
        revealed = 0
        selectedChoice = 0
    }

    mutating func press(_ key: Key) -> App.Action {
        if backlog != nil {
            pressInBacklog(key)
            return .none
        }
        switch (key, playback.beat) {
        case (.character("b"), _): backlog = Backlog()
        case (.escape, _): return leave(isFinished: playback.beat == .finished)
        case (.left, _), (.backspace, _), (.pageUp, _):
            guard playback.back() else { return .say("This is where the scene begins.") }
            arrive()
        case (_, .finished) where [.enter, .character(" "), .character("s"), .character("S"), .right].contains(key):
            return leave(isFinished: true)
        case (.character("a"), _): isAuto.toggle()
        case (.character("+"), _): speed = min(16, speed * 2)
        case (.character("-"), _): speed = max(0.25, speed / 2)
        case (_, .choose(let lines)): return press(key, choosing: lines)
        case (.character("s"), _):
            let hasPassed = playback.skip(seen: seen)
            arrive()
            if !hasPassed, case .line = playback.beat {
                return .say("From here on it is new to you; S skips it all the same.")
            }
        case (.character("S"), _):
            playback.skip()
            arrive()
        case (_, .gate(let path)) where [.enter, .character(" "), .right].contains(key):
            if playback.isLookingBack { step() } else { return .say("The story goes on when \(path) has passed.") }
        case (.enter, _), (.character(" "), _), (.right, _), (.down, _):
            if isRevealed { step() } else { revealed = text.count }
        default: return .say("That key does nothing here; ? shows the keys that do.")
        }
        return .none
    }

    private mutating func press(_ key: Key, choosing lines: [ScenePlayer.ShownLine]) -> App.Action {
        switch key {
        case .right where playback.isLookingBack: step()
        case .up, .character("k"): selectedChoice = max(0, selectedChoice - 1)
        case .down, .character("j"): selectedChoice = min(lines.count - 1, selectedChoice + 1)
        case .enter, .character(" "):
            if case .standing = playback.choose(lines[selectedChoice].id) {
                step()
                return .say("This answer was given and stands; the story goes on from it.")
            }
            arrive()
        case .character("s"), .character("S"): return .say("This question is yours to answer; it cannot be skipped.")
        default: return .say("That key does nothing here; ? shows the keys that do.")
        }
        return .none
    }

    private func leave(isFinished: Bool) -> App.Action {
        playback.cut == .play ? .sceneEnded(playback, isFinished: isFinished) : .back
    }

    private mutating func pressInBacklog(_ key: Key) {
        guard var open = backlog else { return }
        switch key {
        case .character(let letter) where open.isTyping: open.search = (open.search ?? "") + String(letter)
        case .backspace where open.isTyping: open.search = open.search.map { String($0.dropLast()) }
        case .enter where open.isTyping: open.isTyping = false
        case .escape where open.search != nil: (open.search, open.isTyping) = (nil, false)
        case .character("/"): (open.search, open.isTyping, open.offset) = ("", true, 0)
        case .up, .character("k"): open.offset += 1
        case .down, .character("j"): open.offset = max(0, open.offset - 1)
        case .pageUp: open.offset += 10
        case .pageDown: open.offset = max(0, open.offset - 10)
        default:
            backlog = nil
            return
        }
        backlog = open
    }

    /// What is in view cannot scroll past its beginning: keys pressed up there must not count.
    mutating func limitBacklog(to rows: Int) { if let open = backlog { backlog?.offset = min(open.offset, rows) } }
}

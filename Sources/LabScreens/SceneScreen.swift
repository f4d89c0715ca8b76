import CourseModel
import ScreenKit

/// A scene as it plays: lines appear letter by letter, the last ones stay in view, the back-log holds them all.
struct SceneScreen: Sendable {
    private var player: ScenePlayer
    private var beat: ScenePlayer.Beat
    /// How many letters of the present line are shown.
    private var revealed = 0
    private var selectedChoice = 0
    /// Rows above the end of the back-log; nil while it is closed.
    private var backlogOffset: Int?

    /// The pause between two letters.
    static let letterPause = Duration.milliseconds(22)

    var title: String { player.scene.title }

    init(scene: Scene) {
        player = ScenePlayer(scene: scene)
        beat = player.next()
    }

    var hints: [KeyHint] {
        if backlogOffset != nil { return [KeyHint("↑↓", "scroll"), KeyHint("Esc", "close the back-log")] }
        switch beat {
        case .choose: return [KeyHint("↑↓", "choose"), KeyHint("Enter", "answer"), KeyHint("b", "back-log")]
        case .finished: return [KeyHint("Enter", "on"), KeyHint("b", "back-log")]
        default:
            return [
                KeyHint("Space", "next"), KeyHint("s", "skip"), KeyHint("b", "back-log"), KeyHint("Esc", "leave"),
            ]
        }
    }

    private var text: String { if case .line(let line) = beat { line.text } else { "" } }

    private var isRevealed: Bool { revealed >= text.count }

    var tick: Duration? {
        guard backlogOffset == nil else { return nil }
        switch beat {
        case .line: return isRevealed ? nil : Self.letterPause
        case .wait(let pause): return pause
        default: return nil
        }
    }

    /// One tick has passed.
    mutating func advance() {
        switch beat {
        case .line: revealed += 1
        case .wait: step()
        default: break
        }
    }

    private mutating func step() {
        beat = player.next()
        revealed = 0
        selectedChoice = 0
    }

    mutating func press(_ key: Key) -> App.Action {
        if let offset = backlogOffset { return pressInBacklog(key, offset) }
        switch (key, beat) {
        case (.character("b"), _): backlogOffset = 0
        case (.escape, _): return .back
        case (_, .finished) where [.enter, .character(" "), .character("s")].contains(key):
            return .sceneEnded(player.scene.id, choices: player.choicesMade)
        case (.up, .choose), (.character("k"), .choose): selectedChoice = max(0, selectedChoice - 1)
        case (.down, .choose(let lines)), (.character("j"), .choose(let lines)):
            selectedChoice = min(lines.count - 1, selectedChoice + 1)
        case (.enter, .choose(let lines)), (.character(" "), .choose(let lines)):
            player.choose(lines[selectedChoice].id)
            step()
        case (.character("s"), .choose): return .say("This question is yours to answer; it cannot be skipped.")
        case (.character("s"), _):
            beat = player.skip().stop
            revealed = 0
        case (_, .gate(let path)) where [.enter, .character(" ")].contains(key):
            return .say("The story goes on when \(path) has passed.")
        case (.enter, _), (.character(" "), _), (.right, _), (.down, _):
            if isRevealed { step() } else { revealed = text.count }
        default: return .say("That key does nothing here; ? shows the keys that do.")
        }
        return .none
    }

    private mutating func pressInBacklog(_ key: Key, _ offset: Int) -> App.Action {
        switch key {
        case .up, .character("k"): backlogOffset = offset + 1
        case .down, .character("j"): backlogOffset = max(0, offset - 1)
        case .pageUp: backlogOffset = offset + 10
        case .pageDown: backlogOffset = max(0, offset - 10)
        default: backlogOffset = nil
        }
        return .none
    }

    func render(in area: Rect, of buffer: inout CellBuffer, content: CourseContent) {
        let margin = area.columns > 60 ? 4 : 1
        var page = area.inset(columns: margin, rows: area.rows > 16 ? 1 : 0)
        page.columns = min(page.columns, 76)
        let isOpen = backlogOffset != nil
        var lines = player.backlog.flatMap { paragraph($0, content, columns: page.columns, letters: nil) }
        if case .line(let line) = beat, !isOpen {
            let whole = paragraph(line, content, columns: page.columns, letters: nil).count
            lines.removeLast(min(whole, lines.count))
            // The line keeps the room it will need, so that nothing jumps while it appears.
            var shown = paragraph(line, content, columns: page.columns, letters: revealed)
            while shown.count < whole { shown.append([]) }
            lines += shown
        }
        if !isOpen { lines += ending(columns: page.columns) }
        let offset = min(backlogOffset ?? 0, max(0, lines.count - page.rows))
        let visible = lines.dropLast(offset).suffix(page.rows)
        for (index, line) in visible.enumerated() {
            var column = page.column
            for piece in line {
                column = buffer.put(
                    piece.text, column: column, row: page.row + index, piece.style, limit: page.endColumn)
            }
        }
        if isOpen {
            buffer.put(
                " back-log ", column: max(0, area.endColumn - 11), row: area.row, .selected, limit: area.endColumn)
        }
    }

    private struct Piece {
        var text: String
        var style: Style
    }

    private func paragraph(
        _ line: ScenePlayer.ShownLine, _ content: CourseContent, columns: Int, letters: Int?
    ) -> [[Piece]] {
        let shown = letters.map { String(line.text.prefix($0)) } ?? line.text
        // Broken as the whole line will be, so that no word moves while letters appear.
        var left = shown.count
        let style: Style = line.speaker == nil ? (line.isChoice ? .bold : .dim) : .plain
        var lines: [[Piece]] = []
        if let speaker = line.speaker, !line.isChoice {
            let name = content.character(speaker)?.name ?? speaker.rawValue
            var heading = [Piece(text: name.uppercased(), style: Style(role(of: speaker), bold: true))]
            if let mood = line.mood { heading.append(Piece(text: "  \(mood)", style: .dim)) }
            lines.append(heading)
        }
        for wrapped in TextWrap.lines((line.isChoice ? "> " : "") + line.text, columns: columns - 2) {
            let part = String(wrapped.prefix(max(0, letters == nil ? wrapped.count : left)))
            left -= wrapped.count + 1
            lines.append([Piece(text: "  " + part, style: style)])
        }
        return lines + [[]]
    }

    /// What follows the last line: the answers on offer, a closed gate, or the way out.
    private func ending(columns: Int) -> [[Piece]] {
        switch beat {
        case .choose(let lines):
            return lines.enumerated().flatMap { index, line in
                TextWrap.lines(line.text, columns: columns - 4).enumerated().map { row, text in
                    let sign = row > 0 ? "  " : index == selectedChoice ? "▸ " : "  "
                    return [Piece(text: "  " + sign + text, style: index == selectedChoice ? .selected : .plain)]
                }
            }
        case .gate(let path): return [[Piece(text: "The story goes on when \(path) has passed.", style: .dim)]]
        case .finished: return [[Piece(text: "Press Enter to go on.", style: .bold)]]
        case .line, .wait, .detour: return []
        }
    }

    private func role(of speaker: CharacterID) -> ColorRole {
        let roles: [ColorRole] = [.first, .second, .third, .fourth, .accent, .plain]
        let index = player.scene.cast.firstIndex(of: speaker) ?? 0
        return roles[index % roles.count]
    }
}

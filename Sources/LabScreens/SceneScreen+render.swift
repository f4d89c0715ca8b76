import CourseModel
import ScreenKit

extension SceneScreen {
    fileprivate struct Piece {
        var text: String
        var style: Style
    }

    func render(in area: Rect, of buffer: inout CellBuffer, content: CourseContent) {
        let margin = area.columns > 60 ? 4 : 1
        var page = area.inset(columns: margin, rows: area.rows > 16 ? 1 : 0)
        page.columns = min(page.columns, 76)
        var lines: [[Piece]] = []
        for text in [remark, playback.scene.setting.isEmpty ? nil : playback.scene.setting].compactMap({ $0 }) {
            lines += TextWrap.lines(text, columns: page.columns).map { [Piece(text: $0, style: .dim)] } + [[]]
        }
        if let backlog {
            lines = self.lines(of: backlog, content, columns: page.columns)
        } else {
            lines += playback.backlog.flatMap { paragraph($0, content, columns: page.columns, letters: nil) }
            if case .line(let line) = playback.beat, !playback.isLookingBack {
                let whole = paragraph(line, content, columns: page.columns, letters: nil).count
                lines.removeLast(min(whole, lines.count))
                // The line keeps the room it will need, so that nothing jumps while it appears.
                var shown = paragraph(line, content, columns: page.columns, letters: revealed)
                while shown.count < whole { shown.append([]) }
                lines += shown
            }
            lines += ending(columns: page.columns)
        }
        let offset = min(backlog?.offset ?? 0, max(0, lines.count - page.rows))
        let visible = lines.dropLast(offset).suffix(page.rows)
        for (index, line) in visible.enumerated() {
            var column = page.column
            for piece in line {
                column = buffer.put(
                    piece.text, column: column, row: page.row + index, piece.style, limit: page.endColumn)
            }
        }
        if let label {
            buffer.put(label, column: max(0, area.endColumn - TextWidth.of(label) - 1), row: area.row, .selected)
        }
    }

    /// What the corner says: in which of its ways the scene is shown.
    private var label: String? {
        if let backlog {
            return backlog.search.map { " back-log: /\($0)\(backlog.isTyping ? "_" : "") " } ?? " back-log "
        }
        if playback.isLookingBack { return " looking back " }
        return isAuto ? " auto " : nil
    }

    private func lines(of open: Backlog, _ content: CourseContent, columns: Int) -> [[Piece]] {
        let search = (open.search ?? "").lowercased()
        let found = playback.backlog.filter { line in
            let name = line.speaker.flatMap { content.character($0)?.name } ?? ""
            return search.isEmpty || "\(name) \(line.text)".lowercased().contains(search)
        }
        if found.isEmpty { return [[Piece(text: "Nothing that was said has '\(search)' in it.", style: .dim)]] }
        return found.flatMap { paragraph($0, content, columns: columns, letters: nil) }
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
            var heading = [Piece(text: name.uppercased(), style: Style(content.role(of: speaker), bold: true))]
            if let mood = line.mood { heading.append(Piece(text: "  \(mood)", style: .dim)) }
            lines.append(heading)
        }
        let sign = line.isChoice ? "> " : ""
        for (index, wrapped) in TextWrap.lines(line.text, columns: columns - 2 - sign.count).enumerated() {
            let part = String(wrapped.prefix(max(0, letters == nil ? wrapped.count : left)))
            left -= wrapped.count + 1
            let before = index == 0 ? sign : String(repeating: " ", count: sign.count)
            lines.append([Piece(text: "  " + before + part, style: style)])
        }
        return lines + [[]]
    }

    /// What follows the last line: the answers on offer, a closed gate, or the way out.
    private func ending(columns: Int) -> [[Piece]] {
        switch playback.beat {
        case .choose(let lines):
            let standing = playback.standingAnswer
            return lines.enumerated().flatMap { index, line in
                TextWrap.lines(line.text, columns: columns - 4).enumerated().map { row, text -> [Piece] in
                    let isMarked = standing.map { $0 == line.id } ?? (index == selectedChoice)
                    let sign = row > 0 || !isMarked ? "  " : standing == nil ? "▸ " : "✓ "
                    let style: Style =
                        !isMarked ? (standing == nil ? .plain : .dim) : standing == nil ? .selected : .bold
                    return [Piece(text: "  " + sign + text, style: style)]
                }
            } + (standing == nil ? [] : [[], [Piece(text: "  This was your answer, and it stands.", style: .dim)]])
        case .gate(let path):
            return [[Piece(text: "The story goes on when \(path) has passed.", style: .bold)]]
        case .finished: return [[Piece(text: "Press Enter to go on.", style: .bold)]]
        case .line, .wait: return []
        }
    }
}

extension CourseContent {
    /// The colour of a person: the same in every scene and on every page.
    func role(of speaker: CharacterID) -> ColorRole {
        let roles: [ColorRole] = [.first, .second, .third, .fourth, .accent]
        return roles[(characters.firstIndex { $0.id == speaker } ?? 0) % roles.count]
    }
}

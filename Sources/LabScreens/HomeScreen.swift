import CourseModel
import ScreenKit

/// What there is: weeks with their scenes and lab phases, and how far the learner is.
struct HomeScreen: Sendable {
    enum Entry: Sendable, Hashable {
        case week(String)
        case scene(SceneID, title: String)
        case phase(LabPath, title: String, minutes: Int)

        var isChoice: Bool { if case .week = self { false } else { true } }
    }

    static let hints = [
        KeyHint("↑↓", "choose"), KeyHint("Enter", "open"), KeyHint("q", "quit"),
    ]

    let entries: [Entry]
    var selected: Int

    init(content: CourseContent) {
        var entries: [Entry] = []
        for week in content.weeks {
            entries.append(.week("Week \(week.number): \(week.title)"))
            for id in week.scenes {
                if let scene = content.scene(id) { entries.append(.scene(id, title: scene.title)) }
            }
            for lab in week.labs.compactMap(content.lab) {
                for phase in lab.phases {
                    entries.append(
                        .phase(LabPath(lab: lab.id, phase: phase.id), title: phase.title, minutes: phase.minutes))
                }
            }
        }
        self.entries = entries
        selected = entries.firstIndex(where: \.isChoice) ?? 0
    }

    mutating func press(_ key: Key) -> App.Action {
        switch key {
        case .up, .character("k"): move(-1)
        case .down, .character("j"): move(1)
        case .enter, .character(" "):
            guard entries.indices.contains(selected) else { return .none }
            switch entries[selected] {
            case .week: return .none
            case .scene(let id, _): return .openScene(id)
            case .phase(let path, _, _): return .openPhase(path)
            }
        case .character("q"): return .quit
        case .escape: return .say("This is the first screen; q quits.")
        default: return .say("That key does nothing here; ? shows the keys that do.")
        }
        return .none
    }

    private mutating func move(_ step: Int) {
        var next = selected + step
        while entries.indices.contains(next), !entries[next].isChoice { next += step }
        if entries.indices.contains(next) { selected = next }
    }

    func render(in area: Rect, of buffer: inout CellBuffer, progress: [String: PhaseProgress]) {
        let list = area.inset(columns: 1, rows: area.rows > 12 ? 1 : 0)
        let first = max(0, min(selected - list.rows / 2, entries.count - list.rows))
        for (offset, entry) in entries.dropFirst(first).prefix(list.rows).enumerated() {
            let row = list.row + offset
            let isSelected = first + offset == selected
            switch entry {
            case .week(let title): buffer.put(title, column: list.column, row: row, .title, limit: list.endColumn)
            case .scene(_, let title):
                line("scene", title, "", isSelected: isSelected, style: .plain, row: row, list, &buffer)
            case .phase(let path, let title, let minutes):
                let state = progress[path.description]
                let done = state?.isDone ?? false
                let note = state.map { "\(done ? "✓ " : "")\($0.passed) of \($0.total)" } ?? "\(minutes) min"
                line("lab", title, note, isSelected: isSelected, style: done ? .good : .dim, row: row, list, &buffer)
            }
            if isSelected { buffer.cursor = .init(column: list.column, row: row) }
        }
    }

    private func line(
        _ kind: String, _ title: String, _ note: String, isSelected: Bool, style: Style, row: Int, _ list: Rect,
        _ buffer: inout CellBuffer
    ) {
        let noteColumns = TextWidth.of(note)
        let text = "\(isSelected ? "▸" : " ") \(TextWrap.pad(kind, columns: 6)) \(title)"
        let room = max(0, list.columns - noteColumns - 1)
        buffer.put(
            TextWrap.pad(text, columns: room), column: list.column, row: row, isSelected ? .selected : .plain,
            limit: list.endColumn)
        buffer.put(note, column: list.endColumn - noteColumns, row: row, style, limit: list.endColumn)
    }
}

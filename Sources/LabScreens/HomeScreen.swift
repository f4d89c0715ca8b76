import CourseModel
import ScreenKit

/// What there is: weeks with their scenes, pages and lab phases, in the order in which a learner meets them.
struct HomeScreen: Sendable {
    enum Entry: Sendable, Hashable {
        case week(WeekID)
        case step(WeekStep)

        var isChoice: Bool { if case .week = self { false } else { true } }
    }

    static let hints = [
        KeyHint("↑↓", "choose"), KeyHint("Enter", "open"), KeyHint("m", "map"), KeyHint("g", "gallery"),
        KeyHint("v", "cluster"), KeyHint("q", "quit"),
    ]

    let entries: [Entry]
    private(set) var selected: Int
    /// Somebody has chosen: the mark stays where it is.
    private var isChosen = false
    private let content: CourseContent

    init(content: CourseContent) {
        self.content = content
        entries = content.weeks.flatMap { week in
            [.week(week.id)] + content.steps(of: week).map(Entry.step)
        }
        selected = entries.firstIndex(where: \.isChoice) ?? 0
    }

    /// Marks the first phase that is not done; before the opening scene was seen, that one.
    mutating func markNext(_ progress: [String: PhaseProgress], _ record: StoryRecord) {
        let hasBegun = !progress.isEmpty || record.plays.contains { $0.finished != nil }
        guard !isChosen, hasBegun else { return }
        let open = entries.firstIndex { entry in
            guard case .step(.phase(let path)) = entry else { return false }
            return progress[path.description]?.isDone != true
        }
        if let open { selected = open }
    }

    mutating func press(_ key: Key) -> App.Action {
        isChosen = true
        switch key {
        case .up, .character("k"): move(-1)
        case .down, .character("j"): move(1)
        case .pageUp: for _ in 0..<8 { move(-1) }
        case .pageDown: for _ in 0..<8 { move(1) }
        case .home: for _ in entries { move(-1) }
        case .end: for _ in entries { move(1) }
        case .enter, .character(" "), .right:
            guard entries.indices.contains(selected), case .step(let step) = entries[selected] else { return .none }
            return step.opening
        case .character("m"): return .openMap
        case .character("g"): return .openGallery
        case .character("v"): return .openCluster
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

    func render(
        in area: Rect, of buffer: inout CellBuffer, progress: [String: PhaseProgress], record: StoryRecord
    ) {
        var list = area.inset(columns: 1, rows: area.rows > 12 ? 1 : 0)
        if list.columns >= 110 {
            let side = list.split(left: list.columns - 48).rest
            list.columns -= 50
            renderAbout(in: side, of: &buffer)
        }
        let first = max(0, min(selected - list.rows / 2, entries.count - list.rows))
        for (offset, entry) in entries.dropFirst(first).prefix(list.rows).enumerated() {
            let row = list.row + offset
            let isSelected = first + offset == selected
            switch entry {
            case .week(let id):
                let week = content.week(id)
                buffer.put(
                    "Week \(week?.number ?? 0): \(week?.title ?? "")", column: list.column, row: row, .title,
                    limit: list.endColumn)
            case .step(let step):
                let (kind, title, note, style) = describe(step, progress, record)
                line(kind, title, note, isSelected: isSelected, style: style, row: row, list, &buffer)
            }
            if isSelected { buffer.cursor = .init(column: list.column, row: row) }
        }
        if first > 0 { buffer.put("↑", column: area.column, row: list.row, .dim) }
        if first + list.rows < entries.count { buffer.put("↓", column: area.column, row: list.endRow - 1, .dim) }
    }

    private func describe(
        _ step: WeekStep, _ progress: [String: PhaseProgress], _ record: StoryRecord
    ) -> (kind: String, title: String, note: String, style: Style) {
        switch step {
        case .scene(let id):
            guard let scene = content.scene(id) else { return ("scene", id.rawValue, "", .dim) }
            let isSeen = record.timesSeen(id) > 0
            let note = isSeen ? "✓ seen" : record.isOpen(scene) ? "" : "after \(phaseName(scene.after))"
            return ("scene", scene.title, note, isSeen ? .good : .dim)
        case .page(let id):
            guard let page = content.page(id) else { return ("read", id.rawValue, "", .dim) }
            let kept = page.questions.count { record.answers[$0.id] != nil }
            let isRead = record.pagesRead.contains(id)
            let isDone = isRead && kept == page.questions.count
            let state = page.questions.isEmpty ? "read" : "\(kept) of \(page.questions.count) answered"
            let note = isDone ? "✓ \(state)" : page.questions.isEmpty ? "" : state
            return ("read", page.title, note, isDone ? .good : .dim)
        case .phase(let path):
            let phase = content.lab(path.lab)?.phases.first { $0.id == path.phase }
            let state = progress[path.description]
            let done = state?.isDone ?? false
            let note = state.map { "\(done ? "✓ " : "")\($0.passed) of \($0.total)" } ?? "\(phase?.minutes ?? 0) min"
            return ("lab", phase?.title ?? path.description, note, done ? .good : .dim)
        }
    }

    private func phaseName(_ path: LabPath?) -> String { path?.phase?.rawValue ?? "" }

    /// On a wide screen: what the marked entry is about.
    private func renderAbout(in area: Rect, of buffer: inout CellBuffer) {
        guard entries.indices.contains(selected), case .step(let step) = entries[selected] else { return }
        let title: String
        var texts: [String]
        switch step {
        case .scene(let id):
            let scene = content.scene(id)
            title = scene?.title ?? ""
            texts = [scene?.setting ?? ""]
            texts += (scene?.cast ?? []).compactMap(content.character).map { "\($0.name). \($0.role)." }
        case .page(let id):
            let page = content.page(id)
            title = page?.title ?? ""
            texts = (page?.blocks ?? []).compactMap { block in
                switch block {
                case .paragraph(let text): text
                case .heading(let text): "· \(text)"
                default: nil
                }
            }
            texts = Array(texts.prefix(8))
        case .phase(let path):
            let phase = content.lab(path.lab)?.phases.first { $0.id == path.phase }
            title = phase?.title ?? ""
            texts = [phase?.objective ?? "", "Checked: \(phase?.checkpoint.title ?? "")"]
        }
        let inside = buffer.box(area, title: title).inset(columns: 1)
        var rest = inside
        for text in texts where !text.isEmpty {
            let used = buffer.paragraph(text, in: rest)
            rest = rest.split(top: used + 1).rest
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

extension WeekStep {
    var opening: App.Action {
        switch self {
        case .scene(let id): .openScene(id, .play)
        case .page(let id): .openPage(id)
        case .phase(let path): .openPhase(path)
        }
    }
}

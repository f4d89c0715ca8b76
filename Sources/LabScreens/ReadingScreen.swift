import CourseModel
import ScreenKit

/// A page to read, with the answers that the learner writes to its questions.
struct ReadingScreen: Sendable {
    /// An answer while it is written.
    struct Draft: Sendable {
        var question: PageQuestion
        var text: String
    }

    let page: ReadingPage
    private let neighbours: (previous: PageID?, next: PageID?)
    private var scroll = 0
    private(set) var draft: Draft?

    /// The longest answer that is kept, in characters.
    static let answerMax = 1000

    init(page: ReadingPage, content: CourseContent) {
        self.page = page
        let pages = content.week(page.week)?.pages ?? []
        let index = pages.firstIndex(of: page.id) ?? 0
        neighbours = (index > 0 ? pages[index - 1] : nil, index + 1 < pages.count ? pages[index + 1] : nil)
    }

    var isTyping: Bool { draft != nil }

    var hints: [KeyHint] {
        if draft != nil { return [KeyHint("Enter", "keep the answer"), KeyHint("Esc", "leave it as it was")] }
        var hints = [KeyHint("Space", "on"), KeyHint("↑↓", "scroll"), KeyHint("n/p", "next page")]
        if !page.questions.isEmpty { hints.append(KeyHint("1-\(page.questions.count)", "answer a question")) }
        return hints + [KeyHint("Esc", "back")]
    }

    /// `lastLine` is how far the text can scroll, as the screen shows it now.
    mutating func press(_ key: Key, page rows: Int, lastLine: Int, record: StoryRecord) -> App.Action {
        if draft != nil { return write(key) }
        switch key {
        case .down, .character("j"): scroll = min(lastLine, scroll + 1)
        case .up, .character("k"): scroll = max(0, scroll - 1)
        case .character(" "), .pageDown, .enter:
            if key != .pageDown, scroll >= lastLine {
                return neighbours.next.map(App.Action.turnPage) ?? .say("This is the last page of the week.")
            }
            scroll = min(lastLine, scroll + rows)
        case .pageUp: scroll = max(0, scroll - rows)
        case .home: scroll = 0
        case .end: scroll = lastLine
        case .character("n"), .right:
            return neighbours.next.map(App.Action.turnPage) ?? .say("This is the last page of the week.")
        case .character("p"), .left:
            return neighbours.previous.map(App.Action.turnPage) ?? .say("This is the first page of the week.")
        case .escape, .character("q"): return .back
        case .character(let digit):
            guard let number = digit.wholeNumberValue, page.questions.indices.contains(number - 1) else {
                return .say("That key does nothing here; ? shows the keys that do.")
            }
            let question = page.questions[number - 1]
            draft = Draft(question: question, text: record.answers[question.id]?.text ?? "")
        default: return .say("That key does nothing here; ? shows the keys that do.")
        }
        return .none
    }

    private mutating func write(_ key: Key) -> App.Action {
        guard let open = draft else { return .none }
        switch key {
        case .character(let letter):
            if open.text.count < Self.answerMax { draft?.text.append(letter) }
        case .backspace: if !open.text.isEmpty { draft?.text.removeLast() }
        case .control("u"): draft?.text = ""
        case .enter:
            draft = nil
            let text = TextWrap.trimmed(open.text)
            return text.isEmpty ? .say("Nothing was written, so nothing is kept.") : .keepAnswer(open.question.id, text)
        case .escape: draft = nil
        default: break
        }
        return .none
    }

    func lines(columns: Int, content: CourseContent, record: StoryRecord) -> [PageLine] {
        ReadingText.lines(page, content: content, record: record, columns: min(90, columns))
    }

    func render(in area: Rect, of buffer: inout CellBuffer, content: CourseContent, record: StoryRecord) {
        var text = Self.textArea(in: area)
        let lines = lines(columns: text.columns, content: content, record: record)
        if let draft {
            let rows = min(area.rows, max(6, TextWrap.lines(draft.text, columns: max(1, text.columns - 4)).count + 4))
            let box: Rect
            (text, box) = text.split(bottom: rows)
            render(draft, in: box, of: &buffer)
        }
        let first = min(scroll, max(0, lines.count - text.rows))
        buffer.show(lines, from: first, in: text)
    }

    static func textArea(in area: Rect) -> Rect {
        area.inset(columns: area.columns > 60 ? 2 : 1, rows: area.rows > 12 ? 1 : 0)
    }

    private func render(_ draft: Draft, in area: Rect, of buffer: inout CellBuffer) {
        let inside = buffer.box(area, title: "Your answer").inset(columns: 1)
        let used = buffer.paragraph(draft.question.text, in: inside, .dim)
        let rest = inside.split(top: used).rest
        let rows = TextWrap.lines(draft.text, columns: max(1, rest.columns - 1))
        let visible = rows.suffix(max(1, rest.rows))
        for (index, row) in visible.enumerated() {
            buffer.put(row, column: rest.column, row: rest.row + index, limit: rest.endColumn)
        }
        let column = rest.column + TextWidth.of(visible.last ?? "")
        let row = rest.row + max(0, visible.count - 1)
        buffer.put("_", column: column, row: row, .bold, limit: rest.endColumn)
        buffer.cursor = .init(column: column, row: row)
    }
}

extension TextWrap {
    /// Without white space at both ends.
    static func trimmed(_ text: String) -> String {
        var text = text.drop(while: \.isWhitespace)
        while text.last?.isWhitespace ?? false { text.removeLast() }
        return String(text)
    }
}

import CourseModel
import ScreenKit

/// A page to read, with the answers that the learner writes to its questions.
struct ReadingScreen: Sendable {
    let page: ReadingPage
    private let neighbours: (previous: PageID?, next: PageID?)
    private var scroll = 0
    private(set) var draft: AnswerBox?

    init(page: ReadingPage, content: CourseContent) {
        self.page = page
        let pages = content.week(page.week)?.pages ?? []
        let index = pages.firstIndex(of: page.id) ?? 0
        neighbours = (index > 0 ? pages[index - 1] : nil, index + 1 < pages.count ? pages[index + 1] : nil)
    }

    var isTyping: Bool { draft != nil }

    var hints: [KeyHint] {
        if draft != nil { return AnswerBox.hints }
        var hints = [KeyHint("Space", "on"), KeyHint("↑↓", "scroll"), KeyHint("n/p", "next page")]
        if !page.questions.isEmpty { hints.append(KeyHint("1-\(page.questions.count)", "answer a question")) }
        return hints + [KeyHint("Esc", "back")]
    }

    /// Whether the last line is in view, so that the page counts as read.
    func isAtEnd(lastLine: Int) -> Bool { draft == nil && scroll >= lastLine }

    /// `lastLine` is how far the text can scroll, as the screen shows it now.
    mutating func press(_ key: Key, page rows: Int, lastLine: Int, record: StoryRecord) -> App.Action {
        if var box = draft {
            let outcome = box.press(key)
            draft = box
            guard case .closes(let action) = outcome else { return .none }
            draft = nil
            return action
        }
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
            draft = AnswerBox(
                question: question.id, asked: question.text, text: record.answers[question.id]?.text ?? "")
        default: return .say("That key does nothing here; ? shows the keys that do.")
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
            let box: Rect
            (text, box) = text.split(bottom: draft.rows(in: text))
            draft.render(in: box, of: &buffer)
        }
        let first = min(scroll, max(0, lines.count - text.rows))
        buffer.show(lines, from: first, in: text)
    }

    static func textArea(in area: Rect) -> Rect {
        area.inset(columns: area.columns > 60 ? 2 : 1, rows: area.rows > 12 ? 1 : 0)
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

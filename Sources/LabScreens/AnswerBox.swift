import CourseModel
import ScreenKit

/// An answer while it is written, in a box at the foot of a screen.
struct AnswerBox: Sendable {
    let question: QuestionID
    /// What was asked.
    let asked: String
    private(set) var text: String

    /// The longest answer that is kept, in characters.
    private static let charactersMax = 1000

    static let hints = [KeyHint("Enter", "keep the answer"), KeyHint("Esc", "leave it as it was")]

    /// What a key leads to.
    enum Outcome {
        case goesOn
        /// The box closes; nil keeps nothing.
        case closes(App.Action)
    }

    init(question: QuestionID, asked: String, text: String) {
        self.question = question
        self.asked = asked
        self.text = text
    }

    mutating func press(_ key: Key) -> Outcome {
        switch key {
        case .character(let letter):
            if text.count < Self.charactersMax { text.append(letter) }
        case .backspace: if !text.isEmpty { text.removeLast() }
        case .control("u"): text = ""
        case .enter:
            let kept = TextWrap.trimmed(text)
            return .closes(
                kept.isEmpty ? .say("Nothing was written, so nothing is kept.") : .keepAnswer(question, kept))
        case .escape: return .closes(.none)
        default: break
        }
        return .goesOn
    }

    /// How many rows of an area it takes.
    func rows(in area: Rect) -> Int {
        let columns = max(1, area.columns - 4)
        let lines = TextWrap.lines(text, columns: columns).count + TextWrap.lines(asked, columns: columns).count
        return min(area.rows, max(6, lines + 3))
    }

    func render(in area: Rect, of buffer: inout CellBuffer) {
        let inside = buffer.box(area, title: "Your answer").inset(columns: 1)
        let used = buffer.paragraph(asked, in: inside, .dim)
        let rest = inside.split(top: used).rest
        let rows = TextWrap.lines(text, columns: max(1, rest.columns - 1))
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

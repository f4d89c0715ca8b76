import Checkers
import CourseModel
import ScreenKit

/// A phase of a lab: its steps, with the commands as the course prints them.
struct LabScreen: Sendable {
    static let hints = [
        KeyHint("t", "terminal"), KeyHint("c", "check"), KeyHint("v", "cluster"), KeyHint("n/p", "step"),
        KeyHint("b", "begin"), KeyHint("Tab", "phase"), KeyHint("↑↓", "scroll"), KeyHint("Esc", "back"),
    ]
    /// What the help shows besides: there is no room for it below the screen.
    static let furtherHints = [
        KeyHint("h", "a hint for what is open (recorded)"), KeyHint("u", "do the phases before this one (no points)"),
    ]

    let lab: Lab
    private(set) var phaseIndex: Int
    private(set) var stepIndex = 0
    private var scroll = 0
    /// The key that asked whether to go on; pressed once more it does.
    private var asked: Key?
    private var answer: AnswerBox?

    init(lab: Lab, phaseIndex: Int) {
        self.lab = lab
        self.phaseIndex = phaseIndex
    }

    private var phase: Phase { lab.phases[phaseIndex] }
    private var questions: [LabQuestion] {
        phase.steps.indices.contains(stepIndex) ? phase.steps[stepIndex].questions : []
    }

    var isTyping: Bool { answer != nil }

    var keys: [KeyHint] {
        if isTyping { return AnswerBox.hints }
        return (questions.isEmpty ? [] : [KeyHint("1-\(questions.count)", "answer")]) + Self.hints
    }

    var place: String { "\(lab.title) › \(phase.title)" }

    mutating func press(_ key: Key, page: Int, record: StoryRecord) -> App.Action {
        if var box = answer {
            let outcome = box.press(key)
            answer = box
            guard case .closes(let action) = outcome else { return .none }
            answer = nil
            return action
        }
        let isSure = asked == key
        asked = nil
        switch key {
        case .character("b"):
            if isSure { return .begin(lab.id, phase.id) }
            asked = key
            let end = phase.isDrill ? ", breaks something, and starts the clock" : ""
            let isFirst = lab.phasesDone(before: phase).isEmpty
            return .say(
                "This deletes the namespace '\(lab.namespace)', makes it as it is where the phase begins\(end). "
                    + (isFirst ? "" : "What comes before and has not passed yet earns no points then. ")
                    + "b once more goes on.")
        case .character("u"):
            let missed = lab.phasesDone(before: phase).map(\.title)
            if missed.isEmpty { return .say("Nothing comes before this phase.") }
            if isSure { return .catchUp(lab.id, phase.id) }
            asked = key
            return .say(
                "This does in your cluster what comes before: \(missed.joined(separator: ", ")). What has not passed yet "
                    + "earns no points then. u once more goes on.")
        case .character("h"): return .hint(lab.id, phase.id)
        case .character("t"), .enter: return .shell(lab.id)
        case .character("c"): return .check(lab.id, phase)
        case .character("v"): return .openCluster
        case .character("n"), .right:
            guard stepIndex + 1 < phase.steps.count else {
                return .say("This is the last step; c checks the phase.")
            }
            go(toStep: stepIndex + 1)
        case .character("p"), .left:
            guard stepIndex > 0 else { return .say("This is the first step.") }
            go(toStep: stepIndex - 1)
        case .tab:
            phaseIndex = (phaseIndex + 1) % lab.phases.count
            go(toStep: 0)
        case .down, .character("j"): scroll += 1
        case .up, .character("k"): scroll = max(0, scroll - 1)
        case .pageDown, .character(" "): scroll += page
        case .pageUp: scroll = max(0, scroll - page)
        case .home: scroll = 0
        case .escape, .character("q"): return .back
        case .character(let digit) where digit.wholeNumberValue.map { questions.indices.contains($0 - 1) } ?? false:
            let question = questions[(digit.wholeNumberValue ?? 1) - 1]
            answer = AnswerBox(
                question: question.id, asked: question.text, text: record.answers[question.id]?.text ?? "")
        default: return .say("That key does nothing here; ? shows the keys that do.")
        }
        return .none
    }

    private mutating func go(toStep index: Int) {
        stepIndex = index
        scroll = 0
    }

    func render(
        in area: Rect, of buffer: inout CellBuffer, progress: [String: PhaseProgress], drill: DrillStage?,
        record: StoryRecord
    ) {
        let heading: Rect
        var page: Rect
        (heading, page) = area.split(top: 1)
        let state = progress[LabPath(lab: lab.id, phase: phase.id).description]
        var note = "step \(stepIndex + 1) of \(phase.steps.count)"
        if let state {
            note += state.isDone ? "  ✓ passed" : "  \(state.passed) of \(state.total) checks"
            note += ", \(state.earned) of \(state.points) points"
        }
        let column = buffer.put(
            phase.title, column: heading.column + 1, row: heading.row, .bold, limit: heading.endColumn)
        buffer.put(note, column: column + 2, row: heading.row, .dim, limit: heading.endColumn)
        page = page.inset(columns: 1)
        if phase.isDrill {
            let (text, style) = standing(of: drill)
            let rows = TextWrap.lines(text, columns: page.columns).count
            let line: Rect
            (line, page) = page.split(top: min(page.rows, rows))
            buffer.paragraph(text, in: line, style)
        }
        if let answer {
            let box: Rect
            (page, box) = page.split(bottom: answer.rows(in: page))
            answer.render(in: box, of: &buffer)
        }
        let lines = text(columns: min(page.columns, 96), record)
        let first = min(scroll, max(0, lines.count - page.rows))
        buffer.show(lines, from: first, in: page)
    }

    /// Whether this drill goes on, in one sentence.
    private func standing(of drill: DrillStage?) -> (String, Style) {
        guard let drill, drill.phase == phase.id else {
            return ("It has not begun: b makes the lab new, breaks something, and starts the clock.", .warning)
        }
        if let recovery = drill.recovery {
            return ("✓ Mended after \(recovery.readable). b begins the drill anew, perhaps with another fault.", .good)
        }
        let clock = drill.started.timeText.prefix(8)
        return ("It began at \(clock) (UTC), and the clock runs until c finds everything well.", .warning)
    }

    /// The present step, wrapped.
    private func text(columns: Int, _ record: StoryRecord) -> [PageLine] {
        var lines: [PageLine] = []
        func add(_ text: String, _ style: Style = .plain, indent: Int = 0) {
            let space = String(repeating: " ", count: indent)
            lines += TextWrap.lines(text, columns: columns - indent).map { PageLine(text: space + $0, style: style) }
        }
        if stepIndex == 0 {
            add(phase.objective, .dim)
            lines.append(PageLine(text: ""))
            for command in phase.preparation { addCommand(command, &lines, columns) }
        }
        guard phase.steps.indices.contains(stepIndex) else { return lines }
        let step = phase.steps[stepIndex]
        add(step.title, .title)
        lines.append(PageLine(text: ""))
        add(step.text)
        lines.append(PageLine(text: ""))
        for command in step.commands { addCommand(command, &lines, columns) }
        if let snippet = step.snippet {
            lines += snippet.split(separator: "\n", omittingEmptySubsequences: false).map {
                PageLine(text: "  │ \($0)", style: .dim)
            }
            lines.append(PageLine(text: ""))
        }
        for (index, question) in step.questions.enumerated() {
            add("\(index + 1). \(question.text)", .bold)
            let kept = record.answers[question.id]?.text
            add(kept ?? "(not answered yet: \(index + 1) answers)", kept == nil ? .dim : Style(.accent), indent: 3)
            if let kept {
                let isRight = question.isRight(kept)
                add(isRight ? "✓ That is right." : "✗ Think again.", isRight ? .good : .warning, indent: 3)
            }
            lines.append(PageLine(text: ""))
        }
        if !step.files.isEmpty { add("Files in your folder: \(step.files.joined(separator: ", "))", .dim) }
        return lines
    }

    private func addCommand(_ command: Command, _ lines: inout [PageLine], _ columns: Int) {
        if let note = command.note {
            lines += TextWrap.lines(note, columns: columns).map { PageLine(text: $0, style: .dim) }
        }
        for (index, part) in command.run.split(separator: "\n").enumerated() {
            lines.append(PageLine(text: (index == 0 ? "  $ " : "    ") + part, style: Style(.accent)))
        }
        if let expect = command.expect {
            lines += TextWrap.lines(expect, columns: columns - 4).map { PageLine(text: "    " + $0, style: .dim) }
        }
        lines.append(PageLine(text: ""))
    }
}

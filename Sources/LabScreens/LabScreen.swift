import CourseModel
import ScreenKit

/// A phase of a lab: its steps, with the commands as the course prints them.
struct LabScreen: Sendable {
    static let hints = [
        KeyHint("t", "terminal"), KeyHint("c", "check"), KeyHint("v", "cluster"), KeyHint("n/p", "step"),
        KeyHint("↑↓", "scroll"),
        KeyHint("Tab", "phase"), KeyHint("Esc", "back"),
    ]

    let lab: Lab
    private(set) var phaseIndex: Int
    private(set) var stepIndex = 0
    private var scroll = 0

    init(lab: Lab, phaseIndex: Int) {
        self.lab = lab
        self.phaseIndex = phaseIndex
    }

    private var phase: Phase { lab.phases[phaseIndex] }

    var place: String { "\(lab.title) › \(phase.title)" }

    mutating func press(_ key: Key, page: Int) -> App.Action {
        switch key {
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
        default: return .say("That key does nothing here; ? shows the keys that do.")
        }
        return .none
    }

    private mutating func go(toStep index: Int) {
        stepIndex = index
        scroll = 0
    }

    func render(in area: Rect, of buffer: inout CellBuffer, progress: [String: PhaseProgress]) {
        let heading: Rect
        var page: Rect
        (heading, page) = area.split(top: 1)
        let state = progress[LabPath(lab: lab.id, phase: phase.id).description]
        var note = "step \(stepIndex + 1) of \(phase.steps.count)"
        if let state { note += state.isDone ? "  ✓ passed" : "  \(state.passed) of \(state.total) checks" }
        let column = buffer.put(
            phase.title, column: heading.column + 1, row: heading.row, .bold, limit: heading.endColumn)
        buffer.put(note, column: column + 2, row: heading.row, .dim, limit: heading.endColumn)
        page = page.inset(columns: 1)
        let lines = text(columns: min(page.columns, 96))
        let first = min(scroll, max(0, lines.count - page.rows))
        buffer.show(lines, from: first, in: page)
    }

    /// The present step, wrapped.
    private func text(columns: Int) -> [PageLine] {
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

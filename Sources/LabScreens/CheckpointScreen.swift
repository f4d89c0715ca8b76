import CourseModel
import ScreenKit

/// A checkpoint while it is judged and after: what each check waits for, then its verdict with what proves it.
struct CheckpointScreen: Sendable {
    private enum State: Sendable {
        case waiting
        case running(String)
        case judged(CheckResult)
    }

    let lab: LabID
    let phase: Phase
    private var states: [CheckID: State] = [:]
    private var outcome: Verdict.Outcome?
    private var isRunning = true
    private var scroll = 0

    init(lab: LabID, phase: Phase) {
        self.lab = lab
        self.phase = phase
    }

    var isOver: Bool { !isRunning }

    var place: String { "Checkpoint › \(phase.title)" }

    var hints: [KeyHint] {
        isRunning
            ? [KeyHint("Esc", "stop the check"), KeyHint("↑↓", "scroll")]
            : [
                KeyHint("c", "check again"), KeyHint("t", "terminal"), KeyHint("↑↓", "scroll"), KeyHint("Esc", "back"),
            ]
    }

    mutating func waits(_ check: CheckID, _ line: String) { states[check] = .running(line) }

    mutating func judged(_ result: CheckResult) { states[result.check] = .judged(result) }

    mutating func finished(_ result: CheckpointResult) {
        for result in result.results { states[result.check] = .judged(result) }
        outcome = result.outcome
        isRunning = false
    }

    /// It was broken off: what runs goes back to waiting.
    mutating func end() {
        isRunning = false
        for (check, state) in states {
            if case .running = state { states[check] = .waiting }
        }
    }

    mutating func press(_ key: Key, page: Int) -> App.Action {
        switch key {
        case .down, .character("j"): scroll += 1
        case .up, .character("k"): scroll = max(0, scroll - 1)
        case .pageDown, .character(" "): scroll += page
        case .pageUp: scroll = max(0, scroll - page)
        case .escape, .character("q"):
            guard isRunning else { return .back }
            end()
            return .cancelCheck
        case .character("c"):
            return isRunning ? .say("The check is still running; Esc stops it.") : .check(lab, phase)
        case .character("t"):
            return isRunning ? .say("The check is still running; Esc stops it.") : .shell(lab)
        default: return .say("That key does nothing here; ? shows the keys that do.")
        }
        return .none
    }

    func render(in area: Rect, of buffer: inout CellBuffer) {
        let page = area.inset(columns: 1)
        let lines = text(columns: page.columns)
        // While it runs, the newest line stays in view.
        let last = max(0, lines.count - page.rows)
        let first = isRunning ? min(last, firstRunningLine(lines, page.rows)) : min(scroll, last)
        buffer.show(lines, from: first, in: page)
    }

    private func firstRunningLine(_ lines: [PageLine], _ rows: Int) -> Int {
        guard let index = lines.lastIndex(where: \.isRunning) else { return Int.max }
        return max(0, index - rows + 2)
    }

    private func text(columns: Int) -> [PageLine] {
        var lines = [PageLine(text: phase.checkpoint.title, style: .title)]
        if let outcome {
            lines.append(
                outcome == .passed
                    ? PageLine(text: "✓ Passed, and recorded.", style: .good)
                    : PageLine(
                        text: "✗ Not yet. It is recorded; try again with c when you have mended it.", style: .warning))
        } else if !isRunning {
            lines.append(
                PageLine(text: "The check was stopped; nothing is recorded. c starts it again.", style: .warning))
        }
        lines.append(PageLine(text: ""))
        func add(_ label: String, _ text: String, _ style: Style = .plain) {
            let indent = String(repeating: " ", count: 13)
            for (index, part) in TextWrap.lines(text, columns: max(8, columns - 13)).enumerated() {
                lines.append(
                    PageLine(
                        text: (index == 0 ? TextWrap.pad("    \(label)", columns: 13) : indent) + part, style: style))
            }
        }
        for check in phase.checkpoint.checks {
            switch states[check.id] ?? .waiting {
            case .waiting: lines.append(PageLine(text: "  · \(check.title)", style: .dim))
            case .running(let waits):
                lines.append(PageLine(text: "  ▸ \(check.title)", style: .bold))
                lines += TextWrap.lines(waits, columns: max(8, columns - 6)).map {
                    PageLine(text: "      \($0)", style: .warning, isRunning: true)
                }
            case .judged(let result):
                describe(result, &lines)
                for (name, milliseconds) in result.measured.sorted(by: { $0.key < $1.key }) {
                    add("measured", "\(name) \(Duration.milliseconds(milliseconds).readable)", .dim)
                }
                switch result.verdict {
                case .passed: break
                case .failed(let failure):
                    add("expected", failure.expected)
                    add("found", failure.found)
                    add("hint", failure.hint, Style(.accent))
                case .unknown(let because), .skipped(let because): add("because", because, .dim)
                }
                for evidence in result.evidence.suffix(8) {
                    add("seen", "\(evidence.at.timeText)  \(evidence.what)", .dim)
                }
            }
        }
        return lines
    }

    private func describe(_ result: CheckResult, _ lines: inout [PageLine]) {
        let took = (result.finished - result.started).readable
        switch result.verdict.outcome {
        case .passed: lines.append(PageLine(text: "  ✓ \(result.title)  \(took)", style: .good))
        case .failed: lines.append(PageLine(text: "  ✗ \(result.title)  \(took)", style: .bad))
        case .unknown: lines.append(PageLine(text: "  ? \(result.title): could not be checked", style: .warning))
        case .skipped: lines.append(PageLine(text: "  - \(result.title): skipped", style: .dim))
        }
    }
}

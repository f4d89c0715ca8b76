public import CourseModel
import ScreenKit

/// A page as lines of text: what the screen shows and the plain mode prints.
public enum ReadingText {
    /// The lines of a page, for plain output of that many columns.
    public static func plain(
        _ page: ReadingPage, content: CourseContent, record: StoryRecord, columns: Int
    ) -> [String] {
        lines(page, content: content, record: record, columns: columns).map(\.text)
    }

    static func lines(
        _ page: ReadingPage, content: CourseContent, record: StoryRecord, columns: Int
    ) -> [PageLine] {
        var lines: [PageLine] = []
        var number = 0
        for (index, block) in page.blocks.enumerated() {
            let next = page.blocks.indices.contains(index + 1) ? page.blocks[index + 1] : nil
            switch block {
            case .heading(let text): lines += wrapped(text, columns, .title)
            case .paragraph(let text): lines += wrapped(text, columns)
            case .bullet(let text): lines += hanging("• ", text, columns)
            case .figure(let rows): lines += figure(rows, columns)
            case .command(let text): lines.append(PageLine(text: "  $ \(text)", style: Style(.accent)))
            case .quote(let speaker, let text):
                let name = content.character(speaker)?.name ?? speaker.rawValue
                lines.append(PageLine(text: name.uppercased(), style: Style(content.role(of: speaker), bold: true)))
                lines += hanging("  ", "“\(text)”", columns)
            case .question(let question):
                number += 1
                lines += self.lines(of: question, number, record, columns)
            case .metrics:
                if let week = content.week(page.week) {
                    let chart = MetricsChart(week.metrics, week: week.number, record: record, columns: columns)
                    lines += chart.rows.map { PageLine(text: $0.text, style: style(of: $0.kind)) }
                }
            }
            if !belongTogether(block, next) { lines.append(PageLine(text: "")) }
        }
        if lines.last?.text.isEmpty ?? false { lines.removeLast() }
        return lines
    }

    private static func lines(
        of question: PageQuestion, _ number: Int, _ record: StoryRecord, _ columns: Int
    ) -> [PageLine] {
        var lines = hanging("\(number). ", question.text, columns, .bold)
        guard let answer = record.answers[question.id] else {
            return lines + [PageLine(text: "   (nothing written yet)", style: .dim)]
        }
        lines += hanging("   ", answer.text, columns, Style(.accent))
        lines.append(PageLine(text: "   kept on \(answer.written.dateText)", style: .dim))
        if !question.reply.isEmpty { lines += hanging("   The team: ", question.reply, columns, .dim) }
        return lines
    }

    /// A figure cannot be wrapped; where it is cut, that is said.
    private static func figure(_ rows: [String], _ columns: Int) -> [PageLine] {
        let width = rows.map(TextWidth.of).max() ?? 0
        let lines = rows.map { PageLine(text: $0) }
        if width <= columns { return lines }
        return lines + wrapped("(This figure is \(width) columns wide; here is room for \(columns).)", columns, .dim)
    }

    /// Bullets, and commands, stand without a gap.
    private static func belongTogether(_ block: PageBlock, _ next: PageBlock?) -> Bool {
        switch (block, next) {
        case (.bullet, .bullet?), (.command, .command?): true
        default: false
        }
    }

    private static func wrapped(_ text: String, _ columns: Int, _ style: Style = .plain) -> [PageLine] {
        TextWrap.lines(text, columns: columns).map { PageLine(text: $0, style: style) }
    }

    private static func hanging(_ sign: String, _ text: String, _ columns: Int, _ style: Style = .plain) -> [PageLine] {
        let indent = String(repeating: " ", count: TextWidth.of(sign))
        return TextWrap.lines(text, columns: max(8, columns - indent.count)).enumerated().map { index, line in
            PageLine(text: (index == 0 ? sign : indent) + line, style: style)
        }
    }

    private static func style(of kind: MetricsChart.Kind) -> Style {
        switch kind {
        case .head: .title
        case .plain, .bar: .plain
        case .yours: .good
        case .note: .dim
        }
    }
}

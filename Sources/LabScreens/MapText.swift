public import CourseModel
import ScreenKit

/// The road through the whole course as lines of text.
public enum MapText {
    /// For plain output of that many columns.
    public static func plain(
        _ content: CourseContent, progress: [String: PhaseProgress], record: StoryRecord, columns: Int
    ) -> [String] {
        lines(content, progress: progress, record: record, columns: columns).map(\.text)
    }

    static func lines(
        _ content: CourseContent, progress: [String: PhaseProgress], record: StoryRecord, columns: Int
    ) -> [PageLine] {
        let last = content.map.stops.last?.number ?? content.weeks.last?.number ?? 0
        var lines = [PageLine(text: "The road: \(last) weeks", style: .title), PageLine(text: "")]
        let stops =
            content.map.stops.isEmpty ? content.weeks.map { CourseMap.Stop(number: $0.number) } : content.map.stops
        for stop in stops {
            let week = content.weeks.first { $0.number == stop.number }
            let number = stop.number < 10 ? " \(stop.number)" : "\(stop.number)"
            if let week {
                let note = standing(of: week, content, progress, record)
                lines += entry("\(number) ● ", "\(week.title): \(week.subtitle)", note, columns, .bold)
            } else {
                lines += entry("\(number) ○ ", stop.title ?? "", stop.note ?? "to come", columns, .dim)
            }
        }
        if !content.map.besides.isEmpty {
            lines += [PageLine(text: ""), PageLine(text: "Beside the road", style: .title), PageLine(text: "")]
            for stop in content.map.besides {
                lines += entry("   ○ ", stop.title ?? "", stop.note ?? "to come", columns, .dim)
            }
        }
        lines += [PageLine(text: ""), PageLine(text: "● is here   ○ is to come", style: .dim)]
        return lines
    }

    private static func standing(
        of week: Week, _ content: CourseContent, _ progress: [String: PhaseProgress], _ record: StoryRecord
    ) -> String {
        let paths = week.labs.compactMap(content.lab).flatMap { lab in
            lab.phases.map { LabPath(lab: lab.id, phase: $0.id).description }
        }
        let done = paths.count { progress[$0]?.isDone ?? false }
        let read = week.pages.count(where: record.pagesRead.contains)
        let pages = week.pages.isEmpty ? "" : ", \(read) of \(week.pages.count) pages read"
        return (done == paths.count && done > 0 ? "✓ " : "") + "\(done) of \(paths.count) phases" + pages
    }

    private static func entry(
        _ sign: String, _ title: String, _ note: String, _ columns: Int, _ style: Style
    ) -> [PageLine] {
        let indent = String(repeating: " ", count: TextWidth.of(sign))
        if title.isEmpty { return [PageLine(text: sign + note, style: style)] }
        let oneLine = sign + title
        if TextWidth.of(oneLine) + 2 + TextWidth.of(note) <= columns {
            let gap = String(repeating: " ", count: columns - TextWidth.of(oneLine) - TextWidth.of(note))
            return [PageLine(text: oneLine + gap + note, style: style)]
        }
        let rows = TextWrap.lines(title, columns: max(8, columns - indent.count))
        return rows.enumerated().map { PageLine(text: ($0 == 0 ? sign : indent) + $1, style: style) }
            + [PageLine(text: indent + note, style: .dim)]
    }
}

/// The map as a screen.
struct MapScreen: Sendable {
    static let hints = [KeyHint("↑↓", "scroll"), KeyHint("g", "gallery"), KeyHint("Esc", "back")]

    private var scroll = 0

    mutating func press(_ key: Key, page: Int, lastLine: Int) -> App.Action {
        switch key {
        case .down, .character("j"): scroll = min(lastLine, scroll + 1)
        case .up, .character("k"): scroll = max(0, scroll - 1)
        case .pageDown, .character(" "): scroll = min(lastLine, scroll + page)
        case .pageUp: scroll = max(0, scroll - page)
        case .character("g"): return .openGallery
        case .escape, .character("q"), .character("m"), .enter, .left: return .back
        default: return .say("That key does nothing here; ? shows the keys that do.")
        }
        return .none
    }

    func render(
        in area: Rect, of buffer: inout CellBuffer, content: CourseContent, progress: [String: PhaseProgress],
        record: StoryRecord
    ) {
        let text = ReadingScreen.textArea(in: area)
        let lines = MapText.lines(content, progress: progress, record: record, columns: min(96, text.columns))
        buffer.show(lines, from: min(scroll, max(0, lines.count - text.rows)), in: text)
    }
}

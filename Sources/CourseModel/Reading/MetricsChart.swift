/// The metrics of a week as lines of text: a table, then bars for what can be measured.
public struct MetricsChart: Hashable, Sendable {
    public struct Row: Hashable, Sendable {
        public var text: String
        public var kind: Kind
    }

    /// What a row is, for whoever colours it.
    public enum Kind: Hashable, Sendable { case head, plain, bar, yours, note }

    public let rows: [Row]

    /// What stands where nothing was measured.
    public static let unknown = "not measured yet"

    private static let nameColumns = 24

    /// - Parameter columns: The room for a line; 76 on a screen of 80.
    public init(_ metrics: [WeekMetric], week: Int, record: StoryRecord, columns: Int) {
        let isWide = columns >= 76
        var rows = isWide ? Self.table(metrics, week: week, record) : []
        // Without room for the table, every metric is listed; bars are for times only.
        for metric in metrics where metric.canBeMeasured || !isWide {
            if !rows.isEmpty { rows.append(Row(text: "", kind: .plain)) }
            rows.append(Row(text: metric.title, kind: .head))
            rows += Self.bars(metric, week: week, record, room: columns - 40)
        }
        if columns >= 66 {
            rows.append(Row(text: "", kind: .plain))
            rows.append(Row(text: "Bars are logarithmic: ten times as long is about six blocks more.", kind: .note))
        }
        self.rows = rows
    }

    private static func table(_ metrics: [WeekMetric], week: Int, _ record: StoryRecord) -> [Row] {
        func line(_ cells: [String]) -> String {
            let widths = [nameColumns, 12, 14, 13]
            return trimmed(zip(cells, widths).map { pad($0, $1) }.joined() + cells.dropFirst(widths.count).joined())
        }
        let head = line(["", "week \(week - 1)", "after week \(week)", "yours", "week 15"])
        return [Row(text: head, kind: .head), Row(text: String(repeating: "─", count: 76), kind: .note)]
            + metrics.map { metric in
                let measured = metric.measured(in: record)
                let yours = measured?.readable ?? (metric.canBeMeasured ? "not yet" : "·")
                let cells = [metric.title, metric.before.text, metric.after.text, yours, metric.target.text]
                return Row(text: line(cells.map(short)), kind: measured == nil ? .plain : .yours)
            }
    }

    private static func values(
        _ metric: WeekMetric, week: Int, _ record: StoryRecord
    ) -> [(label: String, text: String, seconds: Double?, kind: Kind)] {
        let measured = metric.measured(in: record)
        var values: [(label: String, text: String, seconds: Double?, kind: Kind)] = [
            ("week \(week - 1)", metric.before.text, metric.before.seconds, .bar),
            ("after week \(week)", metric.after.text, metric.after.seconds, .bar),
        ]
        if metric.canBeMeasured {
            values.append(
                (
                    "in your cluster", measured?.readable ?? unknown,
                    measured.map { Double($0.wholeMilliseconds) / 1000 }, measured == nil ? .note : .yours
                ))
        }
        values.append(("week 15", metric.target.text, metric.target.seconds, .bar))
        return values
    }

    /// A line for each value; no bar where there is no room for one.
    private static func bars(_ metric: WeekMetric, week: Int, _ record: StoryRecord, room: Int) -> [Row] {
        values(metric, week: week, record).map { label, text, seconds, kind in
            let bar = room < 8 ? "" : seconds.map { String(repeating: "█", count: length($0, most: room)) } ?? ""
            return Row(text: trimmed("  \(pad(label, 16)) \(pad(text, 17)) \(bar)"), kind: kind)
        }
    }

    /// Blocks for a time: none for nothing, one for 0.1 s, about six more for each factor of ten.
    private static func length(_ seconds: Double, most: Int) -> Int {
        guard seconds > 0 else { return 0 }
        var (blocks, limit) = (1, 0.1)
        let factor = 1.467_799_267_622_069  // the sixth root of ten
        while seconds > limit, blocks < most {
            limit *= factor
            blocks += 1
        }
        return blocks
    }

    private static func short(_ text: String) -> String {
        text.replacing(" minutes", with: " min").replacing(" minute", with: " min")
            .replacing(" seconds", with: " s").replacing(" hours", with: " h")
    }

    private static func pad(_ text: String, _ columns: Int) -> String {
        text + String(repeating: " ", count: max(0, columns - TextMeasure.width(text)))
    }

    private static func trimmed(_ text: String) -> String {
        var text = text[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}

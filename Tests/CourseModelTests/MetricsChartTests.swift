import CourseModel
import Testing

@Suite("Metrics chart", .timeLimit(.minutes(5)))
struct MetricsChartTests {
    private static let metrics = [
        WeekMetric(title: "Lead time", before: .init("18 days"), after: .init("15 days"), target: .init("2 hours")),
        WeekMetric(
            title: "Recovery", before: .init("15 minutes"), after: .init("<1 minute"), target: .init("<30 seconds"),
            measuredAs: ["recovery"]),
    ]

    private func text(_ record: StoryRecord, columns: Int = 76) -> [String] {
        MetricsChart(Self.metrics, week: 6, record: record, columns: columns).rows.map(\.text)
    }

    @Test("until something is measured, it says so")
    func unknown() {
        #expect(
            text(StoryRecord()) == [
                "                        week 5      after week 6  yours        week 15",
                String(repeating: "─", count: 76),
                "Lead time               18 days     15 days       ·            2 h",
                "Recovery                15 min      <1 min        not yet      <30 s",
                "",
                "Recovery",
                "  week 5           15 minutes        █████████████████████████",
                "  after week 6     <1 minute         ██████████████████",
                "  in your cluster  not measured yet",
                "  week 15          <30 seconds       ████████████████",
                "",
                "Bars are logarithmic: ten times as long is about six blocks more.",
            ])
    }

    @Test("the learner's own column shows the latest value that was measured")
    func measured() {
        let record = StoryRecord(measurements: ["recovery": MeasuredTime(latest: 5760, best: 2000, count: 3)])
        #expect(text(record)[3] == "Recovery                15 min      <1 min        5.8 s        <30 s")
        #expect(text(record)[8] == "  in your cluster  5.8 s             ████████████")
    }

    @Test("no line is wider than the room for it", arguments: [38, 60, 76, 90])
    func width(columns: Int) {
        for line in text(StoryRecord(), columns: columns) {
            #expect(TextMeasure.width(line) <= columns, "\(line)")
        }
    }

    @Test(
        "the seconds are read out of what the story says",
        arguments: [
            ("15 minutes", 900.0), ("<1 minute", 60), ("2 hours", 7200), ("18 days", 1_555_200), ("99.9%", nil),
        ])
    func figures(text: String, seconds: Double?) { #expect(WeekMetric.Figure(text).seconds == seconds) }
}

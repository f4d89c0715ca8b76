/// A figure by which the story measures a week: before it, after it, and where the course wants to arrive.
public struct WeekMetric: Hashable, Sendable {
    public let title: String
    public let before: Figure
    public let after: Figure
    public let target: Figure
    /// The names under which checks record it; empty: it cannot be measured in a cluster.
    public let measuredAs: [String]

    /// A value as the story states it.
    public struct Figure: Hashable, Sendable {
        /// For example `15 minutes` or `99.9%`.
        public let text: String
        /// For bars; nil when it is no time.
        public let seconds: Double?

        /// Reads the seconds out of texts such as `<1 minute`, `2 hours` or `0 minutes`.
        public init(_ text: String) {
            self.text = text
            let words = text.drop { $0 == "<" }.split(separator: " ").map(String.init)
            let units: [String: Double] = ["second": 1, "minute": 60, "hour": 3600, "day": 86_400]
            if words.count == 2, let number = Double(words[0]),
                let unit = units[words[1].hasSuffix("s") ? String(words[1].dropLast()) : words[1]]
            {
                seconds = number * unit
            } else {
                seconds = nil
            }
        }
    }

    public init(title: String, before: Figure, after: Figure, target: Figure, measuredAs: [String] = []) {
        self.title = title
        self.before = before
        self.after = after
        self.target = target
        self.measuredAs = measuredAs
    }

    public var canBeMeasured: Bool { !measuredAs.isEmpty }

    /// The latest value that was measured in the learner's own cluster; nil: not measured yet.
    public func measured(in record: StoryRecord) -> Duration? {
        measuredAs.lazy.compactMap { record.measurements[$0]?.latest }.first.map { .milliseconds($0) }
    }
}

/// Durations as kubectl shows them: at most two units, fewer the longer the time.
public enum HumanDuration {
    /// For example `45s`, `3m20s`, `5h`, `2d4h`; `<invalid>` for more than a second below zero.
    public static func text(seconds: Int64) -> String {
        if seconds < -1 { return "<invalid>" }
        if seconds < 0 { return "0s" }
        if seconds < 120 { return "\(seconds)s" }
        let minutes = seconds / 60
        if minutes < 10 { return pair(minutes, "m", seconds % 60, "s") }
        if minutes < 180 { return "\(minutes)m" }
        let hours = minutes / 60
        if hours < 8 { return pair(hours, "h", minutes % 60, "m") }
        if hours < 48 { return "\(hours)h" }
        let days = hours / 24
        if days < 8 { return pair(days, "d", hours % 24, "h") }
        if days < 730 { return "\(days)d" }
        let years = days / 365
        return years < 8 ? pair(years, "y", days % 365, "d") : "\(years)y"
    }

    private static func pair(_ large: Int64, _ largeUnit: String, _ small: Int64, _ smallUnit: String) -> String {
        small == 0 ? "\(large)\(largeUnit)" : "\(large)\(largeUnit)\(small)\(smallUnit)"
    }

    /// The time from a moment until now; `<unknown>` without a moment.
    public static func since(_ moment: Timestamp?, now: Timestamp) -> String {
        guard let moment else { return "<unknown>" }
        let nanoseconds = now.nanoseconds - moment.nanoseconds
        return text(seconds: nanoseconds / 1_000_000_000)
    }
}

import FoundationEssentials

/// A moment as the API writes it: RFC 3339, UTC.
///
/// `metadata` times have whole seconds (`text`), event times have microseconds (`microText`).
/// What lies before 1677 or after 2262 (Go's zero time, the year 9999) becomes the nearest moment that fits.
public struct Timestamp: Sendable, Hashable, Comparable {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The present moment by the machine's clock.
    public static var now: Timestamp { Timestamp(nanoseconds: Int64(Date.now.timeIntervalSince1970 * 1_000_000_000)) }

    public init(seconds: Int64) { self.init(sinceEpoch: .seconds(seconds)) }

    private static let earliest = Duration.seconds(-9_223_372_036)
    private static let latest = Duration.nanoseconds(Int64.max)

    /// The moment this long after 1970-01-01T00:00:00Z, or the nearest that fits.
    init(sinceEpoch span: Duration) {
        let parts = min(max(span, Self.earliest), Self.latest).components
        nanoseconds = parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
    }

    /// Rounded down, so that what is left of ``nanoseconds`` is never negative.
    public var seconds: Int64 { nanoseconds.flooredDivision(by: 1_000_000_000).0 }

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.nanoseconds < right.nanoseconds }

    public static func - (left: Timestamp, right: Timestamp) -> Duration {
        .nanoseconds(left.nanoseconds) - .nanoseconds(right.nanoseconds)
    }

    public static func + (left: Timestamp, right: Duration) -> Timestamp {
        Timestamp(sinceEpoch: .nanoseconds(left.nanoseconds) + right)
    }

    /// As `2026-05-04T13:37:00Z`.
    public var text: String { Self.text(seconds: seconds) }

    /// As `2026-05-04T13:37:00.123456Z`.
    public var microText: String {
        Self.text(seconds: seconds, microseconds: (nanoseconds - seconds * 1_000_000_000) / 1000)
    }

    /// Any moment of the years 1 to 9999, those included that do not fit a timestamp.
    static func text(seconds: Int64, microseconds: Int64? = nil) -> String {
        let (day, second) = seconds.flooredDivision(by: 86_400)
        let date = CivilDate(daysSinceEpoch: day)
        var text = "\(pad(date.year, 4))-\(pad(date.month, 2))-\(pad(date.day, 2))T"
        text += "\(pad(second / 3600, 2)):\(pad(second / 60 % 60, 2)):\(pad(second % 60, 2))"
        if let microseconds { text += ".\(pad(microseconds, 6))" }
        return text + "Z"
    }

    private static func pad(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Reads RFC 3339 with an optional fraction and `Z` or a numeric offset; nil for anything else.
    public init?(parsing text: String) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[range] {
                guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte else { return nil }
                value = value * 10 + Int64(byte - UInt8(ascii: "0"))
            }
            return value
        }
        guard bytes.count >= 20, let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"), bytes[10] | 0x20 == UInt8(ascii: "t"),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"), 1...12 ~= month, 1...31 ~= day,
            hour < 24, minute < 60, second <= 60
        else { return nil }
        var position = 19
        var fraction: Int64 = 0
        if bytes[position] == UInt8(ascii: ".") {
            position += 1
            var scale: Int64 = 100_000_000
            while position < bytes.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[position] {
                fraction += Int64(bytes[position] - UInt8(ascii: "0")) * scale
                scale /= 10
                position += 1
            }
        }
        guard position < bytes.count else { return nil }
        var offset: Int64 = 0
        switch bytes[position] {
        case UInt8(ascii: "Z"), UInt8(ascii: "z"):
            guard position + 1 == bytes.count else { return nil }
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            guard position + 6 == bytes.count, let hours = number(position + 1..<position + 3),
                let minutes = number(position + 4..<position + 6)
            else { return nil }
            offset = (hours * 3600 + minutes * 60) * (bytes[position] == UInt8(ascii: "-") ? -1 : 1)
        default: return nil
        }
        let days = CivilDate(year: year, month: month, day: day).daysSinceEpoch
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
        self.init(sinceEpoch: .seconds(seconds) + .nanoseconds(fraction))
    }
}

/// A date of the proleptic Gregorian calendar.
///
/// The two conversions are Howard Hinnant's `days_from_civil` algorithms.
struct CivilDate: Equatable {
    var year: Int64
    var month: Int64
    var day: Int64

    init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    init(daysSinceEpoch: Int64) {
        let (era, dayOfEra) = (daysSinceEpoch + 719_468).flooredDivision(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    var daysSinceEpoch: Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = shifted.flooredDivision(by: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension Int64 {
    /// Quotient rounded down and the remainder, which is never negative.
    func flooredDivision(by divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

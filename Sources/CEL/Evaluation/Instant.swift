/// A point in time: seconds since 1970 in UTC, and nanoseconds, from year 1 to year 9999.
public struct Instant: Sendable, Hashable, Comparable {
    public let seconds: Int64
    public let nanoseconds: Int32

    /// Takes any amount of nanoseconds, also negative ones.
    public init(seconds: Int64, nanoseconds: Int64 = 0) {
        let (carry, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        self.seconds = seconds + carry - (rest < 0 ? 1 : 0)
        self.nanoseconds = Int32(rest < 0 ? rest + 1_000_000_000 : rest)
    }

    public static func < (left: Instant, right: Instant) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }

    private static let range: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

    var isInRange: Bool { Self.range.contains(seconds) }

    /// The time a number of nanoseconds later; nil beyond the range.
    func adding(nanoseconds: Int64) -> Instant? {
        let sum = Instant(seconds: seconds, nanoseconds: Int64(self.nanoseconds))
        let (carry, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let later = Instant(seconds: sum.seconds + carry, nanoseconds: Int64(sum.nanoseconds) + rest)
        return later.isInRange ? later : nil
    }

    /// The nanoseconds from another time to this one; nil where they are too many.
    func nanoseconds(since other: Instant) -> Int64? {
        let total = Int128(seconds - other.seconds) * 1_000_000_000 + Int128(nanoseconds - other.nanoseconds)
        return Int64(exactly: total)
    }
}

// MARK: The calendar

extension Instant {
    /// A date and a time of day.
    struct Calendar: Hashable {
        let year: Int64
        /// From 1.
        let month: Int64
        let day: Int64
        /// From 0, 1 January.
        let dayOfYear: Int64
        /// From 0, Sunday.
        let weekday: Int64
        let secondOfDay: Int64
    }

    /// Days since 1970 of a date (Howard Hinnant's algorithm).
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The date and time where clocks are `offset` seconds ahead of UTC.
    func calendar(offset: Int64 = 0) -> Calendar {
        let local = seconds + offset
        let day = local >= 0 ? local / 86_400 : (local - 86_399) / 86_400
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfShiftedYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let part = (5 * dayOfShiftedYear + 2) / 153
        let month = part < 10 ? part + 3 : part - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let weekday = (day + 4) % 7
        return Calendar(
            year: year, month: month, day: dayOfShiftedYear - (153 * part + 2) / 5 + 1,
            dayOfYear: day - Self.days(year, 1, 1), weekday: weekday < 0 ? weekday + 7 : weekday,
            secondOfDay: local - day * 86_400)
    }

    /// Reads RFC 3339: `2024-02-29T12:00:00.5+01:00`.
    public init?(parsing text: String) {
        var rest = Array(text.utf8)[...]
        func number(_ digits: Int, after sign: UInt8? = nil) -> Int64? {
            if let sign { guard rest.popFirst() == sign else { return nil } }
            var value: Int64 = 0
            for _ in 0..<digits {
                guard let digit = rest.popFirst(), (48...57).contains(digit) else { return nil }
                value = value * 10 + Int64(digit - 48)
            }
            return value
        }
        let dash = UInt8(ascii: "-")
        let colon = UInt8(ascii: ":")
        guard let year = number(4), let month = number(2, after: dash), let day = number(2, after: dash),
            rest.first == UInt8(ascii: "T") || rest.first == UInt8(ascii: "t"), rest.popFirst() != nil,
            let hour = number(2), let minute = number(2, after: colon), let second = number(2, after: colon),
            (1...12).contains(month), (1...Self.daysInMonth(year, month)).contains(day), hour < 24, minute < 60,
            second < 60
        else { return nil }
        var nanoseconds: Int64 = 0
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            var unit: Int64 = 100_000_000
            var hasDigits = false
            while let digit = rest.first, (48...57).contains(digit) {
                nanoseconds += Int64(digit - 48) * unit
                unit /= 10
                hasDigits = true
                rest.removeFirst()
            }
            guard hasDigits else { return nil }
        }
        var offset: Int64 = 0
        switch rest.popFirst() {
        case UInt8(ascii: "Z"), UInt8(ascii: "z"): break
        case let sign? where sign == UInt8(ascii: "+") || sign == dash:
            guard let hours = number(2), let minutes = number(2, after: colon), hours < 24, minutes < 60 else {
                return nil
            }
            offset = (hours * 60 + minutes) * (sign == dash ? -60 : 60)
        default: return nil
        }
        guard rest.isEmpty else { return nil }
        let days = Self.days(year, month, day)
        self.init(
            seconds: days * 86_400 + hour * 3600 + minute * 60 + second - offset, nanoseconds: nanoseconds)
        guard isInRange else { return nil }
    }

    private static func daysInMonth(_ year: Int64, _ month: Int64) -> Int64 {
        days(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) - days(year, month, 1)
    }

    /// RFC 3339 in UTC, with as many digits behind the point as it takes.
    public var text: String {
        let calendar = calendar()
        func pad(_ value: Int64, _ digits: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        var fraction = ""
        if nanoseconds != 0 {
            fraction = "." + pad(Int64(nanoseconds), 9)
            while fraction.last == "0" { fraction.removeLast() }
        }
        let second = calendar.secondOfDay
        return "\(pad(calendar.year, 4))-\(pad(calendar.month, 2))-\(pad(calendar.day, 2))T"
            + "\(pad(second / 3600, 2)):\(pad(second / 60 % 60, 2)):\(pad(second % 60, 2))\(fraction)Z"
    }
}

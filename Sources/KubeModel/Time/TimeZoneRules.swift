import Glibc
import Synchronization

/// How far the clocks of a place are from UTC, now and at other times.
///
/// Read from the machine's time zone database (TZif, RFC 8536).
public struct TimeZoneRules: Sendable, Hashable {
    /// In order: from this moment on, this many seconds east of UTC.
    private var transitions: [Transition] = []
    private var firstOffset: Int64 = 0
    /// What holds after the last transition.
    private var footer: PosixZone?

    private struct Transition: Sendable, Hashable {
        var time: Int64
        var offset: Int64
    }

    public static let utc = TimeZoneRules()

    private init() {}

    private static let known = Mutex<[String: TimeZoneRules]>([:])

    public static func isKnown(_ name: String) -> Bool { named(name) != nil }

    /// The zone of a name such as `Europe/Berlin`; nil if the machine does not know it.
    ///
    /// An empty name and `UTC` are always there.
    public static func named(_ name: String) -> TimeZoneRules? {
        if name.isEmpty || name == "UTC" || name == "Etc/UTC" { return .utc }
        if let zone = known.withLock({ $0[name] }) { return zone }
        // A name is a path below the database, and must stay there.
        guard !name.hasPrefix("/"), !name.contains("\\"), !name.split(separator: "/").contains("..") else { return nil }
        for folder in ["/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"] {
            guard let bytes = read("\(folder)/\(name)"), let zone = TimeZoneRules(file: bytes) else { continue }
            known.withLock { $0[name] = zone }
            return zone
        }
        return nil
    }

    private static let bytesMax = 1 << 20

    private static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 8192)
        while bytes.count < bytesMax {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return count == 0 ? bytes : nil }
            bytes += buffer[..<count]
        }
        return nil
    }

    /// Reads the bytes of a TZif file; nil when they are none of version 2 or later.
    public init?(file bytes: [UInt8]) {
        func number(_ position: Int, _ width: Int) -> Int64? {
            guard position >= 0, position + width <= bytes.count else { return nil }
            let raw = bytes[position..<position + width].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return width == 4 ? Int64(Int32(truncatingIfNeeded: raw)) : Int64(bitPattern: raw)
        }
        /// isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt
        func counts(_ header: Int) -> [Int]? {
            guard bytes.count >= header + 44, bytes[header..<header + 4].elementsEqual("TZif".utf8) else { return nil }
            return (0..<6).compactMap { number(header + 20 + 4 * $0, 4).map(Int.init) }
        }
        guard let old = counts(0), bytes.count > 4, bytes[4] >= UInt8(ascii: "2") else { return nil }
        let second = 44 + old[3] * 5 + old[4] * 6 + old[5] + old[2] * 8 + old[1] + old[0]
        guard let new = counts(second), new[4] > 0 else { return nil }
        let times = second + 44
        let kinds = times + new[3] * 8
        let types = kinds + new[3]
        func offset(_ type: Int) -> Int64? { number(types + type * 6, 4) }
        guard let first = offset(0) else { return nil }
        firstOffset = first
        for index in 0..<new[3] {
            guard let time = number(times + index * 8, 8), kinds + index < bytes.count,
                let offset = offset(Int(bytes[kinds + index]))
            else { return nil }
            transitions.append(Transition(time: time, offset: offset))
        }
        let end = types + new[4] * 6 + new[5] + new[2] * 12 + new[1] + new[0]
        guard end < bytes.count else { return }
        let text = String(decoding: bytes[(end + 1)...].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        footer = PosixZone(parsing: text)
    }

    /// Seconds east of UTC at a moment in seconds since the epoch.
    public func offset(at time: Int64) -> Int64 {
        guard let last = transitions.last else { return footer?.offset(at: time) ?? firstOffset }
        if time >= last.time { return footer?.offset(at: time) ?? last.offset }
        var (low, high) = (0, transitions.count)
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle].time <= time { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? firstOffset : transitions[low - 1].offset
    }
}

/// The rule for all later years at the end of a TZif file, for example `CET-1CEST,M3.5.0,M10.5.0/3`.
struct PosixZone: Sendable, Hashable {
    private var standard: Int64 = 0
    private var daylight: Int64?
    private var start = Change()
    private var end = Change()

    /// A weekday of a week of a month, or a day of the year, and the time of day.
    private struct Change: Sendable, Hashable {
        var month: Int64 = 0
        var week: Int64 = 0
        var weekday: Int64 = 0
        /// Counted from 0 with leap days, or from 1 without.
        var dayOfYear: Int64?
        var skipsLeapDay = false
        var seconds: Int64 = 7200
    }

    init?(parsing text: String) {
        var rest = Substring(text)
        guard Self.takeName(&rest), let west = Self.takeTime(&rest) else { return nil }
        standard = -west
        guard !rest.isEmpty else { return }
        guard Self.takeName(&rest) else { return nil }
        daylight = standard + 3600
        if rest.first != "," {
            guard let west = Self.takeTime(&rest) else { return nil }
            daylight = -west
        }
        guard let start = Self.takeChange(&rest), let end = Self.takeChange(&rest), rest.isEmpty else { return nil }
        (self.start, self.end) = (start, end)
    }

    private static func takeName(_ rest: inout Substring) -> Bool {
        let name: Substring
        if rest.first == "<" {
            name = rest.prefix { $0 != ">" }
            rest = rest.dropFirst(name.count + 1)
        } else {
            name = rest.prefix(while: \.isLetter)
            rest = rest.dropFirst(name.count)
        }
        return name.count >= 3
    }

    private static func takeNumber(_ rest: inout Substring) -> Int64? {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(digits.count)
        return Int64(digits)
    }

    private static func takeTime(_ rest: inout Substring) -> Int64? {
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest.removeFirst() }
        guard var seconds = takeNumber(&rest).map({ $0 * 3600 }) else { return nil }
        for scale: Int64 in [60, 1] where rest.first == ":" {
            rest.removeFirst()
            guard let part = takeNumber(&rest) else { return nil }
            seconds += part * scale
        }
        return isNegative ? -seconds : seconds
    }

    private static func takeChange(_ rest: inout Substring) -> Change? {
        guard rest.first == "," else { return nil }
        rest.removeFirst()
        var change = Change()
        switch rest.first {
        case "M":
            rest.removeFirst()
            guard let month = takeNumber(&rest), take(".", &rest), let week = takeNumber(&rest), take(".", &rest),
                let weekday = takeNumber(&rest), 1...12 ~= month, 1...5 ~= week, 0...6 ~= weekday
            else { return nil }
            (change.month, change.week, change.weekday) = (month, week, weekday)
        case "J":
            rest.removeFirst()
            change.dayOfYear = takeNumber(&rest)
            change.skipsLeapDay = true
        default: change.dayOfYear = takeNumber(&rest)
        }
        if change.month == 0, change.dayOfYear == nil { return nil }
        if take("/", &rest) {
            guard let seconds = takeTime(&rest) else { return nil }
            change.seconds = seconds
        }
        return change
    }

    private static func take(_ sign: Character, _ rest: inout Substring) -> Bool {
        guard rest.first == sign else { return false }
        rest.removeFirst()
        return true
    }

    func offset(at time: Int64) -> Int64 {
        guard let daylight else { return standard }
        let year = CivilDate(daysSinceEpoch: (time + standard).flooredDivision(by: 86_400).0).year
        let begins = Self.moment(start, year) - standard
        let ends = Self.moment(end, year) - daylight
        // South of the equator summer runs over the turn of the year.
        let isSummer = begins < ends ? time >= begins && time < ends : time >= begins || time < ends
        return isSummer ? daylight : standard
    }

    /// Local seconds since the epoch of a change in a year.
    private static func moment(_ change: Change, _ year: Int64) -> Int64 {
        func days(_ month: Int64) -> Int64 {
            (month > 12 ? CivilDate(year: year + 1, month: 1, day: 1) : CivilDate(year: year, month: month, day: 1))
                .daysSinceEpoch
        }
        var day: Int64
        if let number = change.dayOfYear {
            let isLeap = days(3) - days(2) == 29
            day = days(1) + number
            if change.skipsLeapDay { day += isLeap && number >= 60 ? 0 : -1 }
        } else {
            let first = days(change.month)
            let weekday = (first + 4).flooredDivision(by: 7).1
            day = first + (change.weekday - weekday + 7).flooredDivision(by: 7).1 + (change.week - 1) * 7
            while day >= days(change.month + 1) { day -= 7 }
        }
        return day * 86_400 + change.seconds
    }
}

/// Why a schedule cannot be read.
public struct CronError: Error, Hashable, Sendable, CustomStringConvertible {
    public let message: String
    public var description: String { message }
}

/// When a CronJob runs: five fields, a word such as `@daily`, or `@every 1h30m`.
///
/// Kubernetes docs, "CronJob", schedule syntax; messages are those that its users know.
public struct CronSchedule: Sendable, Hashable {
    enum Rule: Sendable, Hashable {
        case fields(Fields)
        case every(seconds: Int64)
    }

    /// The allowed values of each field.
    struct Fields: Sendable, Hashable {
        var minutes: CronField
        var hours: CronField
        var days: CronField
        var months: CronField
        var weekdays: CronField

        func includes(month: Int64) -> Bool { months.contains(Int(month)) }

        /// One of the two day fields is enough when both are restricted.
        func includes(day: Int64, weekday: Int64) -> Bool {
            let byDay = days.contains(Int(day))
            let byWeekday = weekdays.contains(Int(weekday))
            return days.isStar || weekdays.isStar ? byDay && byWeekday : byDay || byWeekday
        }
    }

    let rule: Rule

    public init(parsing text: String) throws(CronError) {
        guard !text.isEmpty else { throw CronError(message: "empty spec string") }
        var text = Substring(text)
        if text.hasPrefix("TZ=") || text.hasPrefix("CRON_TZ=") {
            let zone = text.prefix { $0 != " " }
            let name = String(zone.drop { $0 != "=" }.dropFirst())
            guard TimeZoneRules.isKnown(name) else {
                throw CronError(message: "provided bad location \(name): unknown time zone \(name)")
            }
            text = text.dropFirst(zone.count).drop { $0 == " " }
        }
        rule = text.hasPrefix("@") ? try Self.descriptor(String(text)) : .fields(try Self.fields(text))
    }

    private static func fields(_ text: Substring) throws(CronError) -> Fields {
        let parts = text.split(whereSeparator: \.isWhitespace).map(String.init)
        guard parts.count == 5 else {
            throw CronError(
                message: "expected exactly 5 fields, found \(parts.count): [\(parts.joined(separator: " "))]")
        }
        return Fields(
            minutes: try CronField(parsing: parts[0], 0...59), hours: try CronField(parsing: parts[1], 0...23),
            days: try CronField(parsing: parts[2], 1...31),
            months: try CronField(parsing: parts[3], 1...12, names: CronField.months),
            weekdays: try CronField(parsing: parts[4], 0...6, names: CronField.weekdays))
    }

    private static let words = [
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
    ]

    private static func descriptor(_ text: String) throws(CronError) -> Rule {
        if let meaning = words[text] { return .fields(try fields(meaning[...])) }
        let every = "@every "
        guard text.hasPrefix(every) else { throw CronError(message: "unrecognized descriptor: \(text)") }
        let span = String(text.dropFirst(every.count))
        guard let duration = GoDuration(parsing: span) else {
            throw CronError(
                message: "failed to parse duration \(text): time: invalid duration \(GoText.quote(span))")
        }
        return .every(seconds: max(1, duration.nanoseconds / 1_000_000_000))
    }

    /// The first time after a moment; nil when there is none within five years.
    public func next(after moment: Timestamp, in zone: TimeZoneRules) -> Timestamp? {
        switch rule {
        case .every(let seconds): Timestamp(seconds: moment.seconds + seconds)
        case .fields(let fields): Self.next(after: moment, fields, zone).map { Timestamp(seconds: $0) }
        }
    }

    private static func next(after moment: Timestamp, _ fields: Fields, _ zone: TimeZoneRules) -> Int64? {
        let limit = moment.seconds + 5 * 366 * 86_400
        var time = (moment.seconds.flooredDivision(by: 60).0 + 1) * 60
        while time < limit {
            let local = time + zone.offset(at: time)
            let (day, second) = local.flooredDivision(by: 86_400)
            let date = CivilDate(daysSinceEpoch: day)
            let weekday = (day + 4).flooredDivision(by: 7).1  // The epoch was a Thursday.
            if !fields.includes(month: date.month) || !fields.includes(day: date.day, weekday: weekday) {
                time = startOfNextDay(after: time, localDay: day, second: second, zone)
            } else if !fields.hours.contains(Int(second / 3600)) {
                time += 3600 - second % 3600
            } else if !fields.minutes.contains(Int(second / 60 % 60)) {
                time += 60 - second % 60
            } else {
                return time
            }
        }
        return nil
    }

    /// The first moment of the day after, also where a clock change makes a day longer or shorter.
    private static func startOfNextDay(
        after time: Int64, localDay: Int64, second: Int64, _ zone: TimeZoneRules
    ) -> Int64 {
        let guess = time + 86_400 - second
        let corrected = guess - (zone.offset(at: guess) - zone.offset(at: time))
        let day = (corrected + zone.offset(at: corrected)).flooredDivision(by: 86_400).0
        return day > localDay ? corrected : max(guess, time + 60)
    }
}

/// The allowed values of one field of a schedule, for example `*/15`, `1-5`, `mon,wed`.
struct CronField: Sendable, Hashable {
    private var bits: UInt64 = 0
    /// Whether the field was left open.
    private(set) var isStar = false

    static let months = names(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
    static let weekdays = names(["sun", "mon", "tue", "wed", "thu", "fri", "sat"], 0)

    private static func names(_ names: [String], _ first: Int) -> [String: Int] {
        Dictionary(uniqueKeysWithValues: names.enumerated().map { ($0.element, $0.offset + first) })
    }

    init(parsing text: String, _ bounds: ClosedRange<Int>, names: [String: Int] = [:]) throws(CronError) {
        for part in text.split(separator: ",") { try add(String(part), bounds, names) }
    }

    func contains(_ value: Int) -> Bool { bits & (1 << UInt64(value)) != 0 }

    private mutating func add(
        _ text: String, _ bounds: ClosedRange<Int>, _ names: [String: Int]
    ) throws(CronError) {
        let rangeAndStep = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let limits = rangeAndStep[0].split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        var (start, end, isOpen) = (bounds.lowerBound, bounds.upperBound, true)
        if limits[0] != "*", limits[0] != "?" {
            isOpen = false
            start = try Self.number(limits[0], text, names)
            switch limits.count {
            case 1: end = start
            case 2: end = try Self.number(limits[1], text, names)
            default: throw CronError(message: "too many hyphens: \(text)")
            }
        }
        var step = 1
        switch rangeAndStep.count {
        case 1: break
        case 2:
            step = try Self.number(rangeAndStep[1], text, [:])
            if limits.count == 1 { end = bounds.upperBound }
            if step > 1 { isOpen = false }
        default: throw CronError(message: "too many slashes: \(text)")
        }
        if start < bounds.lowerBound {
            throw CronError(message: "beginning of range (\(start)) below minimum (\(bounds.lowerBound)): \(text)")
        }
        if end > bounds.upperBound {
            throw CronError(message: "end of range (\(end)) above maximum (\(bounds.upperBound)): \(text)")
        }
        if start > end {
            throw CronError(message: "beginning of range (\(start)) beyond end of range (\(end)): \(text)")
        }
        if step == 0 { throw CronError(message: "step of range should be a positive number: \(text)") }
        for value in stride(from: start, through: end, by: step) { bits |= 1 << UInt64(value) }
        isStar = isStar || isOpen
    }

    private static func number(_ text: String, _ whole: String, _ names: [String: Int]) throws(CronError) -> Int {
        if let value = names[text.lowercased()] { return value }
        guard let number = Int(text) else {
            throw CronError(
                message: "failed to parse int from \(text): strconv.Atoi: parsing \(GoText.quote(text)): invalid syntax"
            )
        }
        guard number >= 0 else { throw CronError(message: "negative number (\(number)) not allowed: \(whole)") }
        return number
    }
}

/// A span of time as Go writes it: `1h30m`, `250ms`, `-1.5h`.
struct GoDuration: Sendable, Hashable {
    let nanoseconds: Int64

    private static let units: [(String, Double)] = [
        ("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
    ]

    init?(parsing text: String) {
        var rest = Substring(text)
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest.removeFirst() }
        guard !rest.isEmpty else { return nil }
        if rest == "0" {
            nanoseconds = 0
            return
        }
        var total = 0.0
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            let unit = rest.dropFirst(number.count).prefix { !($0.isASCII && ($0.isNumber || $0 == ".")) }
            guard let amount = Double(number), let scale = Self.units.first(where: { $0.0 == unit })?.1 else {
                return nil
            }
            total += amount * scale
            rest = rest.dropFirst(number.count + unit.count)
        }
        guard total < 9.2e18 else { return nil }
        nanoseconds = isNegative ? -Int64(total) : Int64(total)
    }
}

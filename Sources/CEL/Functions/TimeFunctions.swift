/// Parts of times: `t.getFullYear()`, `t.getHours('+02:00')`, `d.getMinutes()`.
enum TimeFunctions {
    /// How many seconds clocks in a time zone are ahead of UTC at a time; nil for zones that are not known.
    typealias Zones = @Sendable (_ name: String, _ at: Instant) -> Int64?

    static let all: [Function] = functions(zones: { _, _ in nil })

    /// The functions, with named time zones where somebody knows them.
    static func functions(zones: @escaping Zones) -> [Function] {
        [
            part("getFullYear", zones) { calendar, _ in calendar.year },
            part("getMonth", zones) { calendar, _ in calendar.month - 1 },
            part("getDayOfYear", zones) { calendar, _ in calendar.dayOfYear },
            part("getDayOfMonth", zones) { calendar, _ in calendar.day - 1 },
            part("getDate", zones) { calendar, _ in calendar.day },
            part("getDayOfWeek", zones) { calendar, _ in calendar.weekday },
            part("getHours", zones, of: 3_600_000_000_000) { calendar, _ in calendar.secondOfDay / 3600 },
            part("getMinutes", zones, of: 60_000_000_000) { calendar, _ in calendar.secondOfDay / 60 % 60 },
            part("getSeconds", zones, of: 1_000_000_000) { calendar, _ in calendar.secondOfDay % 60 },
            part("getMilliseconds", zones, of: 1_000_000) { _, instant in Int64(instant.nanoseconds) / 1_000_000 },
        ]
    }

    private static func part(
        _ name: String, _ zones: @escaping Zones, of unit: Int64? = nil,
        _ part: @escaping @Sendable (Instant.Calendar, Instant) -> Int64
    ) -> Function {
        let time: [Function.Overload] = [
            .member("timestamp_\(name)", [.timestamp], .int),
            .member("timestamp_\(name)_with_tz", [.timestamp, .string], .int),
        ]
        let length: [Function.Overload] = unit == nil ? [] : [.member("duration_\(name)", [.duration], .int)]
        return Function(name, time + length) { arguments throws(EvaluationError) in
            switch arguments[0] {
            case .timestamp(let instant):
                var offset: Int64 = 0
                if arguments.count > 1 {
                    guard let zone = arguments[1].string else { throw .noOverload(name, arguments) }
                    guard let known = fixedOffset(zone) ?? zones(zone, instant) else {
                        throw EvaluationError("unknown time zone \(zone)")
                    }
                    offset = known
                }
                return .int(part(instant.calendar(offset: offset), instant))
            case .duration(let nanoseconds):
                guard let unit else { break }
                // Milliseconds are those within the second, all else is the whole length.
                return .int(nanoseconds / unit % (unit == 1_000_000 ? 1000 : .max))
            default: break
            }
            throw .noOverload(name, arguments)
        }
    }

    /// `UTC`, `+02:00`, `-5:30`.
    private static func fixedOffset(_ zone: String) -> Int64? {
        if zone == "UTC" || zone.isEmpty { return 0 }
        let parts = zone.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let hours = Int64(parts[0]), let minutes = Int64(parts[1]), (0..<60).contains(minutes),
            (-23...23).contains(hours)
        else { return nil }
        return hours * 3600 + (zone.hasPrefix("-") ? -minutes : minutes) * 60
    }
}

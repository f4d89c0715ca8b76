import Glibc

/// Times as services need them.
enum Moment {
    /// The present moment, RFC 3339 with milliseconds.
    static var now: String {
        var moment = timespec()
        clock_gettime(CLOCK_REALTIME, &moment)
        var parts = tm()
        gmtime_r(&moment.tv_sec, &parts)
        var buffer = [CChar](repeating: 0, count: 32)
        strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%S", &parts)
        let milliseconds = String(moment.tv_nsec / 1_000_000)
        let padding = String(repeating: "0", count: 3 - milliseconds.count)
        let seconds = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return "\(seconds).\(padding)\(milliseconds)Z"
    }

    /// The present year and month.
    static var month: (year: Int, month: Int) {
        var moment = time(nil)
        var parts = tm()
        gmtime_r(&moment, &parts)
        return (Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1)
    }

    /// Milliseconds of a clock that only goes forward.
    static var steady: Int {
        var moment = timespec()
        clock_gettime(CLOCK_MONOTONIC, &moment)
        return Int(moment.tv_sec) * 1000 + Int(moment.tv_nsec) / 1_000_000
    }
}

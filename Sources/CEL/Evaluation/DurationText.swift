/// Lengths of time as Go reads and CEL writes them.
public enum DurationText {
    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("ns", 1), ("us", 1000), ("µs", 1000), ("μs", 1000), ("ms", 1_000_000), ("s", 1_000_000_000),
        ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ]

    /// Nanoseconds of `1h30m`, `-1.5s`, `0`; nil for anything else and for what is too long.
    public static func parse(_ text: String) -> Int64? {
        var rest = text[...]
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest.removeFirst() }
        if rest == "0" { return 0 }
        guard !rest.isEmpty else { return nil }
        var total: Int128 = 0
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { !($0.isASCII && ($0.isNumber || $0 == ".")) }
            rest = rest.dropFirst(unit.count)
            guard let nanoseconds = units.first(where: { $0.name == unit })?.nanoseconds,
                let amount = amount(number, nanoseconds)
            else { return nil }
            total += amount
            guard total <= Int128(Int64.max) + (isNegative ? 1 : 0) else { return nil }
        }
        return Int64(exactly: isNegative ? -total : total)
    }

    private static func amount(_ number: Substring, _ unit: Int64) -> Int128? {
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, number.contains(where: \.isNumber), parts[0].count <= 19 else { return nil }
        var amount = (Int128(String(parts[0])) ?? 0) * Int128(unit)
        var scale = Int128(unit)
        for digit in parts.count > 1 ? parts[1].prefix(18) : "" {
            // Below a nanosecond nothing counts.
            guard let value = digit.wholeNumberValue else { return nil }
            scale *= 10
            amount = amount * 10 + Int128(value) * Int128(unit)
            if scale > Int128(unit) * 1_000_000_000_000 { break }
        }
        return amount / (scale / Int128(unit))
    }

    /// Seconds with as many digits as it takes: `3600s`, `1.5s`.
    public static func text(nanoseconds: Int64) -> String {
        let magnitude = nanoseconds.magnitude
        var text = "\(nanoseconds < 0 ? "-" : "")\(magnitude / 1_000_000_000)"
        let rest = magnitude % 1_000_000_000
        if rest > 0 {
            var fraction = String(rest)
            fraction = String(repeating: "0", count: 9 - fraction.count) + fraction
            while fraction.last == "0" { fraction.removeLast() }
            text += ".\(fraction)"
        }
        return text + "s"
    }
}

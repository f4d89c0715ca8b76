/// Numbers as Go writes them.
enum NumberText {
    /// The fewest digits that mean the same number: `1.5`, `100000`, `1e+06` (Go's `%g`).
    static func shortest(_ value: Double) -> String {
        if let special = special(value) { return special }
        let (sign, digits, exponent) = parts(value)
        guard exponent < -4 || exponent >= 6 else {
            return sign + plain(digits, exponent)
        }
        let power = exponent < 0 ? -exponent : exponent
        let fraction = digits.count > 1 ? "." + String(digits.dropFirst()) : ""
        return "\(sign)\(digits.first ?? "0")\(fraction)e\(exponent < 0 ? "-" : "+")\(power < 10 ? "0" : "")\(power)"
    }

    /// The fewest digits, without an exponent (`%f` with the shortest precision).
    static func plain(_ value: Double) -> String {
        if let special = special(value) { return special }
        let (sign, digits, exponent) = parts(value)
        return sign + plain(digits, exponent)
    }

    private static func special(_ value: Double) -> String? {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return nil
    }

    /// Sign, digits without leading and trailing zeros, and the power of ten of the first digit.
    private static func parts(_ value: Double) -> (sign: String, digits: [Character], exponent: Int) {
        let sign = value.sign == .minus ? "-" : ""
        guard value != 0 else { return (sign, ["0"], 0) }
        let halves = "\(value.magnitude)".lowercased().split(separator: "e")
        var exponent = halves.count > 1 ? Int(halves[1]) ?? 0 : 0
        let number = halves[0].split(separator: ".", omittingEmptySubsequences: false)
        var digits = Array(number[0]) + (number.count > 1 ? Array(number[1]) : [])
        exponent += number[0].count - 1
        while digits.count > 1, digits.first == "0" {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.count > 1, digits.last == "0" { digits.removeLast() }
        return (sign, digits, exponent)
    }

    private static func plain(_ digits: [Character], _ exponent: Int) -> String {
        if exponent < 0 { return "0." + String(repeating: "0", count: -exponent - 1) + String(digits) }
        let whole = exponent + 1
        if digits.count <= whole { return String(digits) + String(repeating: "0", count: whole - digits.count) }
        return String(digits.prefix(whole)) + "." + String(digits.dropFirst(whole))
    }
}

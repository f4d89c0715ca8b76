/// An amount as manifests write it: `100m`, `128Mi`, `1.5`, `2e3`.
///
/// Kept exactly, in billionths; more precision is rounded up, as Kubernetes does. Source: apimachinery `resource.Quantity`.
public struct Quantity: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The family of suffixes that it was written with, and is printed with.
    public enum Format: Sendable, Hashable {
        case decimal
        case binary
        case exponent
    }

    private var billionths: Int128
    public let format: Format

    private init(billionths: Int128, format: Format) {
        self.billionths = billionths
        self.format = format
    }

    public init(_ value: Int64, format: Format = .decimal) {
        self.init(billionths: Int128(value) * 1_000_000_000, format: format)
    }

    public init(milliValue: Int64, format: Format = .decimal) {
        self.init(billionths: Int128(milliValue) * 1_000_000, format: format)
    }

    /// Nil when the text is not a quantity.
    public init?(parsing text: String) {
        var rest = Substring(text)
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest.removeFirst() }
        let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let suffix = rest.dropFirst(number.count)
        guard number.contains(where: \.isNumber), number.count(where: { $0 == "." }) <= 1,
            let (scale, format) = Self.scale(of: suffix)
        else { return nil }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        let fraction = parts.count > 1 ? parts[1].prefix(15) : ""
        guard let digits = Int128(parts[0] + fraction) else { return nil }
        let (product, overflow) = digits.multipliedReportingOverflow(by: scale)
        guard !overflow else { return nil }
        let divisor = Self.power(10, fraction.count)
        let (quotient, remainder) = product.quotientAndRemainder(dividingBy: divisor)
        var magnitude = quotient + (remainder > 0 ? 1 : 0)
        if format == .binary { magnitude = min(magnitude, Int128(Int64.max) * 1_000_000_000) }
        self.init(billionths: isNegative ? -magnitude : magnitude, format: format)
    }

    /// Billionths in one unit of a suffix.
    private static func scale(of suffix: Substring) -> (Int128, Format)? {
        let billion: Int128 = 1_000_000_000
        switch suffix {
        case "n": return (1, .decimal)
        case "u": return (1000, .decimal)
        case "m": return (1_000_000, .decimal)
        case "": return (billion, .decimal)
        default: break
        }
        if let power = "kMGTPE".firstIndex(of: suffix.first ?? " "), suffix.count == 1 {
            return (billion * Self.power(1000, "kMGTPE".distance(from: "kMGTPE".startIndex, to: power) + 1), .decimal)
        }
        if suffix.count == 2, suffix.last == "i", let power = "KMGTPE".firstIndex(of: suffix.first ?? " ") {
            return (billion * Self.power(1024, "KMGTPE".distance(from: "KMGTPE".startIndex, to: power) + 1), .binary)
        }
        guard suffix.first == "e" || suffix.first == "E", let exponent = Int(suffix.dropFirst()), -9...18 ~= exponent
        else {
            return nil
        }
        return (exponent >= 0 ? billion * Self.power(10, exponent) : billion / Self.power(10, -exponent), .exponent)
    }

    private static func power(_ base: Int128, _ exponent: Int) -> Int128 {
        (0..<exponent).reduce(Int128(1)) { product, _ in product * base }
    }

    private func roundedUp(to unit: Int128) -> Int64 {
        let (quotient, remainder) = billionths.quotientAndRemainder(dividingBy: unit)
        return Int64(clamping: quotient + (remainder > 0 ? 1 : 0))
    }

    /// Thousandths, rounded up.
    public var milliValue: Int64 { roundedUp(to: 1_000_000) }

    /// Whole units, rounded up.
    public var value: Int64 { roundedUp(to: 1_000_000_000) }

    /// The amount as a fraction, which may lose digits.
    public var approximateValue: Double { Double(billionths) / 1_000_000_000 }

    public var isZero: Bool { billionths == 0 }

    public static func == (left: Quantity, right: Quantity) -> Bool { left.billionths == right.billionths }
    public func hash(into hasher: inout Hasher) { hasher.combine(billionths) }
    public static func < (left: Quantity, right: Quantity) -> Bool { left.billionths < right.billionths }

    /// What a sum or difference ends at that would be greater than can be kept.
    private var bound: Int128 { billionths < 0 ? -.max : .max }

    public static func + (left: Quantity, right: Quantity) -> Quantity {
        let (sum, overflow) = left.billionths.addingReportingOverflow(right.billionths)
        return Quantity(
            billionths: overflow ? left.bound : sum, format: left.isZero ? right.format : left.format)
    }

    public static func - (left: Quantity, right: Quantity) -> Quantity {
        let (difference, overflow) = left.billionths.subtractingReportingOverflow(right.billionths)
        return Quantity(billionths: overflow ? left.bound : difference, format: left.format)
    }

    /// The canonical text: no fraction, the largest suffix that loses nothing.
    public var description: String {
        if billionths == 0 { return "0" }
        let sign = billionths < 0 ? "-" : ""
        let magnitude = billionths < 0 ? -billionths : billionths
        let billion: Int128 = 1_000_000_000
        if format == .binary, magnitude % billion == 0, magnitude / billion >= 1024 {
            var (amount, power) = (magnitude / billion, 0)
            while amount % 1024 == 0, power < 6 { (amount, power) = (amount / 1024, power + 1) }
            return "\(sign)\(amount)\(["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][power])"
        }
        var (amount, power) = (magnitude, 0)
        while amount % 1000 == 0, power < 9 { (amount, power) = (amount / 1000, power + 1) }
        if format == .exponent {
            let exponent = (power - 3) * 3
            return exponent == 0 ? "\(sign)\(amount)" : "\(sign)\(amount)e\(exponent)"
        }
        return "\(sign)\(amount)\(["n", "u", "m", "", "k", "M", "G", "T", "P", "E"][power])"
    }
}

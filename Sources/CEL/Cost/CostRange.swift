/// The least and the most that something can cost, or how small and how large it can be; sums stop at the largest number.
struct CostRange: Sendable, Equatable {
    var least: UInt64
    var most: UInt64

    init(_ least: UInt64, _ most: UInt64) {
        self.least = least
        self.most = most
    }

    init(_ exact: UInt64) { self.init(exact, exact) }

    static let zero = CostRange(0)
    static let unlimited = CostRange(0, .max)

    private static func sum(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }

    private static func product(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (product, overflow) = left.multipliedReportingOverflow(by: right)
        return overflow ? .max : product
    }

    private static func scaled(_ value: UInt64, _ factor: Double) -> UInt64 {
        UInt64(exactly: (Double(value) * factor).rounded(.up)) ?? .max
    }

    static func + (left: CostRange, right: CostRange) -> CostRange {
        CostRange(sum(left.least, right.least), sum(left.most, right.most))
    }

    static func * (left: CostRange, right: CostRange) -> CostRange {
        CostRange(product(left.least, right.least), product(left.most, right.most))
    }

    static func * (left: CostRange, factor: Double) -> CostRange {
        CostRange(scaled(left.least, factor), scaled(left.most, factor))
    }

    /// What holds for either.
    func union(_ other: CostRange) -> CostRange {
        CostRange(min(least, other.least), max(most, other.most))
    }
}

/// An amount with a unit, as far as validation compares amounts.
struct Amount: Comparable, CustomStringConvertible {
    let description: String
    let milliValue: Int64
    init?(parsing text: String) {
        guard QuantitySyntax.isValid(text) else { return nil }
        description = text
        let scales: [(String, Double)] = [("Ki", 1024), ("Mi", 1_048_576), ("Gi", 1_073_741_824), ("m", 0.001), ("k", 1000), ("M", 1e6), ("G", 1e9)]
        for (suffix, scale) in scales where text.hasSuffix(suffix) {
            milliValue = Int64((Double(text.dropLast(suffix.count)) ?? 0) * scale * 1000)
            return
        }
        milliValue = Int64((Double(text) ?? 0) * 1000)
    }
    static func < (left: Amount, right: Amount) -> Bool { left.milliValue < right.milliValue }
    static func == (left: Amount, right: Amount) -> Bool { left.milliValue == right.milliValue }
}

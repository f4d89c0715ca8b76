import KubeModel
import Testing

@Suite("Quantities") struct QuantityTests {
    @Test(
        "a quantity is read, rounded up and written in its shortest form",
        arguments: [
            ("100m", 100, 1, "100m"), ("1", 1000, 1, "1"), ("1.5", 1500, 2, "1500m"), ("1000m", 1000, 1, "1"),
            ("128Mi", 134_217_728_000, 134_217_728, "128Mi"), ("1024Ki", 1_048_576_000, 1_048_576, "1Mi"),
            ("1500k", 1_500_000_000, 1_500_000, "1500k"), ("2e3", 2_000_000, 2000, "2e3"), ("0", 0, 0, "0"),
            ("0.1", 100, 1, "100m"), ("1n", 1, 1, "1n"), ("-5", -5000, -5, "-5"), ("1.0", 1000, 1, "1"),
            (".5", 500, 1, "500m"), ("16Ei", .max, .max, "9223372036854775807"),
            ("922.34775807Ei", .max, .max, "9223372036854775807"),
            ("170141183460469231731687303715", .max, .max, "170141183460469231731687303715"),
            ("170141183460469231731687303715884105727n", .max, .max, "170141183460469231731687303715884105727n"),
        ])
    func parse(text: String, milli: Int64, whole: Int64, canonical: String) throws {
        let quantity = try #require(Quantity(parsing: text))
        #expect(quantity.milliValue == milli)
        #expect(quantity.value == whole)
        #expect(quantity.description == canonical)
    }

    @Test(
        "what is not a quantity is refused",
        arguments: [
            "", "abc", "1.2.3", "1 Mi", "Mi", "1mm", "1e", "--1", "1KI", "9999999999999999999999999999999999999999n",
        ])
    func refuse(text: String) { #expect(Quantity(parsing: text) == nil) }

    @Test("amounts add up and compare across suffixes")
    func arithmetic() throws {
        let half = try #require(Quantity(parsing: "500m"))
        #expect((half + half).description == "1")
        #expect(try half < #require(Quantity(parsing: "0.6")))
        #expect(Quantity(parsing: "1Ki") == Quantity(parsing: "1024"))
    }

    @Test("sums that are too great stay at the greatest amount")
    func greatest() throws {
        let great = try #require(Quantity(parsing: "170141183460469231731687303715"))
        #expect(great + great > great)
        #expect(great + great == great + great + great)
        let debt = Quantity(0) - great
        #expect(debt - great < debt)
        #expect(debt - great == debt - great - great)
    }
}

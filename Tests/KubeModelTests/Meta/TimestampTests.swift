import KubeModel
import Testing

@Suite("Moments", .timeLimit(.minutes(5))) struct TimestampTests {
    @Test(
        "RFC 3339 is read with fractions and offsets, and written in UTC",
        arguments: [
            ("2026-05-04T13:37:00Z", "2026-05-04T13:37:00.000000Z"),
            ("2026-05-04t13:37:00z", "2026-05-04T13:37:00.000000Z"),
            ("2026-05-04T13:37:00.123456789Z", "2026-05-04T13:37:00.123456Z"),
            ("2026-05-04T13:37:00.5+02:00", "2026-05-04T11:37:00.500000Z"),
            ("2026-01-01T00:00:00-00:30", "2026-01-01T00:30:00.000000Z"),
            ("1969-12-31T23:59:59.25Z", "1969-12-31T23:59:59.250000Z"),
            ("2024-02-29T12:00:00Z", "2024-02-29T12:00:00.000000Z"),
            ("1900-03-01T00:00:00Z", "1900-03-01T00:00:00.000000Z"),
        ])
    func parse(text: String, written: String) throws {
        #expect(try #require(Timestamp(parsing: text)).microText == written)
    }

    @Test(
        "what is no moment is refused",
        arguments: [
            "", "2026-05-04", "2026-05-04T13:37:00", "2026-05-04 13:37:00Z", "2026-13-04T13:37:00Z",
            "2026-05-32T13:37:00Z",
            "2026-05-04T24:37:00Z", "2026-05-04T13:60:00Z", "2026-05-04T13:37:61Z", "2026-05-04T13:37:00ZZ",
            "2026-05-04T13:37:00.Z+", "2026-05-04T13:37:00+0200", "+026-05-04T13:37:00Z", "2026-05-04T13:37:00.123",
        ])
    func refuse(text: String) { #expect(Timestamp(parsing: text) == nil) }

    @Test("moments that do not fit become the nearest that do")
    func saturate() throws {
        let zero = try #require(Timestamp(parsing: "0001-01-01T00:00:00Z"))
        let end = try #require(Timestamp(parsing: "9999-12-31T23:59:59Z"))
        #expect(zero.microText == "1677-09-21T00:12:44.000000Z")
        #expect(end.text == "2262-04-11T23:47:16Z")
        #expect(zero < end)
        #expect(end + .seconds(1) == end)
        #expect(zero + .seconds(Int64.min) == zero)
        #expect(Timestamp(seconds: .max) == end)
        #expect(end - zero > .seconds(18_000_000_000))
    }

    @Test("the last nanosecond of a second belongs to it")
    func lastNanosecond() {
        let moment = Timestamp(seconds: 1_800_000_000) + .nanoseconds(-1)
        #expect(moment.seconds == 1_799_999_999)
        #expect(moment.microText == "2027-01-15T07:59:59.999999Z")
        #expect(Timestamp(nanoseconds: -1).seconds == -1)
    }
}

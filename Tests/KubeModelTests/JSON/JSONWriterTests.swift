import KubeModel
import LabTesting
import Testing

@Suite("Writing JSON", .timeLimit(.minutes(5))) struct JSONWriterTests {
    @Test(
        "a value is written compactly, its members in their order",
        arguments: [
            (nil, "null"), (true, "true"), (.int(.min), "-9223372036854775808"), (.double(0.1), "0.1"),
            (.double(-2.5), "-2.5"),
            // As Go does: a fraction that is whole is written without one.
            (.double(3), "3"), (.double(-0.0), "0"), ([], "[]"), ([:], "{}"), ([1, "a", nil], #"[1,"a",null]"#),
            (["z": 1, "a": [:]], #"{"z":1,"a":{}}"#),
        ] as [(JSONValue, String)])
    func values(value: JSONValue, text: String) {
        #expect(value.text == text)
    }

    @Test(
        "what has to be escaped is, and nothing else",
        arguments: [
            ("\"\\", #""\"\\""#), ("\n\r\t", #""\n\r\t""#), ("\0\u{1F}\u{8}", #""\u0000\u001f\u0008""#),
            ("a/b", #""a/b""#),
            ("grüße 😀\u{7F}", "\"grüße 😀\u{7F}\""), ("x\ny", #""x\ny""#),
        ])
    func strings(string: String, text: String) {
        #expect(JSONValue.string(string).text == text)
        #expect(JSONValue.object([string: 1]).text == "{\(text):1}")
    }

    @Test("what is written reads back as it was", arguments: 1...20 as ClosedRange<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for round in 0..<50 {
            let value = Self.value(depth: 4, &random)
            let bytes = value.encoded
            let read = try JSONValue(parsing: bytes)
            #expect(read == value, "seed \(seed), round \(round)")
            #expect(read.encoded == bytes, "seed \(seed), round \(round)")
        }
    }

    @Test("a damaged text is read or refused, and what is read can be written", arguments: 1...8 as ClosedRange<UInt64>)
    func fuzz(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var readCount = 0
        for round in 0..<300 {
            var bytes = Self.value(depth: 3, &random).encoded
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = .random(in: 0...255, using: &random)
                case 1: bytes.insert(Array("{}[]\",:\\u0-.e".utf8).randomElement(using: &random) ?? 0, at: place)
                default: bytes.removeLast(min(bytes.count - 1, 3))
                }
            }
            do throws(JSONError) {
                let value = try JSONValue(parsing: bytes)
                readCount += 1
                #expect((try? JSONValue(parsing: value.encoded)) != nil, "seed \(seed), round \(round)")
            } catch {
                #expect(0...bytes.count ~= error.offset, "seed \(seed), round \(round)")
            }
        }
        #expect(0 < readCount && readCount < 300, "seed \(seed): some texts stay good, others do not")
    }

    /// Any value, but for fractions that are whole: these are written as whole numbers.
    private static func value(depth: Int, _ random: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &random) {
        case 0: return .null
        case 1: return .bool(.random(using: &random))
        case 2: return .int(Int64.random(in: .min ... .max, using: &random) >> Int64.random(in: 0..<63, using: &random))
        case 3:
            let number = Double(
                sign: .plus, exponent: .random(in: -300...40, using: &random),
                significand: .random(in: 1..<2, using: &random))
            return .double(number.rounded() == number ? 0.5 : number)
        case 4, 5: return .string(text(&random))
        case 6:
            return .array((0..<Int.random(in: 0..<5, using: &random)).map { _ in value(depth: depth - 1, &random) })
        default:
            let members = (0..<Int.random(in: 0..<5, using: &random)).map { _ in
                (text(&random), value(depth: depth - 1, &random))
            }
            return .object(JSONObject(members))
        }
    }

    private static func text(_ random: inout SeededGenerator) -> String {
        let ranges: [ClosedRange<UInt32>] = [
            0...0x1F, 0x20...0x7E, 0x20...0x7E, 0x80...0x7FF, 0xE000...0xFFFD, 0x1_0000...0x10_FFFF,
        ]
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0..<8, using: &random) {
            let range = ranges[Int.random(in: 0..<ranges.count, using: &random)]
            if let scalar = UnicodeScalar(UInt32.random(in: range, using: &random)) { text.append(scalar) }
        }
        return String(text)
    }
}

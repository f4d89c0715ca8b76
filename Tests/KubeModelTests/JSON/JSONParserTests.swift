import KubeModel
import Testing

@Suite("Reading JSON", .timeLimit(.minutes(5))) struct JSONParserTests {
    private func fault(_ bytes: [UInt8], depthMax: Int = 256) -> JSONError? {
        do throws(JSONError) {
            _ = try JSONValue(parsing: bytes, depthMax: depthMax)
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "a value of each kind is read",
        arguments: [
            ("null", .null), ("true", true), (" false\n", false), ("\"\"", ""), ("[]", []), ("{}", [:]),
            ("\t[ ]\r\n", []),
            ("[1, [2], {\"a\" : null}]", [1, [2], ["a": nil]]), ("{\"a\":{\"b\":[true]}}", ["a": ["b": [true]]]),
        ] as [(String, JSONValue)])
    func values(text: String, value: JSONValue) throws {
        #expect(try JSONValue(parsing: text) == value)
    }

    @Test(
        "whole numbers and fractions are kept apart, whole ones exactly",
        arguments: [
            ("0", .int(0)), ("-0", .int(0)), ("3", .int(3)), ("3.0", .double(3)), ("-1.5", .double(-1.5)),
            ("1e3", .double(1000)),
            ("1E-2", .double(0.01)), ("2e+2", .double(200)), ("9007199254740993", .int(9_007_199_254_740_993)),
            ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)),
            ("9223372036854775808", .double(9_223_372_036_854_775_808)), ("1e-400", .double(0)),
        ] as [(String, JSONValue)])
    func numbers(text: String, value: JSONValue) throws {
        #expect(try JSONValue(parsing: text) == value)
    }

    @Test("members keep their order, and a member given twice keeps its first place and its last value")
    func order() throws {
        let value = try JSONValue(parsing: #"{"z":1,"a":2,"z":3}"#)
        #expect(value.object?.keys == ["z", "a"])
        #expect(value.text == #"{"z":3,"a":2}"#)
    }

    @Test("members given twice are told by their paths")
    func duplicates() throws {
        var paths: [String] = []
        let text = #"{"a":1,"a":2,"s":{"c":[{"n":1},{"n":1,"n":2,"n":3}]},"t":[[{"x":1,"x":2}]]}"#
        _ = try JSONValue(parsing: Array(text.utf8), onDuplicate: { paths.append($0) })
        #expect(paths == ["a", "s.c[1].n", "s.c[1].n", "t[0][0].x"])
    }

    @Test(
        "escapes stand for their characters",
        arguments: [
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u0041\u00e9\u00E9""#, "Aéé"), (#""\u0000""#, "\0"),
            (#""a\u20acb""#, "a€b"), (#""\ud83d\ude00""#, "😀"), ("\"grüße 😀\"", "grüße 😀"), ("\"\u{7F}\"", "\u{7F}"),
        ])
    func escapes(text: String, string: String) throws {
        #expect(try JSONValue(parsing: text) == .string(string))
    }

    @Test(
        "half a surrogate pair becomes U+FFFD, and what follows it stays",
        arguments: [
            (#""\ud83d""#, "\u{FFFD}"), (#""\ude00x""#, "\u{FFFD}x"), (#""\ud83dx""#, "\u{FFFD}x"),
            (#""\ud83d\u0041""#, "\u{FFFD}A"), (#""\ud83d\ud83d\ude00""#, "\u{FFFD}😀"), (#""\ud83d\n""#, "\u{FFFD}\n"),
        ])
    func surrogates(text: String, string: String) throws {
        #expect(try JSONValue(parsing: text) == .string(string))
    }

    @Test(
        "bytes that are not UTF-8 are refused",
        arguments: [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0x80]] as [[UInt8]])
    func invalidUTF8(bytes: [UInt8]) {
        let quote = UInt8(ascii: "\"")
        #expect(fault([quote] + bytes + [quote])?.message == "invalid UTF-8 in string")
        let escaped = Array(#""\n"#.utf8) + bytes + [quote]
        #expect(fault(escaped)?.message == "invalid UTF-8 in string")
        #expect(fault([0x7B, quote] + bytes + Array("\":1}".utf8))?.message == "invalid UTF-8 in string")
    }

    @Test(
        "an error says what is wrong, and at which byte",
        arguments: [
            ("", "unexpected end of JSON input", 0), ("  ", "unexpected end of JSON input", 2),
            ("{", "unexpected end of JSON input", 1), ("{\"a\"", "unexpected end of JSON input", 4),
            ("{\"a\":1", "unexpected end of JSON input", 6), ("{\"a\":1,", "unexpected end of JSON input", 7),
            ("[1", "unexpected end of JSON input", 2), ("[1,", "unexpected end of JSON input", 3),
            ("\"a", "unexpected end of JSON input", 2), ("tru", "unexpected end of JSON input", 0),
            ("\"\\", "unexpected end of JSON input", 2), ("\"\\u12", "unexpected end of JSON input", 3),
            ("1 2", "unexpected text after the value", 2), ("1x", "unexpected text after the value", 1),
            ("x", "invalid character 'x' looking for beginning of value", 0),
            ("[1,]", "invalid character ']' looking for beginning of value", 3),
            ("{\"a\":1,}", "invalid character '}' looking for beginning of object key string", 7),
            ("{a:1}", "invalid character 'a' looking for beginning of object key string", 1),
            ("{\"a\" 1}", "invalid character '1' after object key", 5),
            ("{\"a\":1 2}", "invalid character '2' after object key:value pair", 7),
            ("[1 2]", "invalid character '2' after array element", 3),
            ("trua", "invalid character 'a' in literal true", 0), ("nule", "invalid character 'e' in literal null", 0),
            ("01", "invalid number: leading zero", 2), ("-01", "invalid number: leading zero", 3),
            ("-", "invalid number: a digit is missing", 1), ("1.", "invalid number: a digit is missing", 2),
            ("1e", "invalid number: a digit is missing", 2), ("1e+", "invalid number: a digit is missing", 3),
            ("1e400", "number out of range", 5), ("-1e400", "number out of range", 6),
            ("\"\n\"", "invalid control character in string", 1),
            ("\"\\x\"", "invalid character 'x' in string escape code", 3),
            ("\"\\u12G4\"", "invalid character in \\u hexadecimal character escape", 3),
            ("\"\\u+123\"", "invalid character in \\u hexadecimal character escape", 3),
            ("NaN", "invalid character 'N' looking for beginning of value", 0),
            ("// no", "invalid character '/' looking for beginning of value", 0),
        ])
    func errors(text: String, message: String, offset: Int) {
        let error = fault(Array(text.utf8))
        #expect(error?.message == message)
        #expect(error?.offset == offset)
    }

    @Test("an error reads as a sentence with its place")
    func description() {
        #expect(fault(Array("[1 2]".utf8))?.description == "invalid character '2' after array element at byte 3")
    }

    @Test("values nest as deep as allowed, and no deeper", arguments: [("[", "]"), ("{\"a\":", "}")])
    func depth(open: String, close: String) throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)).utf8)
        }
        #expect(fault(nested(20), depthMax: 20) == nil)
        #expect(fault(nested(21), depthMax: 20)?.message == "exceeded max depth of 20")
        #expect(fault(nested(256)) == nil)
        #expect(fault(nested(100_000))?.message == "exceeded max depth of 256")
    }
}

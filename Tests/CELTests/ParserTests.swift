import Testing

@testable import CEL

@Suite("Reading expressions") struct ParserTests {
    @Test(
        "literals",
        arguments: [
            ("42", "42"), ("-9223372036854775808", "-9223372036854775808"), ("0xff", "255"), ("-0x10", "-16"),
            ("7u", "7u"), ("1.5e3", "1500"), (".5", "0.5"), ("1e6", "1e+06"), ("true", "true"), ("null", "null"),
            (#""a\n""#, "'a\n'"), (#"r'a\n'"#, #"'a\n'"#), ("'''it's'''", "'it's'"), (#"'\u00e9\x41\101'"#, "'éAA'"),
            (#"b'\xff\101é'"#, "b[255, 65, 195, 169]"), ("[1, 2,]", "[1, 2]"), ("{'a': 1,}", "{'a': 1}"),
            ("1 // one", "1"),
        ])
    func literals(text: String, value: String) { #expect(evaluate(text) == value) }

    @Test(
        "operators bind as in C",
        arguments: [
            ("1 + 2 * 3", "7"), ("(1 + 2) * 3", "9"), ("10 - 3 - 2", "5"), ("!true || true", "true"),
            ("1 < 2 == true", "true"), ("true ? 1 : false ? 2 : 3", "1"), ("--1", "1"), ("!!true", "true"),
            ("-(2)", "-2"), ("1 in [1] && 'a' in {'a': 1}", "true"),
        ])
    func operators(text: String, value: String) { #expect(evaluate(text) == value) }

    @Test(
        "what is no expression is refused with its place",
        arguments: [
            ("self = 42", "ERROR: <input>:1:6: Syntax error: token recognition error at: '= '"),
            ("(1", "ERROR: <input>:1:3: Syntax error: missing ')' at '<EOF>'"),
            ("1 2", "ERROR: <input>:1:3: Syntax error: extraneous input '2' expecting <EOF>"),
            (#"'a\"#, #"ERROR: <input>:1:1: Syntax error: token recognition error at: ''a\'"#),
            ("for", "ERROR: <input>:1:1: reserved identifier: for"),
            ("10000000000000000000", "ERROR: <input>:1:1: invalid int literal"),
            (#"'\q'"#, "ERROR: <input>:1:1: unable to unescape string"),
            ("has(a)", "ERROR: <input>:1:5: invalid argument to has() macro"),
            ("[1].all(x.y, true)", "ERROR: <input>:1:10: argument must be a simple name"),
        ])
    func syntaxErrors(text: String, message: String) { #expect(complaint(text) == message) }

    @Test("a problem shows its line, and a mark below the place")
    func display() {
        #expect(
            evaluate("true &&\n  'a' + 1 == ''")
                == "refused: ERROR: <input>:2:7: found no matching overload for '_+_' applied to '(string, int)'\n"
                + " |   'a' + 1 == ''\n | ......^")
        #expect(evaluate("'日' + 1").hasSuffix("\n | '日' + 1\n | .\u{FF0E}..^"))
    }

    @Test("depth and length have bounds, long conditions have none")
    func bounds() {
        let deep = String(repeating: "(", count: 5000) + "1" + String(repeating: ")", count: 5000)
        #expect(complaint(deep) == "ERROR: <input>:1:1: expression recursion limit exceeded: 250")
        #expect(complaint("1" + String(repeating: "+1", count: 5000)).hasSuffix("recursion limit exceeded: 250"))
        #expect(complaint("[1]" + String(repeating: "[0]", count: 5000)).hasSuffix("recursion limit exceeded: 250"))
        #expect(evaluate("false" + String(repeating: " || false", count: 5000)) == "false")
        #expect(
            complaint(String(repeating: " ", count: 100_001))
                == "ERROR: <input>:1:1: expression code point size exceeds limit: size: 100001, limit 100000")
    }
}

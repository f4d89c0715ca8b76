import Testing

@testable import CEL

@Suite("Functions of texts and lists") struct FunctionTests {
    @Test(
        "texts, by their signs",
        arguments: [
            ("'tacocat'.charAt(3)", "'o'"), ("'añ'.charAt(1)", "'ñ'"),
            ("'a'.charAt(2)", "error: index out of range: 2"),
            ("'tacocat'.indexOf('a')", "1"), ("'tacocat'.indexOf('a', 3)", "5"), ("'tacocat'.indexOf('x')", "-1"),
            ("'tacocat'.lastIndexOf('a', 4)", "1"), ("'TacoCÆt'.lowerAscii()", "'tacocÆt'"),
            ("'a b b'.replace('b', 'c', 1)", "'a c b'"), ("'ab'.replace('', '-')", "'-a-b-'"),
            ("'a,b,c'.split(',')", "['a', 'b', 'c']"), ("'a,b,c'.split(',', 2)", "['a', 'b,c']"),
            ("'ab'.split('')", "['a', 'b']"), ("'tacocat'.substring(4)", "'cat'"),
            ("'tacocat'.substring(2, 1)", "error: invalid substring range. start: 2, end: 1"),
            ("'  a '.trim()", "'a'"), ("['a', 'b'].join('-')", "'a-b'"), ("strings.quote('a\\n\"')", #"'"a\n\""'"#),
            ("'héllo'.size()", "5"), ("'abc'.endsWith('bc')", "true"), ("'abc'.contains('')", "true"),
        ])
    func texts(text: String, value: String) { #expect(evaluate(text) == value) }

    @Test(
        "no function makes a text or a list that is larger than any rule needs",
        arguments: [
            "text.replace('', text)", "[1, 2, 3].map(x, text.replace('a', text)).size() > 0",
            "list.map(x, text).join().size()", "'%s'.format([list.map(x, text)])", "(list + list) + (list + list)",
        ])
    func bounds(text: String) {
        let variables: [String: Value] = [
            "text": .string(String(repeating: "a", count: 20_000)),
            "list": .list((0..<300_000).map { .int(Int64($0)) }),
        ]
        #expect(evaluate(text, variables, costLimit: 10_000_000) == "error: the result is too large")
    }

    @Test("the largest number is a limit like any other")
    func largestLimit() {
        #expect(evaluate("'aa'.replace('a', 'b', 9223372036854775807)") == "'bb'")
        #expect(evaluate("'aa'.replace('', '-', 9223372036854775807)") == "'-a-a-'")
        #expect(evaluate("'a,b'.split(',', 9223372036854775807).size()") == "2")
    }

    @Test(
        "format",
        arguments: [
            ("'%s is %s'.format(['a', 'b'])", "'a is b'"), ("'%d%%'.format([5])", "'5%'"),
            ("'%.2f'.format([2.675])", "'2.67'"), ("'%.0f'.format([2.5])", "'2'"),
            ("'%e'.format([1234.5])", "'1.234500e+03'"),
            ("'%x %X %b %o'.format([255, 255, 5, 8])", "'ff FF 101 10'"), ("'%s'.format([[1, 2]])", "'[1, 2]'"),
            ("'%s'.format([{'b': 1, 'a': 2}])", "'{a: 2, b: 1}'"), ("'%d'.format([])", "error: index 0 out of range"),
            (
                "'%d'.format(['a'])",
                "error: error during formatting: decimal clause can only be used on integers, was given string"
            ),
        ])
    func format(text: String, value: String) { #expect(evaluate(text) == value) }

    @Test(
        "lists and sets",
        arguments: [
            ("[1, 2, 2].isSorted()", "true"), ("[2, 1].isSorted()", "false"), ("[1, 2, 3].sum()", "6"),
            ("[1.5].sum()", "1.5"), ("[3, 1].min()", "1"), ("['a', 'b'].max()", "'b'"),
            ("[1].filter(x, x > 1).min()", "error: min called on empty list"), ("[1, 2, 1].lastIndexOf(1)", "2"),
            ("sets.contains([1, 2], [2])", "true"), ("sets.intersects([1], [2])", "false"),
            ("sets.equivalent([1, 2], [2, 1, 1])", "true"),
        ])
    func lists(text: String, value: String) { #expect(evaluate(text) == value) }
}

@Suite("Regular expressions", .timeLimit(.minutes(5))) struct RegularExpressionTests {
    @Test(
        "what occurs, by the rules of RE2",
        arguments: [
            ("^[a-z]+$", "abc", true), ("^[a-z]+$", "abC", false), ("(?i)ABC", "xabcx", true), ("a{2,3}", "a", false),
            ("^a{2,3}$", "aaa", true), ("^(foo|bar)*$", "foobarfoo", true), (#"^\d+\.\d+$"#, "1.5", true),
            (#"\bfoo\b"#, "a foo b", true), ("^[^/]+$", "a/b", false), (#"^\p{Lu}\pL*$"#, "Émile", true),
            ("[[:alpha:]]", "1", false), ("^.$", "é", true), ("a.c", "a\nc", false), ("(?s)a.c", "a\nc", true),
            ("(?m)^b$", "a\nb", true), ("^$", "", true), (#"^\Qa.b\E$"#, "a.b", true), ("x{,2}", "x{,2}", true),
            ("^[]a]+$", "]a", true), ("^[a\\-z]+$", "-", true), ("(?P<n>a)b", "ab", true),
        ])
    func occurs(pattern: String, text: String, isIn: Bool) throws {
        #expect(try RegularExpression(pattern).occurs(in: text) == isIn)
    }

    @Test("matches are the leftmost, and greedy unless they are said not to be")
    func matches() {
        #expect(evaluate("'abc 123 def'.find('[0-9]+')") == "'123'")
        #expect(evaluate("'aaa'.find('a+?')") == "'a'")
        #expect(evaluate("'aab ab b'.findAll('a*b')") == "['aab', 'ab', 'b']")
        #expect(evaluate("'a1b2c3'.findAll('[0-9]', 2)") == "['1', '2']")
        #expect(evaluate("'foobar'.find('foo|foobar')") == "'foo'")
        #expect(evaluate("'abc'.findAll('x*')") == "['', '', '', '']")
    }

    @Test(
        "what RE2 refuses is refused in Go's words",
        arguments: [
            ("(", "missing closing ): `(`"), (")", "unexpected ): `)`"), ("[a", "missing closing ]: `[a`"),
            ("*", "missing argument to repetition operator: `*`"), (#"(a)\1"#, #"invalid escape sequence: `\1`"#),
            ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"), ("a{1001}", "invalid repeat count: `{1001}`"),
            ("[z-a]", "invalid character class range: `z-a`"), (#"\p{L"#, #"invalid character class range: `\p{L`"#),
            ("a**", "invalid nested repetition operator: `**`"),
            ("((a{100}){100}){100}", "expression too large: `((a{100}){100}){100}`"),
        ])
    func refusals(pattern: String, message: String) {
        #expect(throws: RegularExpression.SyntaxError.self) { try RegularExpression(pattern) }
        do { _ = try RegularExpression(pattern) } catch {
            #expect(error.description == "error parsing regexp: \(message)")
        }
    }

    @Test("an expression that makes others slow takes time by the length of the text only")
    func linear() throws {
        let text = String(repeating: "a", count: 20_000)
        #expect(try !RegularExpression("^(a+)+$").occurs(in: text + "b"))
        #expect(try !RegularExpression("^(a|a)*$").occurs(in: text + "b"))
        _ = try RegularExpression("(((){1000}){1000}){1000}")
    }
}

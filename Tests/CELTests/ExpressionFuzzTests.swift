import LabTesting
import Testing

@testable import CEL

@Suite("Hostile expressions", .timeLimit(.minutes(10))) struct ExpressionFuzzTests {
    private static let expressions = [
        "self.spec.replicas > 1 && self.items.all(i, i.name.startsWith('a'))", "has(self.a.b) ? self.a.b : 'x'",
        "[1, 2u, 3.5].map(x, x * 2).filter(y, y > 2).sum() == {'a': [1]}['a'][0]", "self.?a[?'b'].orValue(1) - -1",
        "'%d %s'.format([1, 'a']).matches('^[a-z]{1,3}(b|c)*$')",
        "timestamp('2024-01-01T00:00:00Z').getFullYear('+01:00')",
        "duration('1h30m') < duration(self.d) || type(self) == map", "optional.of(1).optMap(v, v + 1).value()",
        #"r'\d' + "\u00e9\n" + '''x''' != b'\xff'"#, "sets.contains([1], [2]) ? 'a,b'.split(',', 1).join('-') : ''",
    ]
    private static let tokens = [
        "(", ")", "[", "]", "{", "}", "?", ":", ".", ",", "&&", "||", "!", "-", "9223372036854775808", "0x", "1e999",
        "'''", "\\u", "\\xff", ".all(x,", ".map(a, b, c)", "has(", "%.999f", "(?i)", "{1,1000}", "^*", "\u{FEFF}", "日本",
    ]

    @Test("an expression is refused, or has a value or an error within its cost", arguments: Fuzzer.seeds)
    func expressions(seed: UInt64) {
        let environment = Environment(variables: ["self": Declaration(.dyn)], functions: .base)
        let item = Value.map(MapValue([("name", .string("abc"))]))
        let value = Value.map(
            MapValue([
                ("spec", .map(MapValue([("replicas", .int(2))]))), ("items", .list([item])), ("d", .string("1s")),
            ]))
        var fuzzer = Fuzzer(seed: seed, corpus: Self.expressions, tokens: Self.tokens)
        for _ in 0..<Fuzzer.rounds {
            let text = String(decoding: fuzzer.next(), as: UTF8.self)
            guard let program = try? environment.compile(text) else { continue }
            let outcome = program.evaluate(["self": value], costLimit: 10_000)
            if case .success = outcome.result { #expect(outcome.cost <= 10_000, "\(text)") }
            _ = program.worstCost(variables: environment.variables)
        }
    }

    @Test("a pattern is refused or matched", arguments: Fuzzer.seeds)
    func patterns(seed: UInt64) {
        let corpus = ["^[a-z]([-a-z0-9]*[a-z0-9])?$", "(?i)(a|b)*?c{2,3}", #"\p{Lu}\d+[^\s[:alpha:]]$"#, "(?P<x>.)+"]
        let tokens = ["(", ")", "[", "]", "{", "}", "*", "+?", "|", "\\", "(?:", "[^", "\\p{", "{1000}", "\\Q", "日"]
        var fuzzer = Fuzzer(seed: seed, corpus: corpus, tokens: tokens)
        for _ in 0..<Fuzzer.rounds {
            guard let pattern = try? RegularExpression(String(decoding: fuzzer.next(), as: UTF8.self)) else { continue }
            _ = pattern.matches(in: "abc ABC 123 日本 aaaaaaaaaaaaaaaaaaaaaaaaaaaa")
        }
    }
}

import Testing

@testable import CEL

@Suite("What expressions cost") struct CostTests {
    private func program(_ text: String, _ variables: [String: Declaration]) throws -> Program {
        try Environment(variables: variables, functions: .base).compile(text)
    }

    @Test(
        "what an evaluation has cost",
        arguments: [
            ("1 + 1", 1), ("x", 1), ("x.a", 2), ("x.a == 'abc'", 3), ("[1, 2]", 10), ("{'a': 1}", 30),
            ("true || x.a == ''", 0), ("'abcdefghij'.contains('abcdefghij')", 1), ("size(x)", 2),
            ("1 in [1, 2, 3]", 13),
            ("[1, 2].all(i, i > 0)", 21), ("has(x.a)", 1),
        ])
    func actual(text: String, cost: Int) throws {
        let x = Value.map(MapValue([("a", .string("abc"))]))
        let outcome = try program(text, ["x": Declaration(.map(.string, .string))]).evaluate(["x": x], costLimit: 1000)
        #expect(outcome.cost == cost)
    }

    @Test("an evaluation ends at its limit, and no part of the expression overrules that")
    func limit() {
        let ones = Value.list((0..<200).map { .int($0) })
        let text = "x.all(a, x.all(b, x.all(c, true))) || true"
        #expect(
            evaluate(text, ["x": ones], costLimit: 10_000) == "error: operation cancelled: actual cost limit exceeded")
        #expect(evaluate("x.map(a, a).sum()", ["x": ones]) == "19900")
    }

    @Test("the worst that can happen follows from how large things may be")
    func worst() throws {
        let text = Declaration(.string, sizeMax: 10)
        let list = Declaration(.strings, sizeMax: 5, element: text)
        func worst(_ expression: String) throws -> UInt64 {
            let variables = ["list": list, "free": Declaration(.strings), "text": text]
            return try program(expression, variables).worstCost(variables: variables)
        }
        #expect(try worst("text == 'abc'") == 2)
        #expect(try worst("list.all(s, s == 'abc')") == 27)
        #expect(try worst("list.all(s, s.matches('^[a-z]+$'))") > worst("list.all(s, s == 'abc')"))
        #expect(try worst("free.all(s, s == '')") == .max)
        #expect(try worst("type(text) == string") == 3)
        #expect(try worst("true ? text == 'a' : list.exists(s, s == 'a')") == worst("list.exists(s, s == 'a')"))
    }
}

import Testing

@testable import CEL

@Suite("Checking types") struct CheckerTests {
    private static let spec = ObjectType(
        "spec", ["replicas": Declaration(.int), "names": Declaration(.strings), "port": Declaration(.dyn)])
    private static let variables = [
        "self": Declaration(.object(ObjectType("root", ["spec": Declaration(.object(spec))]))),
        "labels": Declaration(.map(.string, .string)), "any": Declaration(.dyn),
    ]

    @Test(
        "the type of an expression follows from its parts",
        arguments: [
            ("self.spec.replicas + 1", "int"), ("self.spec.names.map(n, size(n))", "list(int)"),
            ("labels['a']", "string"), ("labels.?a", "optional_type(string)"), ("[]", "list(dyn)"),
            ("[1, 2].filter(x, x > 1)", "list(int)"), ("{'a': [1]}", "map(string, list(int))"),
            ("any.x.y + 1", "int"), ("any", "dyn"), ("self.spec.port == 'http'", "bool"),
            ("true ? 1 : 2", "int"), ("type(1)", "type(int)"), ("has(self.spec.replicas)", "bool"),
            ("timestamp('2024-01-01T00:00:00Z') - duration('1h')", "timestamp"), ("self.spec == null", "bool"),
            ("labels.?a.orValue('x')", "string"), ("optional.of(1).optMap(x, string(x))", "optional_type(string)"),
        ])
    func types(text: String, type: String) { #expect(complaint(text, Self.variables) == type) }

    @Test(
        "what does not fit is refused",
        arguments: [
            ("self.z == 1", "1:5: undefined field 'z'"),
            ("has(self.z)", "1:4: undefined field 'z'"),
            ("other", "1:1: undeclared reference to 'other' (in container '')"),
            ("self.spec.foo()", "1:14: undeclared reference to 'foo' (in container '')"),
            ("self.spec.replicas > '1'", "1:20: found no matching overload for '_>_' applied to '(int, string)'"),
            ("'a'.contains(1)", "1:13: found no matching overload for 'contains' applied to 'string.(int)'"),
            ("self.spec.replicas == null", "1:20: found no matching overload for '_==_' applied to '(int, null)'"),
            ("1 && true", "1:1: expected type 'bool' but found 'int'"),
            ("[1, 'a']", "1:5: expected type 'int' but found 'string'"),
            ("self.spec.replicas.x", "1:19: type 'int' does not support field selection"),
            (
                "1.all(x, true)",
                "1:1: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)"
            ),
            ("'a'.matches('(')", "1:13: invalid matches argument"),
            ("duration('1 hour') > duration('1s')", "1:10: invalid duration argument"),
            ("true ? 1 : 'a'", "1:6: found no matching overload for '_?_:_' applied to '(bool, int, string)'"),
        ])
    func refusals(text: String, message: String) {
        #expect(complaint(text, Self.variables) == "ERROR: <input>:\(message)")
    }
}

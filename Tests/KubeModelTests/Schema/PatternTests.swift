import KubeModel
import Testing

@Suite("Patterns of schemas", .timeLimit(.minutes(5))) struct PatternTests {
    @Test("a pattern that would try every way takes no longer than any other")
    func manyWays() {
        #expect(!Pattern("^(a+)+$").occurs(in: String(repeating: "a", count: 5000) + "b"))
    }

    @Test(
        "what is no regular expression, or none that Go knows, is not valid",
        arguments: ["(", "a(?=b)", "(a)\\1"])
    func invalid(text: String) { #expect(!Pattern(text).isValid) }
}

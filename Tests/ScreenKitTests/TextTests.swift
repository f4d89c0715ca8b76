import ScreenKit
import Testing

@Suite("Text in a terminal") struct TextTests {
    @Test(
        "a grapheme takes no, one or two columns",
        arguments: [
            ("a", 1), ("č", 1), ("c\u{30C}", 1), ("日", 2), ("🔥", 2), ("☸️", 2), ("│", 1), ("\u{200B}", 0), ("", 0),
            ("VelocityTech", 12), ("日本", 4), ("👩‍💻", 2),
        ])
    func width(text: String, columns: Int) {
        #expect(TextWidth.of(text) == columns)
    }

    @Test(
        "lines break at spaces, keep their indentation and cut what does not fit",
        arguments: [
            ("one two three", 7, ["one two", "three"]),
            ("  indented text", 10, ["  indented", "  text"]),
            ("a\n\nb", 5, ["a", "", "b"]),
            ("abcdefgh", 3, ["abc", "def", "gh"]),
            ("日本語", 4, ["日本", "語"]),
            ("", 4, [""]),
        ])
    func wrap(text: String, columns: Int, lines: [String]) {
        #expect(TextWrap.lines(text, columns: columns) == lines)
    }

    @Test(
        "what is cut ends in a sign of it",
        arguments: [("payment-gateway", 8, "payment~"), ("short", 8, "short"), ("日本語", 5, "日本~"), ("ab", 1, "~")])
    func truncate(text: String, columns: Int, cut: String) {
        #expect(TextWrap.truncate(text, columns: columns) == cut)
    }

    @Test("padding gives exactly the width, wide graphemes or not", arguments: ["", "pod", "日本語", "a very long text"])
    func pad(text: String) {
        #expect(TextWidth.of(TextWrap.pad(text, columns: 7)) == 7)
    }
}

import ScreenKit
import Testing

@Suite("Cell buffer") struct CellBufferTests {
    @Test("a box with a title frames its area, and what lies outside is cut")
    func box() {
        var buffer = CellBuffer(Size(columns: 12, rows: 4))
        let inside = buffer.box(buffer.bounds, title: "Pods")
        buffer.put("a line that is too long", column: inside.column, row: inside.row, limit: inside.endColumn)
        buffer.put("below", column: 0, row: 9)
        #expect(
            buffer.text == """
                ┌─ Pods ───┐
                │a line tha│
                │          │
                └──────────┘
                """)
    }

    @Test("overwriting half of a wide grapheme blanks the other half")
    func wideHalves() {
        var buffer = CellBuffer(Size(columns: 4, rows: 1))
        buffer.put("日本", column: 0, row: 0)
        buffer.put("x", column: 1, row: 0)
        #expect(buffer.text == " x本")
        buffer.put("y", column: 2, row: 0)
        #expect(buffer.text == " xy")
    }

    @Test("a wide grapheme does not start in the last column")
    func wideAtEdge() {
        var buffer = CellBuffer(Size(columns: 3, rows: 1))
        #expect(buffer.put("日本", column: 0, row: 0) == 2)
        #expect(buffer.text == "日")
    }

    @Test("two equal frames need no drawing, a change needs only its cells")
    func changes() {
        var old = CellBuffer(Size(columns: 10, rows: 2))
        old.put("3 pods", column: 0, row: 1)
        #expect(old.changes(from: old).isEmpty)
        var new = old
        new.put("5", column: 0, row: 1, .good)
        let runs = new.changes(from: old)
        #expect(runs.map(\.text) == ["5"])
        #expect(runs.first?.style == .good && runs.first?.column == 0 && runs.first?.row == 1)
    }

    @Test("a frame of another size is drawn whole")
    func resized() {
        let new = CellBuffer(Size(columns: 3, rows: 2))
        #expect(new.changes(from: CellBuffer(Size(columns: 2, rows: 2))).count == 2)
        #expect(new.changes(from: nil).map(\.text) == ["   ", "   "])
    }

    @Test(
        "the footer shows as many hints as fit, whole, and the last of them always",
        arguments: [(30, "c check  q quit"), (9, "q quit"), (3, "")])
    func footer(columns: Int, text: String) {
        var buffer = CellBuffer(Size(columns: columns, rows: 1))
        buffer.footer([KeyHint("c", "check"), KeyHint("q", "quit")], in: buffer.bounds)
        #expect(buffer.text == text)
    }

    @Test("areas outside the screen or without size change nothing")
    func outside() {
        var buffer = CellBuffer(Size(columns: 3, rows: 2))
        let before = buffer
        buffer.fill(Rect(column: 5, row: 5, columns: 2, rows: 2), with: "x")
        buffer.fill(Rect(column: -4, row: -4, columns: 2, rows: 2), with: "x")
        buffer.box(Rect(column: 0, row: 0, columns: 1, rows: 1))
        buffer.paragraph("text", in: Rect(column: 0, row: 0, columns: 0, rows: 2))
        #expect(buffer == before)
    }
}

import ScreenKit

/// One line of a text that is longer than its screen may be.
struct PageLine {
    var text: String
    var style: Style = .plain
    /// Whether it tells of something that goes on right now.
    var isRunning = false
}

extension CellBuffer {
    /// Shows lines from `first` on; where more follow below, the last row says so instead.
    mutating func show(_ lines: [PageLine], from first: Int, in page: Rect) {
        let hasMore = page.rows > 0 && first + page.rows < lines.count
        for (offset, line) in lines.dropFirst(first).prefix(hasMore ? page.rows - 1 : page.rows).enumerated() {
            put(line.text, column: page.column, row: page.row + offset, line.style, limit: page.endColumn)
        }
        if hasMore { put(" more ↓ ", column: max(page.column, page.endColumn - 9), row: page.endRow - 1, .selected) }
    }
}

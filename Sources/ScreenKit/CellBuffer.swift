/// One place on the screen: a grapheme and how it looks.
public struct Cell: Sendable, Hashable {
    /// Empty in the second column of a wide grapheme.
    public var grapheme: String
    public var style: Style

    public init(_ grapheme: String, _ style: Style) {
        self.grapheme = grapheme
        self.style = style
    }

    public static let blank = Cell(" ", .plain)
}

/// A frame: what the whole screen shows.
///
/// Screens draw into one and cannot fail; what lies outside is cut.
public struct CellBuffer: Sendable, Hashable {
    public let size: Size
    public private(set) var cells: [Cell]
    /// Where the terminal's cursor rests, on the focused item, for screen readers; nil hides it.
    public var cursor: Point?

    public struct Point: Sendable, Hashable {
        public var column: Int
        public var row: Int
        public init(column: Int, row: Int) {
            self.column = column
            self.row = row
        }
    }

    public init(_ size: Size) {
        self.size = size
        cells = Array(repeating: .blank, count: max(0, size.columns * size.rows))
    }

    public var bounds: Rect { Rect(size) }

    public subscript(column: Int, row: Int) -> Cell { cells[row * size.columns + column] }

    /// Writes text from a position to the right and returns the column after it.
    ///
    /// - Parameter limit: The column that is not reached any more; nil means the right edge of the screen.
    @discardableResult
    public mutating func put(_ text: String, column: Int, row: Int, _ style: Style = .plain, limit: Int? = nil) -> Int {
        let end = min(limit ?? size.columns, size.columns)
        guard 0..<size.rows ~= row else { return column }
        var column = column
        for character in text {
            let width = TextWidth.of(character)
            guard width > 0 else { continue }
            guard column + width <= end else { break }
            if column >= 0 {
                set(Cell(String(character), style), column: column, row: row)
                if width == 2 { cells[row * size.columns + column + 1] = Cell("", style) }
            }
            column += width
        }
        return column
    }

    /// Sets one cell, and blanks the other half of a wide grapheme that it cuts.
    private mutating func set(_ cell: Cell, column: Int, row: Int) {
        let index = row * size.columns + column
        if cells[index].grapheme.isEmpty, column > 0 { cells[index - 1] = .blank }
        if column + 1 < size.columns, cells[index + 1].grapheme.isEmpty { cells[index + 1] = .blank }
        cells[index] = cell
    }

    public mutating func fill(_ area: Rect, _ style: Style = .plain, with grapheme: String = " ") {
        let rows = (area.row..<area.endRow).clamped(to: 0..<size.rows)
        let columns = (area.column..<area.endColumn).clamped(to: 0..<size.columns)
        for row in rows {
            for column in columns { set(Cell(grapheme, style), column: column, row: row) }
        }
    }

    /// Wrapped text inside an area; returns how many rows it took (cut at the area's end).
    @discardableResult
    public mutating func paragraph(_ text: String, in area: Rect, _ style: Style = .plain) -> Int {
        let lines = TextWrap.lines(text, columns: area.columns).prefix(area.rows)
        for (offset, line) in lines.enumerated() {
            put(line, column: area.column, row: area.row + offset, style, limit: area.endColumn)
        }
        return lines.count
    }

    /// A frame of lines around an area, with a title in its upper edge; returns the inside.
    ///
    /// A terminal without Unicode gets `+`, `-` and `|` instead (`TerminalScreen` translates).
    @discardableResult
    public mutating func box(_ area: Rect, title: String = "", _ style: Style = .dim) -> Rect {
        guard area.columns >= 2, area.rows >= 2 else { return area }
        let line = String(repeating: "─", count: area.columns - 2)
        put("┌\(line)┐", column: area.column, row: area.row, style, limit: area.endColumn)
        put("└\(line)┘", column: area.column, row: area.endRow - 1, style, limit: area.endColumn)
        for row in area.row + 1..<area.endRow - 1 {
            put("│", column: area.column, row: row, style)
            put("│", column: area.endColumn - 1, row: row, style)
        }
        if !title.isEmpty, area.columns > 6 {
            let label = TextWrap.truncate(title, columns: area.columns - 6)
            put(" \(label) ", column: area.column + 2, row: area.row, .title, limit: area.endColumn - 1)
        }
        return area.inset(columns: 1, rows: 1)
    }

    /// The frame as lines of text, without trailing spaces: what tests compare.
    public var text: String {
        (0..<size.rows).map { row in
            var line = cells[row * size.columns..<(row + 1) * size.columns].map(\.grapheme).joined()
            while line.last == " " { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }

    /// Runs of cells that differ from what is on the screen now; all of them when the sizes differ.
    public func changes(from old: CellBuffer?) -> [Run] {
        var runs: [Run] = []
        for row in 0..<size.rows {
            var column = 0
            while column < size.columns {
                let cell = self[column, row]
                guard old?.size != size || old?[column, row] != cell else {
                    column += 1
                    continue
                }
                var run = Run(column: column, row: row, text: "", style: cell.style)
                while column < size.columns {
                    let next = self[column, row]
                    guard next.style == run.style,
                        old?.size != size || old?[column, row] != next || next.grapheme.isEmpty
                    else { break }
                    run.text += next.grapheme
                    column += 1
                }
                runs.append(run)
            }
        }
        return runs
    }

    /// Cells side by side in one row, of one style.
    public struct Run: Sendable, Hashable {
        public var column: Int
        public var row: Int
        public var text: String
        public var style: Style
    }
}

/// Columns and rows of a terminal.
public struct Size: Sendable, Hashable {
    public var columns: Int
    public var rows: Int

    public init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = rows
    }
}

/// A rectangle of cells; never negative in size.
public struct Rect: Sendable, Hashable {
    public var column: Int
    public var row: Int
    public var columns: Int
    public var rows: Int

    public init(column: Int, row: Int, columns: Int, rows: Int) {
        self.column = column
        self.row = row
        self.columns = max(0, columns)
        self.rows = max(0, rows)
    }

    public init(_ size: Size) { self.init(column: 0, row: 0, columns: size.columns, rows: size.rows) }

    public var endColumn: Int { column + columns }
    public var endRow: Int { row + rows }

    /// The rectangle without a margin.
    public func inset(columns horizontal: Int = 0, rows vertical: Int = 0) -> Rect {
        Rect(
            column: column + horizontal, row: row + vertical, columns: columns - 2 * horizontal,
            rows: rows - 2 * vertical)
    }

    /// Cuts rows off the top: they, and the rest.
    public func split(top: Int) -> (top: Rect, rest: Rect) {
        let height = min(max(0, top), rows)
        return (
            Rect(column: column, row: row, columns: columns, rows: height),
            Rect(column: column, row: row + height, columns: columns, rows: rows - height)
        )
    }

    /// Cuts rows off the bottom: the rest, and they.
    public func split(bottom: Int) -> (rest: Rect, bottom: Rect) {
        let halves = split(top: rows - min(max(0, bottom), rows))
        return (halves.top, halves.rest)
    }

    /// Cuts columns off the left: they, and the rest.
    public func split(left: Int) -> (left: Rect, rest: Rect) {
        let width = min(max(0, left), columns)
        return (
            Rect(column: column, row: row, columns: width, rows: rows),
            Rect(column: column + width, row: row, columns: columns - width, rows: rows)
        )
    }
}

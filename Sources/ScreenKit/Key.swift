/// A key as a screen sees it.
public enum Key: Sendable, Hashable {
    case character(Character)
    case enter
    case escape
    case tab
    case backspace
    case up
    case down
    case left
    case right
    case pageUp
    case pageDown
    case home
    case end
    /// Control with a letter, for example `control("c")`.
    case control(Character)
}

/// What a key does in a view: shown in the footer and in the help, both made from one table.
public struct KeyHint: Sendable, Hashable {
    public var keys: String
    public var does: String

    public init(_ keys: String, _ does: String) {
        self.keys = keys
        self.does = does
    }

    var columns: Int { TextWidth.of(keys) + 1 + TextWidth.of(does) }
}

extension CellBuffer {
    /// One row of key hints, as many as fit; the last one, which leads to the rest, always does.
    public mutating func footer(_ hints: [KeyHint], in area: Rect) {
        fill(area, .plain)
        var column = area.column
        let room = area.columns - (hints.last?.columns ?? 0)
        for hint in hints.dropLast() {
            guard column + hint.columns + 2 <= area.column + room else { break }
            column = put(hint, column: column, row: area.row) + 2
        }
        if let last = hints.last, last.columns <= area.columns { put(last, column: column, row: area.row) }
    }

    @discardableResult
    private mutating func put(_ hint: KeyHint, column: Int, row: Int) -> Int {
        let end = put(hint.keys, column: column, row: row, .bold)
        return put(hint.does, column: end + 1, row: row, .dim)
    }
}

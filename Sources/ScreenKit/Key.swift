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
}

extension CellBuffer {
    /// One row of key hints, as many as fit.
    public mutating func footer(_ hints: [KeyHint], in area: Rect) {
        fill(area, .plain)
        var column = area.column
        for hint in hints {
            let width = TextWidth.of(hint.keys) + 1 + TextWidth.of(hint.does)
            guard column + width <= area.endColumn else { return }
            column = put(hint.keys, column: column, row: area.row, .bold) + 1
            column = put(hint.does, column: column, row: area.row, .dim) + 2
        }
    }
}

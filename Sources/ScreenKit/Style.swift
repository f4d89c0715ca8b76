/// How a cell looks, by meaning: the terminal's own palette gives the colours, so that light and dark terminals both work.
public struct Style: Sendable, Hashable {
    public var color: ColorRole
    public var isBold: Bool
    public var isDim: Bool
    public var isReversed: Bool
    public var isUnderlined: Bool

    public init(
        _ color: ColorRole = .plain, bold: Bool = false, dim: Bool = false, reversed: Bool = false,
        underlined: Bool = false
    ) {
        self.color = color
        isBold = bold
        isDim = dim
        isReversed = reversed
        isUnderlined = underlined
    }

    public static let plain = Style()
    public static let dim = Style(dim: true)
    public static let bold = Style(bold: true)
    public static let title = Style(.accent, bold: true)
    public static let selected = Style(reversed: true)
    public static let good = Style(.good)
    public static let bad = Style(.bad, bold: true)
    public static let warning = Style(.warning)
}

/// What a colour means.
///
/// A role never carries meaning alone: a sign or a word always stands beside it.
public enum ColorRole: String, Sendable, CaseIterable {
    /// The terminal's own foreground.
    case plain
    case accent
    case good
    case bad
    case warning
    /// Speakers of a scene, each their own.
    case first
    case second
    case third
    case fourth
}

import CEL

/// A regular expression of a schema, compiled once; whoever writes the schema cannot make matching slow.
public struct Pattern: Sendable {
    public let text: String
    private let expression: RegularExpression?

    public init(_ text: String) {
        self.text = text
        expression = try? RegularExpression(text)
    }

    /// Whether the text is a regular expression at all.
    public var isValid: Bool { expression != nil }

    /// Whether the expression occurs somewhere in the text; one that is no expression occurs nowhere.
    public func occurs(in text: String) -> Bool { expression?.occurs(in: text) ?? false }
}

import Synchronization

/// A regular expression of a schema, compiled once.
public final class Pattern: Sendable {
    public let text: String
    /// Behind a lock, because a `Regex` finishes its preparation when it is first used.
    private let regex: Mutex<Regex<AnyRegexOutput>?>

    public init(_ text: String) {
        self.text = text
        regex = Mutex(Self.compile(text))
    }

    private static func compile(_ text: String) -> sending Regex<AnyRegexOutput>? {
        // Character classes as in Go: plain ASCII, and a character is a scalar.
        try? Regex(text).matchingSemantics(.unicodeScalar).asciiOnlyDigits().asciiOnlyWordCharacters()
            .asciiOnlyWhitespace()
    }

    /// Whether the text is a regular expression at all.
    public var isValid: Bool { regex.withLock { $0 != nil } }

    /// Whether the expression occurs somewhere in the text; one that is no expression occurs nowhere.
    public func occurs(in text: String) -> Bool {
        regex.withLock { regex in
            guard let regex else { return false }
            return (try? regex.firstMatch(in: text)) != nil
        }
    }
}

import Synchronization

/// A regular expression in the syntax of RE2, matched in time proportional to the text.
///
/// All ways through the expression are followed side by side, so that no expression makes matching slow: the work is
/// at most the size of the expression times the length of the text. There is nothing in the syntax that would need more
/// (no look-around, no back-references). Source: github.com/google/re2, `doc/syntax.txt`; Russ Cox, "Regular Expression
/// Matching: the Virtual Machine Approach".
public struct RegularExpression: Sendable {
    let program: [Instruction]

    enum Instruction: Sendable {
        case sign(SignClass)
        case jump(Int)
        /// Both ways, the first preferred.
        case split(Int, Int)
        case assert(Assertion)
        case match
    }

    enum Assertion: Sendable {
        case textStart, textEnd, lineStart, lineEnd, wordBoundary, noWordBoundary
    }

    /// Why a text is no regular expression, in Go's words.
    public struct SyntaxError: Error, Sendable, Hashable, CustomStringConvertible {
        public let description: String

        init(_ what: String, _ part: String) { description = "error parsing regexp: \(what): `\(part)`" }
    }

    public init(_ text: String) throws(SyntaxError) {
        var parser = PatternParser(text)
        program = try PatternCompiler.compile(try parser.pattern(), text)
    }

    private static let cache = Mutex<[String: RegularExpression]>([:])
    private static let cacheMax = 256

    /// The expression of a text, read once for all who ask soon after each other.
    public static func cached(_ text: String) throws(SyntaxError) -> RegularExpression {
        if let known = cache.withLock({ $0[text] }) { return known }
        let expression = try RegularExpression(text)
        cache.withLock { cache in
            if cache.count >= cacheMax { cache.removeAll() }
            cache[text] = expression
        }
        return expression
    }

    /// Whether the expression occurs somewhere in the text.
    public func occurs(in text: String) -> Bool {
        var machine = PatternMachine(program, Array(text.unicodeScalars))
        return machine.firstMatch(from: 0, anyWillDo: true) != nil
    }

    /// The parts of the text that match, from left to right, without overlaps.
    public func matches(in text: String, limit: Int = .max) -> [String] {
        let signs = Array(text.unicodeScalars)
        var machine = PatternMachine(program, signs)
        var found: [String] = []
        var start = 0
        var lastEnd = -1
        while found.count < limit, start <= signs.count, let match = machine.firstMatch(from: start) {
            // Nothing right after a match is not a match of its own.
            if !match.isEmpty || match.lowerBound != lastEnd {
                var part = String.UnicodeScalarView()
                part.append(contentsOf: signs[match])
                found.append(String(part))
                lastEnd = match.upperBound
            }
            start = match.isEmpty ? match.upperBound + 1 : match.upperBound
        }
        return found
    }
}

public import CourseModel

/// A place in an author's file; lines and columns count from 1.
public struct SourcePlace: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Relative to the course's root.
    public let file: String
    public let line: Int
    public let column: Int

    public init(file: String, line: Int = 1, column: Int = 1) {
        self.file = file
        self.line = line
        self.column = column
    }

    public var description: String { "\(file):\(line):\(column)" }

    public static func < (left: SourcePlace, right: SourcePlace) -> Bool {
        (left.file, left.line, left.column) < (right.file, right.line, right.column)
    }
}

/// Something wrong in an author's file, where, and how to mend it.
public struct Diagnostic: Hashable, Sendable, CustomStringConvertible {
    public let place: SourcePlace
    public let message: String
    public let hint: String?

    public init(_ place: SourcePlace, _ message: String, hint: String? = nil) {
        self.place = place
        self.message = message
        self.hint = hint
    }

    /// `Labs/week06/lab.yaml:3:1: error: …`, with the hint on a line of its own.
    public var description: String {
        "\(place): error: \(message)" + (hint.map { "\n    hint: \($0)" } ?? "")
    }
}

/// The course cannot be loaded.
public struct CourseError: UserError, Equatable {
    public let diagnostics: [Diagnostic]

    public var message: String {
        let first = diagnostics.first.map { "\($0.place): \($0.message)" } ?? "no reason is known"
        let more = diagnostics.count > 1 ? " (and \(diagnostics.count - 1) more)" : ""
        return "The course cannot be loaded: \(first)\(more)"
    }

    public var hint: String? { "Run 'velocity course lint' to see everything that is wrong." }
}

/// Collects what is wrong while files are read, so that an author sees everything at once.
final class Diagnostics {
    private(set) var items: [Diagnostic] = []

    func error(_ place: SourcePlace, _ message: String, hint: String? = nil) {
        items.append(Diagnostic(place, message, hint: hint))
    }
}

/// "Did you mean 'hints'?", or nil when nothing is near.
func suggestion(for word: String, among candidates: some Sequence<String>) -> String? {
    let near = candidates.map { ($0, editDistance(word, $0)) }.min { ($0.1, $0.0) < ($1.1, $1.0) }
    guard let near, near.1 <= (word.count < 4 ? 1 : max(2, word.count / 3)) else { return nil }
    return "Did you mean '\(near.0)'?"
}

/// Levenshtein's distance.
func editDistance(_ left: String, _ right: String) -> Int {
    let right = Array(right)
    var row = Array(0...right.count)
    for (i, a) in left.enumerated() {
        var previous = row[0]
        row[0] = i + 1
        for (j, b) in right.enumerated() {
            let cost = a == b ? previous : previous + 1
            previous = row[j + 1]
            row[j + 1] = min(cost, row[j] + 1, previous + 1)
        }
    }
    return row[right.count]
}

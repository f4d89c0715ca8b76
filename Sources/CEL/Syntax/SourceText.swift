/// The text of an expression, by code points, and where its lines begin.
struct SourceText: Sendable {
    let scalars: [Unicode.Scalar]
    private let lineStarts: [Int]

    init(_ text: String) {
        let signs = Array(text.unicodeScalars)
        scalars = signs
        lineStarts = [0] + signs.indices.filter { signs[$0] == "\n" }.map { $0 + 1 }
    }

    func text(_ range: Range<Int>) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars[range])
        return String(text)
    }

    /// Line (from 1) and column (from 0) of a place.
    func location(of offset: Int) -> (line: Int, column: Int) {
        let line = lineStarts.lastIndex { $0 <= offset } ?? 0
        return (line + 1, offset - lineStarts[line])
    }

    private func line(_ number: Int) -> String {
        let start = lineStarts[number - 1]
        let end = number < lineStarts.count ? lineStarts[number] - 1 : scalars.count
        return text(start..<end)
    }

    /// A problem as people read it: the place, what is wrong, the line, and a mark below the place.
    func display(_ problem: Problem) -> String {
        let (line, column) = location(of: problem.offset)
        let shown = self.line(line).map { $0 == "\t" ? " " : String($0) }.joined()
        // Wide signs get wide dots, so that the mark stands below its place.
        let signs = Array(shown.unicodeScalars)
        let dots = signs.prefix(column).map { $0.isASCII ? "." : "\u{FF0E}" }.joined()
        let mark = signs.dropFirst(column).first.map(\.isASCII) ?? true ? "^" : "\u{FF3E}"
        return "ERROR: <input>:\(line):\(column + 1): \(problem.message)\n | \(shown)\n | \(dots)\(mark)"
    }
}

/// One thing that is wrong with an expression.
struct Problem: Sendable, Hashable {
    /// The place, in code points from the beginning.
    let offset: Int
    let message: String
}

/// Why an expression cannot be used, in the words and the form of cel-go.
public struct CompilationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Every problem with its place and the line of source, separated by line breaks.
    public let description: String

    init(_ problems: [Problem], in source: SourceText) {
        var seen: Set<Problem> = []
        let distinct = problems.filter { seen.insert($0).inserted }
        let sorted = distinct.enumerated().sorted { ($0.element.offset, $0.offset) < ($1.element.offset, $1.offset) }
        description = sorted.prefix(100).map { source.display($0.element) }.joined(separator: "\n")
    }
}

/// A way into an object, in the spirit of JSONPath: `spec.ports[name=http].nodePort`.
///
/// Steps are `.member`, `['member with.dots']`, `[0]`, `[*]` and `[key=value]`. `[*]` and `[key=value]` may give
/// several values.
public struct ValuePath: Hashable, Sendable, CustomStringConvertible {
    public enum Step: Hashable, Sendable {
        case member(String)
        case index(Int)
        case all
        /// The elements whose member `key` has this text.
        case filter(key: String, value: String)
    }

    public let steps: [Step]
    /// As it was written.
    public let description: String

    /// What is wrong with a path, and at which character (from 0).
    public struct Fault: Error, Hashable, Sendable {
        public let message: String
        public let offset: Int
    }

    public init(parsing text: String) throws(Fault) {
        var parser = PathParser(text)
        steps = try parser.parse()
        description = text
    }
}

private struct PathParser {
    private let characters: [Character]
    private var position = 0

    init(_ text: String) { characters = Array(text) }

    mutating func parse() throws(ValuePath.Fault) -> [ValuePath.Step] {
        var steps: [ValuePath.Step] = []
        while position < characters.count {
            switch characters[position] {
            case "[": steps.append(try parseBracket())
            case ".":
                guard !steps.isEmpty else { throw fault("a path must not start with '.'") }
                position += 1
                steps.append(try parseMember())
            default:
                guard steps.isEmpty else { throw fault("'.' or '[' is missing") }
                steps.append(try parseMember())
            }
        }
        guard !steps.isEmpty else { throw fault("the path is empty") }
        return steps
    }

    private func fault(_ message: String) -> ValuePath.Fault { ValuePath.Fault(message: message, offset: position) }

    private mutating func parseMember() throws(ValuePath.Fault) -> ValuePath.Step {
        let start = position
        while position < characters.count, characters[position] != ".", characters[position] != "[" { position += 1 }
        guard position > start else { throw fault("a name is missing") }
        return .member(String(characters[start..<position]))
    }

    private mutating func parseBracket() throws(ValuePath.Fault) -> ValuePath.Step {
        position += 1
        guard let end = characters[position...].firstIndex(of: "]") else { throw fault("']' is missing") }
        let inside = String(characters[position..<end])
        defer { position = end + 1 }
        if inside == "*" { return .all }
        if let index = Int(inside), index >= 0 { return .index(index) }
        if inside.count > 2, let quote = inside.first, quote == "'" || quote == "\"", inside.last == quote {
            return .member(String(inside.dropFirst().dropLast()))
        }
        let parts = inside.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
            throw fault("'[\(inside)]' is neither an index, '*', 'key=value' nor a quoted name")
        }
        return .filter(key: parts[0], value: parts[1])
    }
}

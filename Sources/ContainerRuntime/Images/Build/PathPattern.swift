/// A pattern of paths: `*` and `?` within a part, `[a-z]`, `**` for any number of parts, `\` before what is meant as it is.
struct PathPattern: Sendable, Hashable {
    private let parts: [[Character]]

    init(_ text: String) {
        parts = text.split(separator: "/").filter { $0 != "." }.map(Array.init)
    }

    /// Whether the pattern says any path but its own.
    static func isPattern(_ text: String) -> Bool { text.contains { "*?[".contains($0) } }

    func matches(_ path: String) -> Bool {
        Self.match(parts[...], path.split(separator: "/").map(Array.init)[...])
    }

    /// Whether the path or a folder above it matches.
    func covers(_ path: String) -> Bool {
        let all = path.split(separator: "/").map(Array.init)
        return (1...max(1, all.count)).contains { Self.match(parts[...], all.prefix($0)) }
    }

    private static func match(_ pattern: ArraySlice<[Character]>, _ path: ArraySlice<[Character]>) -> Bool {
        guard let first = pattern.first else { return path.isEmpty }
        if first == ["*", "*"] {
            // At the end it means what is inside, not the folder itself.
            if pattern.count == 1 { return !path.isEmpty }
            return (path.startIndex...path.endIndex).contains { match(pattern.dropFirst(), path[$0...]) }
        }
        guard let part = path.first, matchPart(first[...], part[...]) else { return false }
        return match(pattern.dropFirst(), path.dropFirst())
    }

    private static func matchPart(_ pattern: ArraySlice<Character>, _ text: ArraySlice<Character>) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        let rest = pattern.dropFirst()
        switch first {
        case "*": return (text.startIndex...text.endIndex).contains { matchPart(rest, text[$0...]) }
        case "?": return !text.isEmpty && matchPart(rest, text.dropFirst())
        case "[":
            guard let end = rest.dropFirst().firstIndex(of: "]"), let letter = text.first else { return false }
            return matchSet(rest[rest.startIndex..<end], letter) && matchPart(rest[(end + 1)...], text.dropFirst())
        case "\\" where !rest.isEmpty:
            return text.first == rest.first && matchPart(rest.dropFirst(), text.dropFirst())
        default: return text.first == first && matchPart(rest, text.dropFirst())
        }
    }

    private static func matchSet(_ set: ArraySlice<Character>, _ letter: Character) -> Bool {
        let isNegated = set.first == "^"
        var members = isNegated ? set.dropFirst() : set
        var found = false
        while let first = members.popFirst() {
            if members.first == "-", members.count > 1 {
                members.removeFirst()
                if let last = members.popFirst(), first <= last, (first...last).contains(letter) { found = true }
            } else if first == letter {
                found = true
            }
        }
        return found != isNegated
    }
}

/// `.dockerignore`: which files of the context an image never sees.
struct IgnoreList: Sendable {
    private var rules: [(pattern: PathPattern, isException: Bool)] = []

    init(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            var rule = DockerfileParser.trimmed(line)
            guard !rule.isEmpty, !rule.hasPrefix("#") else { continue }
            let isException = rule.hasPrefix("!")
            if isException { rule = DockerfileParser.trimmed(rule.dropFirst()) }
            rules.append((PathPattern(rule), isException))
        }
    }

    /// The last rule that covers a path decides.
    func ignores(_ path: String) -> Bool {
        var isIgnored = false
        for rule in rules where rule.pattern.covers(path) { isIgnored = !rule.isException }
        return isIgnored
    }

    /// Whether a folder that is ignored may hold something that is not.
    var hasExceptions: Bool { rules.contains { $0.isException } }
}

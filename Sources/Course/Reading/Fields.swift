import CourseModel
import Yams

/// Reads the members of one mapping and reports what is missing, mistyped or unknown.
///
/// A required member that is missing reads as an empty value after the error was reported: reading goes on, so that
/// one run shows every fault.
struct Fields {
    /// What the mapping describes, for messages: "a check".
    let what: String
    let place: SourcePlace
    let diagnostics: Diagnostics
    private let members: [(key: String, place: SourcePlace, value: Node)]
    private var used: Set<String> = []

    /// Nil when the node is not a mapping, after that was reported.
    init?(_ node: Node, what: String, file: String, diagnostics: Diagnostics) {
        self.what = what
        self.diagnostics = diagnostics
        place = SourcePlace(node, in: file)
        guard let mapping = node.mapping else {
            diagnostics.error(place, "\(what) must be a mapping of names to values")
            return nil
        }
        members = mapping.map { ($0.key.string ?? "", SourcePlace($0.key, in: file), $0.value) }
    }

    func has(_ key: String) -> Bool { members.contains { $0.key == key } }

    /// The place of a member, or that of the mapping.
    func place(of key: String) -> SourcePlace { members.first { $0.key == key }?.place ?? place }

    /// The place of a member's value.
    func valuePlace(of key: String) -> SourcePlace {
        members.first { $0.key == key }.map { SourcePlace($0.value, in: place.file) } ?? place
    }

    mutating func node(_ key: String) -> Node? {
        used.insert(key)
        return members.first { $0.key == key }?.value
    }

    private mutating func required(_ key: String) -> Node? {
        let node = node(key)
        if node == nil { diagnostics.error(place, "\(what) needs '\(key)'") }
        return node
    }

    /// A text that must not be empty.
    mutating func text(_ key: String) -> String {
        guard let node = required(key) else { return "" }
        return text(of: node, key) ?? ""
    }

    mutating func optionalText(_ key: String) -> String? {
        node(key).flatMap { text(of: $0, key) }
    }

    private func text(of node: Node, _ key: String) -> String? {
        guard let text = node.scalar?.string else {
            diagnostics.error(SourcePlace(node, in: place.file), "'\(key)' must be a text")
            return nil
        }
        let trimmed = text.trimmedEnd
        if trimmed.isEmpty { diagnostics.error(place(of: key), "'\(key)' is empty") }
        return trimmed
    }

    mutating func id<ID: TextID>(_ key: String, as type: ID.Type = ID.self) -> ID {
        let id = ID(rawValue: text(key))
        if !id.rawValue.isEmpty, !id.isWellFormed {
            diagnostics.error(
                valuePlace(of: key), "'\(id)' is not an id",
                hint: "Use lower-case letters, digits and hyphens, starting with a letter.")
        }
        return id
    }

    mutating func ids<ID: TextID>(_ key: String, as type: ID.Type = ID.self) -> [(id: ID, place: SourcePlace)] {
        list(key).compactMap { node in
            guard let text = node.scalar?.string else {
                diagnostics.error(SourcePlace(node, in: place.file), "'\(key)' must be a list of ids")
                return nil
            }
            return (ID(rawValue: text), SourcePlace(node, in: place.file))
        }
    }

    mutating func int(_ key: String, in range: ClosedRange<Int> = 0...1_000_000) -> Int {
        guard let node = required(key) else { return range.lowerBound }
        return int(of: node, key, in: range)
    }

    mutating func optionalInt(_ key: String, in range: ClosedRange<Int> = 0...1_000_000) -> Int? {
        node(key).map { int(of: $0, key, in: range) }
    }

    private func int(of node: Node, _ key: String, in range: ClosedRange<Int>) -> Int {
        guard case .int = YAMLValue(node), let number = node.int, range.contains(number) else {
            diagnostics.error(
                SourcePlace(node, in: place.file),
                "'\(key)' must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            return range.lowerBound
        }
        return number
    }

    /// A duration such as `90s`; `fallback` when it is not given.
    mutating func duration(_ key: String, or fallback: Duration) -> Duration {
        guard let node = node(key) else { return fallback }
        guard let duration = node.scalar.flatMap({ Duration(parsing: $0.string) }) else {
            diagnostics.error(
                SourcePlace(node, in: place.file), "'\(node.scalar?.string ?? "")' is not a duration",
                hint: "Write for example '500ms', '30s' or '2m'.")
            return fallback
        }
        return duration
    }

    /// The elements of a list; empty when it is not given.
    mutating func list(_ key: String) -> [Node] {
        guard let node = node(key) else { return [] }
        guard let sequence = node.sequence else {
            diagnostics.error(SourcePlace(node, in: place.file), "'\(key)' must be a list")
            return []
        }
        return Array(sequence)
    }

    mutating func requiredList(_ key: String) -> [Node] {
        guard required(key) != nil else { return [] }
        let list = list(key)
        if list.isEmpty { diagnostics.error(place(of: key), "'\(key)' is empty") }
        return list
    }

    mutating func texts(_ key: String) -> [String] {
        list(key).compactMap { node in
            guard let text = node.scalar?.string else {
                diagnostics.error(SourcePlace(node, in: place.file), "'\(key)' must be a list of texts")
                return nil
            }
            return text
        }
    }

    mutating func fields(_ key: String, what: String) -> Fields? {
        guard let node = required(key) else { return nil }
        return Fields(node, what: what, file: place.file, diagnostics: diagnostics)
    }

    /// Reports every member that was not asked for.
    func finish() {
        for member in members where !used.contains(member.key) {
            diagnostics.error(
                member.place, "\(what) has no '\(member.key)'", hint: suggestion(for: member.key, among: used.sorted()))
        }
    }

    /// Reads `version` and says whether this program knows it.
    mutating func checkVersion(_ known: Int = 1) {
        guard let node = node("version") else {
            diagnostics.error(
                SourcePlace(file: place.file), "the version number is missing",
                hint: "Write 'version: \(known)' as the first line.")
            return
        }
        guard let version = node.int, version == known else {
            diagnostics.error(
                SourcePlace(node, in: place.file),
                "version '\(node.scalar?.string ?? "?")' is not known: this program reads version \(known)")
            return
        }
    }
}

extension SourcePlace {
    init(_ node: Node, in file: String) {
        self.init(file: file, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
    }
}

extension String {
    /// Without white space at the end: what YAML's block texts leave there.
    var trimmedEnd: String {
        var copy = self[...]
        while let last = copy.last, last.isWhitespace { copy.removeLast() }
        return String(copy)
    }

    var trimmed: String { String(trimmedEnd.drop(while: \.isWhitespace)) }
}

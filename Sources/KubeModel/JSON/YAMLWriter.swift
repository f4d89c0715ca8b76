extension JSONValue {
    /// The value as YAML in block style, with the members of objects in the order of their names.
    public var yaml: String { YAMLWriter.text(self) }
}

private enum YAMLWriter {
    static func text(_ value: JSONValue) -> String {
        var text = ""
        switch value {
        case .object(let members) where !members.isEmpty: write(members, depth: 0, into: &text)
        case .array(let elements) where !elements.isEmpty: write(elements, depth: 0, into: &text)
        default: text = scalar(value, depth: 0) + "\n"
        }
        return text
    }

    private static func write(_ members: JSONObject, depth: Int, into text: inout String, isInline: Bool = false) {
        var isInline = isInline
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            if !isInline { text += String(repeating: "  ", count: depth) }
            isInline = false
            text += key(name) + ":"
            switch value {
            case .object(let inner) where !inner.isEmpty:
                text += "\n"
                write(inner, depth: depth + 1, into: &text)
            case .array(let inner) where !inner.isEmpty:
                text += "\n"
                write(inner, depth: depth, into: &text)
            default: text += " " + scalar(value, depth: depth + 1) + "\n"
            }
        }
    }

    private static func write(_ elements: [JSONValue], depth: Int, into text: inout String) {
        for element in elements {
            text += String(repeating: "  ", count: depth) + "- "
            switch element {
            case .object(let inner) where !inner.isEmpty: write(inner, depth: depth + 1, into: &text, isInline: true)
            case .array(let inner) where !inner.isEmpty:
                // An array in an array begins on the line of its dash.
                var nested = ""
                write(inner, depth: depth + 1, into: &nested)
                text += nested.drop { $0 == " " }
            default: text += scalar(element, depth: depth + 1) + "\n"
            }
        }
    }

    private static func key(_ name: String) -> String { scalar(.string(name), depth: nil) }

    /// - Parameter depth: Nil where text cannot go over several lines.
    private static func scalar(_ value: JSONValue, depth: Int?) -> String {
        switch value {
        case .null: return "null"
        case .object: return "{}"
        case .array: return "[]"
        case .string(let text):
            if text.isEmpty { return "\"\"" }
            let isPrintable = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F || $0 == "\n" }
            if !isPrintable { return JSONValue.string(text).text }
            if text.contains("\n") {
                // What begins with white space, or has lines of nothing but it, would not come back as it was.
                guard let depth, text.first?.isWhitespace == false, !text.contains("\n\n\n") else {
                    return JSONValue.string(text).text
                }
                return block(text, depth: depth)
            }
            if readsAsOther(text) { return JSONValue.string(text).text }
            return isPlain(text) ? text : "'" + text.replacing("'", with: "''") + "'"
        default: return value.text
        }
    }

    /// Text over several lines, each on its own, indented.
    private static func block(_ text: String, depth: Int) -> String {
        let indent = String(repeating: "  ", count: depth)
        let ending = text.hasSuffix("\n\n") ? "+" : text.hasSuffix("\n") ? "" : "-"
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if text.hasSuffix("\n") { lines.removeLast() }
        return "|" + ending + lines.map { $0.isEmpty ? "\n" : "\n\(indent)\($0)" }.joined()
    }

    private static let words: Set<String> = [
        "null", "~", "true", "false", "yes", "no", "on", "off", "y", "n", ".nan", ".inf", "-.inf", "+.inf", "<<", "=",
    ]

    /// Whether YAML would take the text for a number, a date, a truth value or nothing.
    private static func readsAsOther(_ text: String) -> Bool {
        if words.contains(text.lowercased()) { return true }
        guard let first = text.utf8.first else { return true }
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard digits.contains(first) || "+-.".utf8.contains(first) else { return false }
        if Double(text) != nil || text.hasPrefix("0x") || text.hasPrefix("0o") || text.hasPrefix("0b") { return true }
        // Dates, numbers with underscores, and numbers to the base of sixty.
        return text.utf8.allSatisfy { digits.contains($0) || "+-_.:eETZ".utf8.contains($0) }
    }

    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, let last = text.unicodeScalars.last else { return false }
        if "-?:,[]{}#&*!|>'\"%@`".unicodeScalars.contains(first) {
            let second = text.unicodeScalars.dropFirst().first
            guard "-?:".unicodeScalars.contains(first), let second, second != " " else { return false }
        }
        if first == " " || last == " " || last == ":" { return false }
        return !text.contains(": ") && !text.contains(" #")
    }
}

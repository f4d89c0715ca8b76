/// Breaks text into lines that fit.
public enum TextWrap {
    /// Lines of at most `columns` columns, broken at spaces; a word longer than a line is cut.
    ///
    /// Line breaks in the text are kept, and so is the indentation of a line.
    public static func lines(_ text: String, columns: Int) -> [String] {
        guard columns > 0 else { return [] }
        return text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { wrap(String($0), columns) }
    }

    private static func wrap(_ text: String, _ columns: Int) -> [String] {
        // What fits stays as it is, so that the columns of a table do too.
        if TextWidth.of(text) <= columns { return [text] }
        let indent = String(text.prefix { $0 == " " }.prefix(columns / 2))
        var lines: [String] = []
        var line = indent
        var isEmpty = true
        for word in text.split(separator: " ") {
            var word = String(word)
            if !isEmpty, TextWidth.of(line) + 1 + TextWidth.of(word) <= columns {
                line += " " + word
                continue
            }
            if !isEmpty {
                lines.append(line)
                line = indent
            }
            while TextWidth.of(line) + TextWidth.of(word) > columns {
                let head = truncate(word, columns: columns - TextWidth.of(line), ellipsis: "")
                guard !head.isEmpty else { break }
                lines.append(line + head)
                word.removeFirst(head.count)
                line = indent
            }
            line += word
            isEmpty = false
        }
        lines.append(line)
        return lines
    }

    /// The text, cut to `columns` columns; where something was cut, the end says so.
    public static func truncate(_ text: String, columns: Int, ellipsis: String = "~") -> String {
        guard TextWidth.of(text) > columns else { return text }
        var cut = ""
        var used = 0
        let room = columns - TextWidth.of(ellipsis)
        for character in text {
            let width = TextWidth.of(character)
            guard used + width <= room else { break }
            cut.append(character)
            used += width
        }
        return room >= 0 ? cut + ellipsis : ""
    }

    /// The text, cut or filled with spaces to exactly `columns` columns.
    public static func pad(_ text: String, columns: Int) -> String {
        let cut = truncate(text, columns: columns)
        return cut + String(repeating: " ", count: max(0, columns - TextWidth.of(cut)))
    }
}

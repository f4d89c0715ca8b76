/// How much room a text takes in a terminal, for linting content without one.
public enum TextMeasure {
    /// Columns that the text takes: wide East Asian characters and emoji take two.
    public static func width(_ text: String) -> Int { text.reduce(0) { $0 + width($1) } }

    static func width(_ character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF:
            return 2
        default: return character.unicodeScalars.contains { $0.value == 0xFE0F } ? 2 : 1
        }
    }

    /// The text in rows of at most `columns`, broken at spaces; a word that is longer than a row is cut.
    public static func wrap(_ text: String, columns: Int) -> [String] {
        precondition(columns > 0, "cannot wrap to \(columns) columns")
        var rows: [String] = []
        for paragraph in text.split(separator: "\n", omittingEmptySubsequences: false) {
            var row = ""
            for word in paragraph.split(separator: " ") {
                var rest = word[...]
                if !row.isEmpty, width(row) + 1 + width(String(rest)) > columns {
                    rows.append(row)
                    row = ""
                }
                while width(String(rest)) > columns {
                    let head = rest.prefix(columns)
                    rows.append(String(head))
                    rest = rest.dropFirst(head.count)
                }
                row += row.isEmpty ? String(rest) : " " + rest
            }
            rows.append(row)
        }
        return rows
    }
}

/// The names by which expressions know the members of objects.
///
/// Source: Kubernetes docs, "CustomResourceDefinitions", "Validation rules", escaping.
enum ExpressionName {
    private static let reserved: Set<String> = [
        "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import",
        "let", "loop", "package", "namespace", "return", "var", "void", "while",
    ]

    /// `a.b-c` as `a__dot__b__dash__c`; nil for names that expressions cannot reach.
    static func escape(_ name: String) -> String? {
        guard let first = name.utf8.first, !(48...57).contains(first) else { return nil }
        if reserved.contains(name) { return "__\(name)__" }
        guard name.utf8.contains(where: { $0 == 0x5F || !$0.isWord }) else { return name }
        var escaped = ""
        var rest = name.unicodeScalars[...]
        while let sign = rest.popFirst() {
            switch sign {
            case "_" where rest.first == "_":
                rest.removeFirst()
                escaped += "__underscores__"
            case ".": escaped += "__dot__"
            case "-": escaped += "__dash__"
            case "/": escaped += "__slash__"
            case "_", "0"..."9", "a"..."z", "A"..."Z": escaped.unicodeScalars.append(sign)
            default: return nil
            }
        }
        return escaped
    }

    /// Whether a text is a name that an expression can use for a variable.
    static func isIdentifier(_ text: String) -> Bool {
        guard let first = text.utf8.first, first == 0x5F || first.isWord, !(48...57).contains(first) else {
            return false
        }
        return text.utf8.allSatisfy { $0 == 0x5F || $0.isWord } && !reserved.contains(text)
    }
}

extension UInt8 {
    fileprivate var isWord: Bool { (48...57).contains(self) || (65...90).contains(self) || (97...122).contains(self) }
}

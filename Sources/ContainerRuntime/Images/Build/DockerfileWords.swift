/// Words of an instruction: split at blanks, quotes taken off, variables filled in.
struct DockerfileWords {
    /// What variables are replaced by.
    var variables: [String: String]
    var escape: Character = "\\"

    /// A text with its variables filled in, quotes taken off: one word, blanks and all.
    func expand(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        var quote: Character?
        while let character = rest.first {
            rest.removeFirst()
            if character == escape, quote != "'" {
                // A backslash that escapes nothing in double quotes stays.
                if let next = rest.first, quote == nil || next == "\"" || next == "$" || next == escape {
                    result.append(next)
                    rest.removeFirst()
                } else {
                    result.append(character)
                }
            } else if character == quote {
                quote = nil
            } else if quote == nil, character == "'" || character == "\"" {
                quote = character
            } else if character == "$", quote != "'" {
                result += variable(&rest)
            } else {
                result.append(character)
            }
        }
        return result
    }

    /// The words of a text, each with its variables filled in.
    func words(_ text: String) -> [String] { split(text).map(expand) }

    /// The words of a text as they are, quotes and all: blanks in quotes and escaped ones do not split.
    func split(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        var quote: Character?
        var isEscaped = false
        for character in text {
            if isEscaped {
                word.append(character)
                isEscaped = false
            } else if character == escape, quote != "'" {
                word.append(character)
                isEscaped = true
            } else if quote == nil, character.isWhitespace {
                if !word.isEmpty { words.append(word) }
                word = ""
            } else {
                if character == quote {
                    quote = nil
                } else if quote == nil, character == "'" || character == "\"" {
                    quote = character
                }
                word.append(character)
            }
        }
        if !word.isEmpty { words.append(word) }
        return words
    }

    /// What stands for `$NAME`, `${NAME}`, `${NAME:-other}` or `${NAME:+other}`; `rest` begins after the dollar sign.
    private func variable(_ rest: inout Substring) -> String {
        if rest.first == "{", let end = closing(rest) {
            let inside = rest[rest.index(after: rest.startIndex)..<end]
            rest = rest[rest.index(after: end)...]
            let name = inside.prefix { Self.isNamePart($0) }
            let value = variables[String(name)]
            let change = inside[name.endIndex...]
            let isSet = change.hasPrefix(":") ? !(value ?? "").isEmpty : value != nil
            let operation = change.hasPrefix(":") ? change.dropFirst() : change
            switch operation.first {
            case "-": return isSet ? value ?? "" : expand(String(operation.dropFirst()))
            case "+": return isSet ? expand(String(operation.dropFirst())) : ""
            default: return value ?? ""
            }
        }
        let name = rest.prefix { Self.isNamePart($0) }
        guard let first = name.first, !first.isNumber else { return "$" }
        rest = rest[name.endIndex...]
        return variables[String(name)] ?? ""
    }

    private func closing(_ text: Substring) -> Substring.Index? {
        var depth = 0
        for index in text.indices {
            if text[index] == "{" { depth += 1 }
            if text[index] == "}" {
                depth -= 1
                if depth == 0 { return index }
            }
        }
        return nil
    }

    private static func isNamePart(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || character == "_")
    }

    /// `NAME=value` pairs, or the old form `NAME value with blanks`; nil where a word is no pair.
    func pairs(_ text: String) -> [(name: String, value: String)]? {
        let words = split(text)
        guard let first = words.first else { return nil }
        if !first.contains("=") {
            guard words.count > 1 else { return nil }
            return [(expand(first), expand(DockerfileParser.trimmed(text.dropFirst(first.count))))]
        }
        var pairs: [(name: String, value: String)] = []
        for word in words {
            guard let equals = word.firstIndex(of: "="), equals != word.startIndex else { return nil }
            pairs.append((expand(String(word[..<equals])), expand(String(word[word.index(after: equals)...]))))
        }
        return pairs
    }
}

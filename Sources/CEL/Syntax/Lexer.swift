/// Cuts an expression into tokens (cel-spec, `doc/langdef.md`, "Syntax").
struct Lexer {
    private let source: SourceText
    private var place = 0
    private(set) var problems: [Problem] = []

    init(_ source: SourceText) { self.source = source }

    private func sign(at offset: Int) -> Unicode.Scalar? {
        offset < source.scalars.count ? source.scalars[offset] : nil
    }

    mutating func tokens() -> [Token] {
        var tokens: [Token] = []
        while true {
            skipBlanks()
            guard let first = sign(at: place) else {
                tokens.append(Token(kind: .end, text: "<EOF>", offset: place))
                return tokens
            }
            let start = place
            if let kind = literal(first) ?? word(first) ?? symbol(first) {
                tokens.append(Token(kind: kind, text: source.text(start..<place), offset: start))
            } else {
                place = max(place, start + 1)
                complain(start, "Syntax error: token recognition error at: '\(source.text(start..<place))'")
            }
        }
    }

    private mutating func complain(_ offset: Int, _ message: String) {
        problems.append(Problem(offset: offset, message: message))
    }

    private mutating func skipBlanks() {
        while let next = sign(at: place) {
            if next == " " || next == "\t" || next == "\n" || next == "\r" || next == "\u{C}" {
                place += 1
            } else if next == "/", sign(at: place + 1) == "/" {
                while let next = sign(at: place), next != "\n" { place += 1 }
            } else {
                return
            }
        }
    }

    // MARK: Words and operators

    private static let words: Set<String> = ["in", "true", "false", "null"]

    private mutating func word(_ first: Unicode.Scalar) -> Token.Kind? {
        guard first.isWordStart else { return nil }
        let start = place
        while let next = sign(at: place), next.isWordStart || next.isDigit { place += 1 }
        return Self.words.contains(source.text(start..<place)) ? .sign : .identifier
    }

    private static let pairs: Set<String> = ["==", "!=", "<=", ">=", "&&", "||"]
    private static let singles: Set<Unicode.Scalar> = [
        "<", ">", "!", "(", ")", "[", "]", "{", "}", ".", ",", "-", "+", "*", "/", "%", "?", ":",
    ]

    private mutating func symbol(_ first: Unicode.Scalar) -> Token.Kind? {
        let end = min(place + 2, source.scalars.count)
        if Self.pairs.contains(source.text(place..<end)) {
            place += 2
            return .sign
        }
        guard Self.singles.contains(first) else {
            // Half of a pair takes the sign after it along.
            if first == "=" || first == "&" || first == "|" { place = end }
            return nil
        }
        place += 1
        return .sign
    }

    // MARK: Literals

    private mutating func literal(_ first: Unicode.Scalar) -> Token.Kind? {
        if first.isDigit || (first == "." && sign(at: place + 1)?.isDigit == true) { return number() }
        return text()
    }

    private mutating func number() -> Token.Kind {
        let start = place
        if sign(at: place) == "0", sign(at: place + 1) == "x" || sign(at: place + 1) == "X",
            sign(at: place + 2)?.hexValue != nil
        {
            place += 2
            while let next = sign(at: place), next.hexValue != nil { place += 1 }
            let digits = source.text(start + 2..<place)
            return integer(digits, radix: 16)
        }
        while let next = sign(at: place), next.isDigit { place += 1 }
        var isDouble = false
        if sign(at: place) == ".", sign(at: place + 1)?.isDigit == true {
            isDouble = true
            place += 1
            while let next = sign(at: place), next.isDigit { place += 1 }
        }
        if let letter = sign(at: place), letter == "e" || letter == "E" {
            var next = place + 1
            if sign(at: next) == "+" || sign(at: next) == "-" { next += 1 }
            if sign(at: next)?.isDigit == true {
                isDouble = true
                place = next
                while let next = sign(at: place), next.isDigit { place += 1 }
            }
        }
        let digits = source.text(start..<place)
        if isDouble { return Double(digits).map { .double($0) } ?? .badNumber("double") }
        return integer(digits, radix: 10)
    }

    /// A whole number; one that only fits with a minus before it becomes that, for the parser to look at.
    private mutating func integer(_ digits: String, radix: Int) -> Token.Kind {
        if sign(at: place) == "u" || sign(at: place) == "U" {
            place += 1
            return UInt64(digits, radix: radix).map { .uint($0) } ?? .badNumber("uint")
        }
        return Int64(digits, radix: radix).map { .int($0) } ?? .badNumber("int")
    }

    /// A text or bytes literal, with its prefixes; nil, with nothing taken, if there is none.
    private mutating func text() -> Token.Kind? {
        let start = place
        var isRaw = false
        var isBytes = false
        var next = place
        while let letter = sign(at: next), next - start < 2 {
            if !isRaw, letter == "r" || letter == "R" {
                isRaw = true
            } else if !isBytes, letter == "b" || letter == "B" {
                isBytes = true
            } else {
                break
            }
            next += 1
        }
        guard let quote = sign(at: next), quote == "\"" || quote == "'" else { return nil }
        let isTriple = sign(at: next + 1) == quote && sign(at: next + 2) == quote
        next += isTriple ? 3 : 1
        let body = next
        while true {
            guard let sign = sign(at: next), isTriple || (sign != "\n" && sign != "\r") else {
                place = min(next, source.scalars.count)
                return nil
            }
            if sign == quote, !isTriple || (self.sign(at: next + 1) == quote && self.sign(at: next + 2) == quote) {
                break
            }
            next += sign == "\\" && !isRaw ? 2 : 1
        }
        place = next + (isTriple ? 3 : 1)
        let signs = source.scalars[body..<min(next, source.scalars.count)]
        var escapes = Escapes(signs: signs, isRaw: isRaw, isBytes: isBytes)
        do throws(Problem.Unescapable) {
            return isBytes ? .bytes(try escapes.bytes()) : .string(try escapes.text())
        } catch {
            complain(start, error.message)
            return isBytes ? .bytes([]) : .string("")
        }
    }
}

extension Unicode.Scalar {
    var isDigit: Bool { self >= "0" && self <= "9" }

    var isWordStart: Bool { self >= "a" && self <= "z" || self >= "A" && self <= "Z" || self == "_" }

    var hexValue: UInt32? {
        switch self {
        case "0"..."9": value - 48
        case "a"..."f": value - 87
        case "A"..."F": value - 55
        default: nil
        }
    }
}

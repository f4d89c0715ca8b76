/// What a regular expression means, as a tree.
indirect enum Pattern: Sendable {
    case nothing
    case sign(SignClass)
    case sequence([Pattern])
    case choice([Pattern])
    case repeated(Pattern, min: Int, max: Int?, isGreedy: Bool)
    case assert(RegularExpression.Assertion)
}

/// Reads the syntax of RE2.
struct PatternParser {
    typealias SyntaxError = RegularExpression.SyntaxError

    private struct Flags {
        var foldsCase = false
        var isMultiLine = false
        var dotTakesAll = false
        var isUngreedy = false
    }

    private let signs: [Unicode.Scalar]
    private var place = 0
    private var flags = Flags()
    private var depth = 0
    private static let depthMax = 250
    private static let repeatMax = 1000

    init(_ text: String) { signs = Array(text.unicodeScalars) }

    private var current: Unicode.Scalar? { place < signs.count ? signs[place] : nil }

    private func text(from start: Int, to end: Int? = nil) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: signs[start..<min(end ?? signs.count, signs.count)])
        return String(text)
    }

    private mutating func take(_ sign: Unicode.Scalar) -> Bool {
        guard current == sign else { return false }
        place += 1
        return true
    }

    private mutating func take(_ word: String) -> Bool {
        let wanted = Array(word.unicodeScalars)
        guard signs[place...].starts(with: wanted) else { return false }
        place += wanted.count
        return true
    }

    mutating func pattern() throws(SyntaxError) -> Pattern {
        let pattern = try choice()
        guard current == nil else { throw SyntaxError("unexpected )", text(from: 0)) }
        return pattern
    }

    private mutating func choice() throws(SyntaxError) -> Pattern {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthMax else { throw SyntaxError("expression nests too deeply", text(from: 0)) }
        var ways = [try sequence()]
        while take("|" as Unicode.Scalar) { ways.append(try sequence()) }
        return ways.count == 1 ? ways[0] : .choice(ways)
    }

    private mutating func sequence() throws(SyntaxError) -> Pattern {
        var parts: [Pattern] = []
        while let sign = current, sign != "|", sign != ")" {
            let start = place
            guard let atom = try atom() else { continue }
            parts.append(try repeated(atom, from: start))
        }
        return parts.count == 1 ? parts[0] : parts.isEmpty ? .nothing : .sequence(parts)
    }

    // MARK: Repetition

    private mutating func repeated(_ atom: Pattern, from start: Int) throws(SyntaxError) -> Pattern {
        var pattern = atom
        var count = 0
        while let (min, max, operatorStart) = try quantifier() {
            count += 1
            guard count == 1 else {
                throw SyntaxError("invalid nested repetition operator", text(from: operatorStart - 1, to: place))
            }
            var isGreedy = !flags.isUngreedy
            if take("?" as Unicode.Scalar) { isGreedy.toggle() }
            pattern = .repeated(pattern, min: min, max: max, isGreedy: isGreedy)
        }
        return pattern
    }

    private mutating func quantifier() throws(SyntaxError) -> (min: Int, max: Int?, start: Int)? {
        let start = place
        switch current {
        case "*":
            place += 1
            return (0, nil, start)
        case "+":
            place += 1
            return (1, nil, start)
        case "?":
            place += 1
            return (0, 1, start)
        case "{":
            place += 1
            guard let min = number() else { break }
            var max: Int? = min
            if take("," as Unicode.Scalar) { max = number() }
            guard take("}" as Unicode.Scalar) else { break }
            guard min <= Self.repeatMax, max ?? min <= Self.repeatMax, max ?? min >= min else {
                throw SyntaxError("invalid repeat count", text(from: start, to: place))
            }
            return (min, max, start)
        default: return nil
        }
        // Braces that are no count stand for themselves.
        place = start
        return nil
    }

    private mutating func number() -> Int? {
        var digits = ""
        while let sign = current, sign.isDigit {
            digits.unicodeScalars.append(sign)
            place += 1
        }
        return digits.isEmpty ? nil : Int(digits) ?? .max
    }

    // MARK: Atoms

    private mutating func atom() throws(SyntaxError) -> Pattern? {
        guard let sign = current else { return nil }
        switch sign {
        case "(": return try group()
        case "[": return .sign(try bracket())
        case ".":
            place += 1
            return .sign(
                flags.dotTakesAll ? SignClass().negated() : SignClass(ranges: ["\n"..."\n"], isNegated: true))
        case "^":
            place += 1
            return .assert(flags.isMultiLine ? .lineStart : .textStart)
        case "$":
            place += 1
            return .assert(flags.isMultiLine ? .lineEnd : .textEnd)
        case "*", "+", "?": throw SyntaxError("missing argument to repetition operator", String(sign))
        case "\\": return try escaped()
        default:
            place += 1
            return .sign(SignClass(sign, foldsCase: flags.foldsCase))
        }
    }

    /// A group; nil for one that only sets flags for what follows.
    private mutating func group() throws(SyntaxError) -> Pattern? {
        let start = place
        let outer = flags
        place += 1
        if take("?" as Unicode.Scalar) {
            if take("P<") || take("<") {
                let nameStart = place
                while let sign = current, sign.isWordStart || sign.isDigit { place += 1 }
                guard place > nameStart, take(">" as Unicode.Scalar) else {
                    throw SyntaxError("invalid named capture", text(from: start, to: place + 1))
                }
            } else if try !readFlags(from: start) {
                return nil
            }
        }
        let inner = try choice()
        guard take(")" as Unicode.Scalar) else { throw SyntaxError("missing closing )", text(from: 0)) }
        flags = outer
        return inner
    }

    /// Reads `i)` or `i-s:`.
    ///
    /// - Returns: Whether a group follows for which the flags hold.
    private mutating func readFlags(from start: Int) throws(SyntaxError) -> Bool {
        var isSetting = true
        while let sign = current {
            place += 1
            switch sign {
            case "i": flags.foldsCase = isSetting
            case "m": flags.isMultiLine = isSetting
            case "s": flags.dotTakesAll = isSetting
            case "U": flags.isUngreedy = isSetting
            case "-" where isSetting: isSetting = false
            case ":": return true
            case ")": return false
            default: throw SyntaxError("invalid or unsupported Perl syntax", text(from: start, to: place))
            }
        }
        throw SyntaxError("missing closing )", text(from: 0))
    }

    private mutating func escaped() throws(SyntaxError) -> Pattern {
        let start = place
        place += 1
        guard let letter = current else { throw SyntaxError("trailing backslash at end of expression", "") }
        switch letter {
        case "A": place += 1; return .assert(.textStart)
        case "z": place += 1; return .assert(.textEnd)
        case "b": place += 1; return .assert(.wordBoundary)
        case "B": place += 1; return .assert(.noWordBoundary)
        case "Q":
            place += 1
            var parts: [Pattern] = []
            while let sign = current, !take("\\E") {
                parts.append(.sign(SignClass(sign, foldsCase: flags.foldsCase)))
                place += 1
            }
            return .sequence(parts)
        default:
            if let known = try perlClass(from: start) { return .sign(known) }
            return .sign(SignClass(try escapedSign(from: start), foldsCase: flags.foldsCase))
        }
    }

    /// `\d`, `\pL`, `\p{Greek}`; nil, with nothing taken, for other letters.
    private mutating func perlClass(from start: Int) throws(SyntaxError) -> SignClass? {
        guard let letter = current else { return nil }
        switch letter {
        case "d": place += 1; return .digits
        case "D": place += 1; return SignClass.digits.negated()
        case "s": place += 1; return .spaces
        case "S": place += 1; return SignClass.spaces.negated()
        case "w": place += 1; return .words
        case "W": place += 1; return SignClass.words.negated()
        case "p", "P":
            place += 1
            var name = ""
            if take("{" as Unicode.Scalar) {
                while let sign = current, sign != "}" {
                    name.unicodeScalars.append(sign)
                    place += 1
                }
                if !take("}" as Unicode.Scalar) { name = "" }
            } else if let sign = current {
                name = String(sign)
                place += 1
            }
            let isNegated = (letter == "P") != name.hasPrefix("^")
            if name.hasPrefix("^") { name.removeFirst() }
            guard let category = SignClass(category: name, isNegated: isNegated) else {
                throw SyntaxError("invalid character class range", text(from: start, to: place))
            }
            return category
        default: return nil
        }
    }

    private static let control: [Unicode.Scalar: Unicode.Scalar] = [
        "a": "\u{7}", "f": "\u{C}", "n": "\n", "r": "\r", "t": "\t", "v": "\u{B}",
    ]

    /// The sign behind a backslash.
    private mutating func escapedSign(from start: Int) throws(SyntaxError) -> Unicode.Scalar {
        guard let letter = current else { throw SyntaxError("trailing backslash at end of expression", "") }
        place += 1
        if let sign = Self.control[letter] { return sign }
        var digits = ""
        switch letter {
        case "x":
            if take("{" as Unicode.Scalar) {
                while let sign = current, sign.hexValue != nil, digits.count < 8 {
                    digits.unicodeScalars.append(sign)
                    place += 1
                }
                _ = take("}" as Unicode.Scalar)
            } else {
                while let sign = current, sign.hexValue != nil, digits.count < 2 {
                    digits.unicodeScalars.append(sign)
                    place += 1
                }
            }
            if let scalar = UInt32(digits, radix: 16).flatMap(Unicode.Scalar.init) { return scalar }
        case "0"..."7":
            digits = String(letter)
            while let sign = current, sign >= "0", sign <= "7", digits.count < 3 {
                digits.unicodeScalars.append(sign)
                place += 1
            }
            // One digit other than 0 would be a reference to a group.
            if letter == "0" || digits.count > 1, let scalar = UInt32(digits, radix: 8).flatMap(Unicode.Scalar.init) {
                return scalar
            }
        default: if letter.isASCII, !letter.isWordStart, !letter.isDigit || letter == "_" { return letter }
        }
        if letter == "_" { return letter }
        throw SyntaxError("invalid escape sequence", text(from: start, to: place))
    }

    // MARK: Bracket expressions

    private mutating func bracket() throws(SyntaxError) -> SignClass {
        let start = place
        place += 1
        var set = SignClass()
        set.foldsCase = flags.foldsCase
        set.isNegated = take("^" as Unicode.Scalar)
        var isFirst = true
        while let sign = current, sign != "]" || isFirst {
            isFirst = false
            if take("[:") {
                let nameStart = place
                while let sign = current, sign != ":" { _ = sign; place += 1 }
                var name = text(from: nameStart, to: place)
                let isNegated = name.hasPrefix("^")
                if isNegated { name.removeFirst() }
                guard take(":]"), let ranges = SignClass.named[name] else {
                    throw SyntaxError("invalid character class range", text(from: nameStart - 2, to: place))
                }
                set.add(SignClass(ranges: ranges, isNegated: isNegated))
                continue
            }
            let partStart = place
            if sign == "\\" {
                place += 1
                if let known = try perlClass(from: partStart) {
                    set.add(known)
                    continue
                }
                place = partStart
            }
            let low = try bracketSign()
            var high = low
            if current == "-", place + 1 < signs.count, signs[place + 1] != "]" {
                place += 1
                high = try bracketSign()
            }
            guard low <= high else {
                throw SyntaxError("invalid character class range", text(from: partStart, to: place))
            }
            set.add(low.value...high.value)
        }
        guard take("]" as Unicode.Scalar) else { throw SyntaxError("missing closing ]", text(from: start)) }
        return set
    }

    private mutating func bracketSign() throws(SyntaxError) -> Unicode.Scalar {
        guard let sign = current else { throw SyntaxError("missing closing ]", text(from: 0)) }
        let start = place
        place += 1
        return sign == "\\" ? try escapedSign(from: start) : sign
    }
}

extension Problem {
    /// What is wrong with an escape in a literal.
    struct Unescapable: Error {
        let message: String
    }
}

/// Reads what stands between the quotes of a literal.
struct Escapes {
    private let signs: [Unicode.Scalar]
    private let isRaw: Bool
    private let isBytes: Bool
    private var place = 0

    init(signs: some Sequence<Unicode.Scalar>, isRaw: Bool, isBytes: Bool) {
        self.signs = Array(signs)
        self.isRaw = isRaw
        self.isBytes = isBytes
    }

    mutating func text() throws(Problem.Unescapable) -> String {
        var text = String.UnicodeScalarView()
        while let (scalar, _) = try next() { text.append(scalar) }
        return String(text)
    }

    mutating func bytes() throws(Problem.Unescapable) -> [UInt8] {
        var bytes: [UInt8] = []
        while let (scalar, isByte) = try next() {
            if isByte { bytes.append(UInt8(scalar.value)) } else { bytes += Array(String(scalar).utf8) }
        }
        return bytes
    }

    private static let simple: [Unicode.Scalar: Unicode.Scalar] = [
        "a": "\u{7}", "b": "\u{8}", "f": "\u{C}", "n": "\n", "r": "\r", "t": "\t", "v": "\u{B}", "\\": "\\",
        "'": "'", "\"": "\"", "`": "`", "?": "?",
    ]

    /// The next sign, and whether it is one byte of a bytes literal.
    private mutating func next() throws(Problem.Unescapable) -> (Unicode.Scalar, isByte: Bool)? {
        guard place < signs.count else { return nil }
        let sign = signs[place]
        place += 1
        guard sign == "\\", !isRaw else { return (sign, false) }
        guard place < signs.count else { throw Problem.Unescapable(message: "unable to unescape string") }
        let letter = signs[place]
        place += 1
        if let scalar = Self.simple[letter] { return (scalar, false) }
        switch letter {
        case "x", "X": return try code(digits: 2, radix: 16, isByte: isBytes)
        case "u" where !isBytes: return try code(digits: 4, radix: 16, isByte: false)
        case "U" where !isBytes: return try code(digits: 8, radix: 16, isByte: false)
        case "0"..."3":
            place -= 1
            return try code(digits: 3, radix: 8, isByte: isBytes)
        default: throw Problem.Unescapable(message: "unable to unescape string")
        }
    }

    private mutating func code(
        digits: Int, radix: UInt32, isByte: Bool
    ) throws(Problem.Unescapable) -> (Unicode.Scalar, isByte: Bool) {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard place < signs.count, let digit = signs[place].hexValue, digit < radix else {
                throw Problem.Unescapable(message: "unable to unescape string")
            }
            value = value * radix + digit
            place += 1
        }
        guard let scalar = Unicode.Scalar(value) else {
            throw Problem.Unescapable(message: "invalid unicode code point")
        }
        return (scalar, isByte)
    }
}

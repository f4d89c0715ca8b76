/// `'%d of %s'.format([1, 'a'])` (cel-go, `ext/formatting.go`).
enum FormatText {
    static func format(_ pattern: String, _ arguments: [Value]) throws(EvaluationError) -> String {
        let signs = Array(pattern.unicodeScalars)
        var result = String.UnicodeScalarView()
        var bytes = 0
        var index = 0
        var next = 0
        while index < signs.count {
            guard signs[index] == "%" else {
                result.append(signs[index])
                index += 1
                continue
            }
            index += 1
            guard index < signs.count else { throw EvaluationError("unexpected end of string") }
            if signs[index] == "%" {
                result.append("%")
                index += 1
                continue
            }
            var precision: Int?
            if signs[index] == "." {
                var digits = ""
                index += 1
                while index < signs.count, signs[index].isDigit {
                    digits.unicodeScalars.append(signs[index])
                    index += 1
                }
                guard let value = Int(digits), value <= 1000, index < signs.count else {
                    throw EvaluationError("could not parse formatting clause: invalid precision")
                }
                precision = value
            }
            guard next < arguments.count else { throw EvaluationError("index \(next) out of range") }
            let part = try clause(signs[index], precision, arguments[next])
            bytes += part.utf8.count
            try Value.checkSize(bytes)
            result.append(contentsOf: part.unicodeScalars)
            next += 1
            index += 1
        }
        return String(result)
    }

    private static func clause(
        _ letter: Unicode.Scalar, _ precision: Int?, _ value: Value
    ) throws(EvaluationError) -> String {
        func wrong(_ what: String, _ allowed: String) -> EvaluationError {
            EvaluationError(
                "error during formatting: \(what) clause can only be used on \(allowed), was given \(value.typeName)")
        }
        switch letter {
        case "s": return try text(value)
        case "d":
            switch value {
            case .int(let number): return "\(number)"
            case .uint(let number): return "\(number)"
            default: throw wrong("decimal", "integers")
            }
        case "f", "e":
            guard let number = number(value) else {
                throw wrong(letter == "f" ? "fixed-point" : "scientific", "doubles")
            }
            return letter == "f" ? fixed(number, precision ?? 6) : scientific(number, precision ?? 6)
        case "b":
            switch value {
            case .int(let number): return String(number, radix: 2)
            case .uint(let number): return String(number, radix: 2)
            case .bool(let bool): return bool ? "1" : "0"
            default: throw wrong("binary", "integers and bools")
            }
        case "o":
            switch value {
            case .int(let number): return String(number, radix: 8)
            case .uint(let number): return String(number, radix: 8)
            default: throw wrong("octal", "integers")
            }
        case "x", "X":
            let isUpper = letter == "X"
            switch value {
            case .int(let number): return String(number, radix: 16, uppercase: isUpper)
            case .uint(let number): return String(number, radix: 16, uppercase: isUpper)
            case .string(let text): return hex(Array(text.utf8), isUpper)
            case .bytes(let bytes): return hex(bytes, isUpper)
            default: throw wrong("hex", "integers, byte buffers, and strings")
            }
        default:
            throw EvaluationError(
                "could not parse formatting clause: unrecognized formatting clause \"\(letter)\"")
        }
    }

    private static func number(_ value: Value) -> Double? {
        switch value {
        case .double(let number): number
        case .int(let number): Double(number)
        case .uint(let number): Double(number)
        default: nil
        }
    }

    private static func hex(_ bytes: [UInt8], _ isUpper: Bool) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: isUpper) }.joined()
    }

    /// Any value as `%s` shows it.
    static func text(_ value: Value) throws(EvaluationError) -> String {
        switch value {
        case .null: return "null"
        case .string(let text): return text
        case .bool(let bool): return "\(bool)"
        case .int(let number): return "\(number)"
        case .uint(let number): return "\(number)"
        case .double(let number):
            if number.isNaN { return "NaN" }
            if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
            return NumberText.plain(number)
        case .bytes(let bytes): return String(decoding: bytes, as: UTF8.self)
        case .duration(let nanoseconds): return DurationText.text(nanoseconds: nanoseconds)
        case .timestamp(let instant): return instant.text
        case .type(let name): return name
        case .list(let list):
            var parts: [String] = []
            var bytes = 0
            for element in list.elements {
                parts.append(try text(element))
                bytes += parts.last?.utf8.count ?? 0
                try Value.checkSize(bytes)
            }
            return "[\(parts.joined(separator: ", "))]"
        case .map(let map):
            var parts: [String] = []
            for (key, value) in zip(map.keys, map.values) { parts.append("\(try text(key)): \(try text(value))") }
            return "{\(parts.sorted().joined(separator: ", "))}"
        default:
            throw EvaluationError(
                "error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, "
                    + "maps, lists, types, durations, and timestamps, was given \(value.typeName)")
        }
    }

    // MARK: Fractions

    private static func special(_ number: Double) -> String? {
        number.isNaN ? "NaN" : number.isInfinite ? (number < 0 ? "-Infinity" : "Infinity") : nil
    }

    /// A number with so many digits behind the point.
    private static func fixed(_ number: Double, _ precision: Int) -> String {
        if let special = special(number) { return special }
        let (whole, digits) = decimal(number.magnitude, precision)
        let sign = number.sign == .minus ? "-" : ""
        return precision == 0 ? "\(sign)\(whole)" : "\(sign)\(whole).\(digits)"
    }

    private static func scientific(_ number: Double, _ precision: Int) -> String {
        if let special = special(number) { return special }
        var exponent = 0
        var mantissa = number.magnitude
        while mantissa >= 10 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
        while mantissa > 0, mantissa < 1 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
        var text = fixed(mantissa, precision)
        if text.hasPrefix("10") {
            text = fixed(mantissa / 10, precision)
            exponent += 1
        }
        let power = abs(exponent)
        return "\(number.sign == .minus ? "-" : "")\(text)e\(exponent < 0 ? "-" : "+")\(power < 10 ? "0" : "")\(power)"
    }

    /// The digits before and behind the point, exactly, rounded to even.
    private static func decimal(_ number: Double, _ precision: Int) -> (whole: String, digits: String) {
        // A double is a whole number times a power of two: long division gives every digit exactly.
        var whole = number.rounded(.down)
        var rest = number - whole
        var digits: [Int] = []
        for _ in 0..<precision {
            rest *= 10
            let digit = rest.rounded(.down)
            digits.append(Int(digit))
            rest -= digit
        }
        if rest > 0.5 || (rest == 0.5 && (digits.last ?? Int(whole.truncatingRemainder(dividingBy: 2))) % 2 == 1) {
            var place = digits.count - 1
            while place >= 0, digits[place] == 9 {
                digits[place] = 0
                place -= 1
            }
            if place >= 0 { digits[place] += 1 } else { whole += 1 }
        }
        return (NumberText.plain(whole), digits.map(String.init).joined())
    }
}

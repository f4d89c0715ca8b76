/// What is wrong with a text that should be JSON, and where.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    public let message: String
    /// Bytes from the start of the text.
    public let offset: Int

    public var description: String { "\(message) at byte \(offset)" }
}

extension JSONValue {
    /// Reads one JSON text (RFC 8259), UTF-8.
    ///
    /// - Parameters:
    ///   - bytes: The whole text; white space around the value is allowed, anything else after it is an error.
    ///   - depthMax: How deep arrays and objects may nest; protects the stack from depth bombs.
    ///   - onDuplicate: Called with the path (`spec.containers[0].name`) of a member that is given twice; the last one
    ///     wins.
    /// - Throws: What is wrong first, and where.
    public init(
        parsing bytes: [UInt8], depthMax: Int = 256, onDuplicate: ((String) -> Void)? = nil
    ) throws(JSONError) {
        var parser = JSONParser(depthMax: depthMax, collectsDuplicates: onDuplicate != nil)
        let outcome: Result<JSONValue, JSONError> = bytes.withUnsafeBufferPointer { buffer in
            do throws(JSONError) { return .success(try parser.parse(buffer)) } catch { return .failure(error) }
        }
        self = try outcome.get()
        if let onDuplicate { parser.duplicates.forEach(onDuplicate) }
    }

    public init(parsing text: String) throws(JSONError) { try self.init(parsing: Array(text.utf8)) }
}

/// A recursive-descent parser over one buffer.
private struct JSONParser {
    let depthMax: Int
    let collectsDuplicates: Bool
    var duplicates: [String] = []
    /// The steps to the value that is read, as `.name` and `[0]`.
    private var path: [String] = []
    private var position = 0

    init(depthMax: Int, collectsDuplicates: Bool) {
        self.depthMax = depthMax
        self.collectsDuplicates = collectsDuplicates
    }

    mutating func parse(_ text: UnsafeBufferPointer<UInt8>) throws(JSONError) -> JSONValue {
        let value = try parseValue(text, depth: 0)
        skipSpace(text)
        guard position == text.count else { throw fault("unexpected text after the value") }
        return value
    }

    private func fault(_ message: String) -> JSONError { JSONError(message: message, offset: position) }

    private mutating func skipSpace(_ text: UnsafeBufferPointer<UInt8>) {
        while position < text.count {
            switch text[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private mutating func parseValue(_ text: UnsafeBufferPointer<UInt8>, depth: Int) throws(JSONError) -> JSONValue {
        skipSpace(text)
        guard position < text.count else { throw fault("unexpected end of JSON input") }
        switch text[position] {
        case UInt8(ascii: "{"): return try parseObject(text, depth: depth + 1)
        case UInt8(ascii: "["): return try parseArray(text, depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try parseString(text))
        case UInt8(ascii: "t"): return try parseWord(text, "true", .bool(true))
        case UInt8(ascii: "f"): return try parseWord(text, "false", .bool(false))
        case UInt8(ascii: "n"): return try parseWord(text, "null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber(text)
        default:
            throw fault("invalid character \(quoted(text[position])) looking for beginning of value")
        }
    }

    private func quoted(_ byte: UInt8) -> String { "'\(Character(UnicodeScalar(byte)))'" }

    private mutating func parseWord(
        _ text: UnsafeBufferPointer<UInt8>, _ word: StaticString, _ value: JSONValue
    ) throws(JSONError) -> JSONValue {
        let count = word.utf8CodeUnitCount
        guard position + count <= text.count else { throw fault("unexpected end of JSON input") }
        for index in 0..<count where text[position + index] != word.utf8Start[index] {
            throw fault("invalid character \(quoted(text[position + index])) in literal \(word)")
        }
        position += count
        return value
    }

    private mutating func parseObject(_ text: UnsafeBufferPointer<UInt8>, depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= depthMax else { throw fault("exceeded max depth of \(depthMax)") }
        position += 1
        var members: JSONObject = [:]
        skipSpace(text)
        if position < text.count, text[position] == UInt8(ascii: "}") {
            position += 1
            return .object(members)
        }
        while true {
            skipSpace(text)
            guard position < text.count else { throw fault("unexpected end of JSON input") }
            guard text[position] == UInt8(ascii: "\"") else {
                throw fault("invalid character \(quoted(text[position])) looking for beginning of object key string")
            }
            let key = try parseString(text)
            skipSpace(text)
            guard position < text.count else { throw fault("unexpected end of JSON input") }
            guard text[position] == UInt8(ascii: ":") else {
                throw fault("invalid character \(quoted(text[position])) after object key")
            }
            position += 1
            if collectsDuplicates { path.append(path.isEmpty ? key : ".\(key)") }
            let value = try parseValue(text, depth: depth)
            if members.updateValue(value, forKey: key) != nil, collectsDuplicates {
                duplicates.append(path.joined())
            }
            if collectsDuplicates { path.removeLast() }
            skipSpace(text)
            guard position < text.count else { throw fault("unexpected end of JSON input") }
            switch text[position] {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"):
                position += 1
                return .object(members)
            default: throw fault("invalid character \(quoted(text[position])) after object key:value pair")
            }
        }
    }

    private mutating func parseArray(_ text: UnsafeBufferPointer<UInt8>, depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= depthMax else { throw fault("exceeded max depth of \(depthMax)") }
        position += 1
        var elements: [JSONValue] = []
        skipSpace(text)
        if position < text.count, text[position] == UInt8(ascii: "]") {
            position += 1
            return .array(elements)
        }
        while true {
            if collectsDuplicates { path.append("[\(elements.count)]") }
            elements.append(try parseValue(text, depth: depth))
            if collectsDuplicates { path.removeLast() }
            skipSpace(text)
            guard position < text.count else { throw fault("unexpected end of JSON input") }
            switch text[position] {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "]"):
                position += 1
                return .array(elements)
            default: throw fault("invalid character \(quoted(text[position])) after array element")
            }
        }
    }

    private mutating func parseNumber(_ text: UnsafeBufferPointer<UInt8>) throws(JSONError) -> JSONValue {
        let start = position
        var isInteger = true
        if text[position] == UInt8(ascii: "-") { position += 1 }
        let firstDigit = position
        try parseDigits(text)
        guard position == firstDigit + 1 || text[firstDigit] != UInt8(ascii: "0") else {
            throw fault("invalid number: leading zero")
        }
        if position < text.count, text[position] == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            try parseDigits(text)
        }
        if position < text.count, text[position] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            if position < text.count, text[position] == UInt8(ascii: "+") || text[position] == UInt8(ascii: "-") {
                position += 1
            }
            try parseDigits(text)
        }
        let digits = String(decoding: UnsafeBufferPointer(rebasing: text[start..<position]), as: UTF8.self)
        if isInteger, let value = Int64(digits) { return .int(value) }
        guard let value = Double(digits), value.isFinite else { throw fault("number out of range") }
        return .double(value)
    }

    private mutating func parseDigits(_ text: UnsafeBufferPointer<UInt8>) throws(JSONError) {
        let start = position
        while position < text.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= text[position] { position += 1 }
        guard position > start else { throw fault("invalid number: a digit is missing") }
    }

    private mutating func parseString(_ text: UnsafeBufferPointer<UInt8>) throws(JSONError) -> String {
        position += 1
        let start = position
        while position < text.count {
            switch text[position] {
            case UInt8(ascii: "\""):
                let raw = UnsafeBufferPointer(rebasing: text[start..<position])
                position += 1
                guard let string = String(validating: raw, as: UTF8.self) else {
                    throw fault("invalid UTF-8 in string")
                }
                return string
            case UInt8(ascii: "\\"): return try parseEscapedString(text, from: start)
            case 0..<0x20: throw fault("invalid control character in string")
            default: position += 1
            }
        }
        throw fault("unexpected end of JSON input")
    }

    private mutating func parseEscapedString(
        _ text: UnsafeBufferPointer<UInt8>, from start: Int
    ) throws(JSONError) -> String {
        var bytes = Array(text[start..<position])
        while position < text.count {
            let byte = text[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: bytes, as: UTF8.self) else {
                    throw fault("invalid UTF-8 in string")
                }
                return string
            case UInt8(ascii: "\\"): try parseEscape(text, into: &bytes)
            case 0..<0x20: throw fault("invalid control character in string")
            default: bytes.append(byte)
            }
        }
        throw fault("unexpected end of JSON input")
    }

    private mutating func parseEscape(
        _ text: UnsafeBufferPointer<UInt8>, into bytes: inout [UInt8]
    ) throws(JSONError) {
        guard position < text.count else { throw fault("unexpected end of JSON input") }
        let byte = text[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(byte)
        case UInt8(ascii: "b"): bytes.append(0x08)
        case UInt8(ascii: "f"): bytes.append(0x0C)
        case UInt8(ascii: "n"): bytes.append(0x0A)
        case UInt8(ascii: "r"): bytes.append(0x0D)
        case UInt8(ascii: "t"): bytes.append(0x09)
        case UInt8(ascii: "u"):
            var unit = try parseHex(text)
            if 0xD800..<0xDC00 ~= unit, position + 1 < text.count, text[position] == UInt8(ascii: "\\"),
                text[position + 1] == UInt8(ascii: "u")
            {
                let mark = position
                position += 2
                let low = try parseHex(text)
                if 0xDC00..<0xE000 ~= low {
                    unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
                } else {
                    position = mark
                }
            }
            // A lone surrogate becomes U+FFFD, as in Go's decoder.
            let scalar = UnicodeScalar(unit) ?? "\u{FFFD}"
            bytes.append(contentsOf: Array(String(Character(scalar)).utf8))
        default: throw fault("invalid character \(quoted(byte)) in string escape code")
        }
    }

    private mutating func parseHex(_ text: UnsafeBufferPointer<UInt8>) throws(JSONError) -> UInt32 {
        guard position + 4 <= text.count else { throw fault("unexpected end of JSON input") }
        let digits = String(decoding: UnsafeBufferPointer(rebasing: text[position..<position + 4]), as: UTF8.self)
        guard let unit = UInt32(digits, radix: 16), !digits.contains("+"), !digits.contains("-") else {
            throw fault("invalid character in \\u hexadecimal character escape")
        }
        position += 4
        return unit
    }
}

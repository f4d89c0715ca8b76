/// Functions of texts (cel-go, `ext/strings.go`, version 2).
enum StringFunctions {
    static let all: [Function] = [
        Function(
            "charAt",
            [
                member("string_char_at_int", [.string, .int], .string) { arguments throws(EvaluationError) in
                    let signs = signs(arguments[0])
                    let index = arguments[1].int ?? 0
                    guard index >= 0, index <= signs.count else { throw outOfRange(index) }
                    return .string(index == signs.count ? "" : String(signs[Int(index)]))
                }
            ]),
        Function(
            "indexOf",
            [
                member("string_index_of_string", [.string, .string], .int) { arguments throws(EvaluationError) in
                    try firstIndex(arguments, from: 0)
                },
                member("string_index_of_string_int", [.string, .string, .int], .int) {
                    arguments throws(EvaluationError) in try firstIndex(arguments, from: arguments[2].int ?? 0)
                },
            ]),
        Function(
            "lastIndexOf",
            [
                member("string_last_index_of_string", [.string, .string], .int) { arguments throws(EvaluationError) in
                    try lastIndex(arguments, from: nil)
                },
                member("string_last_index_of_string_int", [.string, .string, .int], .int) {
                    arguments throws(EvaluationError) in try lastIndex(arguments, from: arguments[2].int ?? 0)
                },
            ]),
        Function(
            "lowerAscii",
            [
                change("string_lower_ascii") { text in
                    mapped(text) { $0 >= "A" && $0 <= "Z" ? Unicode.Scalar($0.value + 32) ?? $0 : $0 }
                }
            ]),
        Function(
            "upperAscii",
            [
                change("string_upper_ascii") { text in
                    mapped(text) { $0 >= "a" && $0 <= "z" ? Unicode.Scalar($0.value - 32) ?? $0 : $0 }
                }
            ]),
        Function(
            "trim",
            [
                change("string_trim") { text in
                    var signs = Substring(text).unicodeScalars
                    while let first = signs.first, first.properties.isWhitespace { signs.removeFirst() }
                    while let last = signs.last, last.properties.isWhitespace { signs.removeLast() }
                    return String(String.UnicodeScalarView(signs))
                }
            ]),
        Function(
            "replace",
            [
                member("string_replace_string_string", [.string, .string, .string], .string) {
                    arguments throws(EvaluationError) in try replaced(arguments, limit: -1)
                },
                member("string_replace_string_string_int", [.string, .string, .string, .int], .string) {
                    arguments throws(EvaluationError) in try replaced(arguments, limit: arguments[3].int ?? -1)
                },
            ]),
        Function(
            "split",
            [
                member("string_split_string", [.string, .string], .strings) { .list(pieces($0, limit: -1)) },
                member("string_split_string_int", [.string, .string, .int], .strings) {
                    .list(pieces($0, limit: $0[2].int ?? -1))
                },
            ]),
        Function(
            "substring",
            [
                member("string_substring_int", [.string, .int], .string) { arguments throws(EvaluationError) in
                    let signs = signs(arguments[0])
                    return try part(of: signs, from: arguments[1].int ?? 0, to: Int64(signs.count))
                },
                member("string_substring_int_int", [.string, .int, .int], .string) {
                    arguments throws(EvaluationError) in
                    try part(of: signs(arguments[0]), from: arguments[1].int ?? 0, to: arguments[2].int ?? 0)
                },
            ]),
        Function(
            "join",
            [
                member("list_join", [.strings], .string) { arguments throws(EvaluationError) in
                    .string(try texts(arguments[0]).joined())
                },
                member("list_join_string", [.strings, .string], .string) { arguments throws(EvaluationError) in

                    let separator = arguments[1].string ?? ""
                    return .string(
                        try texts(arguments[0], separatorBytes: separator.utf8.count).joined(separator: separator))
                },
            ]),
        Function(
            "format",
            [
                member("string_format", [.string, .list(.dyn)], .string) { arguments throws(EvaluationError) in
                    .string(try FormatText.format(arguments[0].string ?? "", arguments[1].elements ?? []))
                }
            ]),
        Function(
            "strings.quote", [.global("strings_quote", [.string], .string) { .string(quoted($0[0].string ?? "")) }]),
    ]

    private static func member(
        _ id: String, _ parameters: [ValueType], _ result: ValueType, _ body: @escaping Function.Body
    ) -> Function.Overload { .member(id, parameters, result, body) }

    private static func change(_ id: String, _ body: @escaping @Sendable (String) -> String) -> Function.Overload {
        .member(id, [.string], .string) { .string(body($0[0].string ?? "")) }
    }

    private static func signs(_ value: Value) -> [Unicode.Scalar] { Array((value.string ?? "").unicodeScalars) }

    private static func outOfRange(_ index: Int64) -> EvaluationError {
        EvaluationError("index out of range: \(index)")
    }

    private static func mapped(_ text: String, _ change: (Unicode.Scalar) -> Unicode.Scalar) -> String {
        var result = String.UnicodeScalarView()
        result.append(contentsOf: text.unicodeScalars.map(change))
        return String(result)
    }

    /// The elements of a list that is to be joined.
    private static func texts(_ list: Value, separatorBytes: Int = 0) throws(EvaluationError) -> [String] {
        var texts: [String] = []
        var bytes = 0
        for element in list.elements ?? [] {
            guard let text = element.string else { throw EvaluationError("join: invalid input: \(element.shown)") }
            bytes += text.utf8.count + separatorBytes
            try Value.checkSize(bytes)
            texts.append(text)
        }
        return texts
    }

    // MARK: Searching

    private static func firstIndex(_ arguments: [Value], from offset: Int64) throws(EvaluationError) -> Value {
        let (text, part) = (signs(arguments[0]), signs(arguments[1]))
        guard offset >= 0 else { throw outOfRange(offset) }
        if part.isEmpty { return .int(min(offset, Int64(text.count))) }
        guard offset < text.count || offset == 0 else { throw outOfRange(offset) }
        let last = text.count - part.count
        guard Int(offset) <= last else { return .int(-1) }
        for index in Int(offset)...last where text[index...].starts(with: part) { return .int(Int64(index)) }
        return .int(-1)
    }

    private static func lastIndex(_ arguments: [Value], from offset: Int64?) throws(EvaluationError) -> Value {
        let (text, part) = (signs(arguments[0]), signs(arguments[1]))
        if let offset, offset < 0 { throw outOfRange(offset) }
        if part.isEmpty { return .int(min(offset ?? .max, Int64(text.count))) }
        if let offset, offset >= text.count { throw outOfRange(offset) }
        guard text.count >= part.count else { return .int(-1) }
        let start = min(Int(offset ?? .max), text.count - part.count)
        for index in stride(from: start, through: 0, by: -1) where text[index...].starts(with: part) {
            return .int(Int64(index))
        }
        return .int(-1)
    }

    private static func part(
        of signs: [Unicode.Scalar], from start: Int64, to end: Int64
    ) throws(EvaluationError) -> Value {
        guard start <= end || end == signs.count else {
            throw EvaluationError("invalid substring range. start: \(start), end: \(end)")
        }
        guard start >= 0, start <= signs.count else { throw outOfRange(start) }
        guard end >= 0, end <= signs.count else { throw outOfRange(end) }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: signs[Int(start)..<Int(end)])
        return .string(String(text))
    }

    // MARK: Cutting

    /// `strings.Split`, at most `limit` pieces where it is not negative.
    private static func pieces(_ arguments: [Value], limit: Int64) -> [Value] {
        let (text, separator) = (signs(arguments[0]), signs(arguments[1]))
        if limit == 0 { return [] }
        var pieces: [Value] = []
        var start = 0
        func add(_ end: Int) {
            var piece = String.UnicodeScalarView()
            piece.append(contentsOf: text[start..<end])
            pieces.append(.string(String(piece)))
        }
        if separator.isEmpty, text.isEmpty { return [] }
        var index = separator.isEmpty ? 1 : 0
        while index + separator.count <= text.count, index < text.count || !separator.isEmpty {
            if limit > 0, pieces.count == limit - 1 { break }
            if text[index...].starts(with: separator) {
                add(index)
                start = index + separator.count
                index = separator.isEmpty ? index + 1 : start
            } else {
                index += 1
            }
        }
        add(text.count)
        return pieces
    }

    private static func replaced(_ arguments: [Value], limit: Int64) throws(EvaluationError) -> Value {
        let text = arguments[0].string ?? ""
        let new = arguments[2].string ?? ""
        if limit == 0 { return .string(text) }
        func checkSize(_ count: Int) throws(EvaluationError) {
            let (bytes, overflow) = count.multipliedReportingOverflow(by: new.utf8.count)
            try Value.checkSize(overflow ? .max : bytes)
        }
        guard arguments[1].string?.isEmpty ?? true else {
            let pieces = pieces(arguments, limit: limit < 0 || limit == .max ? -1 : limit + 1).compactMap(\.string)
            try checkSize(pieces.count)
            return .string(pieces.joined(separator: new))
        }
        // Before every sign, and at the end.
        let signs = signs(arguments[0])
        let count = limit < 0 ? signs.count + 1 : min(signs.count + 1, Int(limit))
        try checkSize(count)
        var result = ""
        for (index, sign) in signs.enumerated() {
            if index < count { result += new }
            result.unicodeScalars.append(sign)
        }
        return .string(count > signs.count ? result + new : result)
    }

    private static let escapes: [Unicode.Scalar: String] = [
        "\u{7}": "\\a", "\u{8}": "\\b", "\u{C}": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\u{B}": "\\v",
        "\\": "\\\\", "\"": "\\\"",
    ]

    private static func quoted(_ text: String) -> String {
        "\"" + text.unicodeScalars.map { escapes[$0] ?? String($0) }.joined() + "\""
    }
}

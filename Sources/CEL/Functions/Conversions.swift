/// Conversions between types: `int('3')`, `string(1.5)`, `type(x)`.
enum Conversions {
    static let all: [Function] = [
        Function("dyn", [.global("to_dyn", [.parameter("A")], .dyn)]) { $0[0] },
        Function("type", [.global("type", [.parameter("A")], .type(.parameter("A")))]) { .type($0[0].typeName) },
        conversion("bool", [.bool, .string], .bool) { value in
            switch value {
            case .bool: value
            case .string(let text): booleans[text].map { .bool($0) }
            default: nil
            }
        },
        conversion("bytes", [.bytes, .string], .bytes) { value in
            switch value {
            case .bytes: value
            case .string(let text): .bytes(Array(text.utf8))
            default: nil
            }
        },
        conversion("double", [.double, .int, .string, .uint], .double) { value in
            switch value {
            case .double: value
            case .int(let number): .double(Double(number))
            case .uint(let number): .double(Double(number))
            case .string(let text): Double(text).map { .double($0) }
            default: nil
            }
        },
        conversion("int", [.int, .double, .duration, .string, .timestamp, .uint], .int) {
            value throws(EvaluationError) in
            switch value {
            case .int: return value
            case .uint(let number):
                guard let whole = Int64(exactly: number) else { throw .intOverflow }
                return .int(whole)
            case .double(let number):
                // The largest numbers are not exact as doubles: the bounds themselves are refused.
                guard let whole = Int64(exactly: number.rounded(.towardZero)), whole > .min else { throw .intOverflow }
                return .int(whole)
            case .duration(let nanoseconds): return .int(nanoseconds)
            case .timestamp(let instant): return .int(instant.seconds)
            case .string(let text): return Int64(text).map { .int($0) }
            default: return nil
            }
        },
        conversion("uint", [.uint, .double, .int, .string], .uint) { value throws(EvaluationError) in
            switch value {
            case .uint: return value
            case .int(let number):
                guard let whole = UInt64(exactly: number) else { throw .uintOverflow }
                return .uint(whole)
            case .double(let number):
                guard let whole = UInt64(exactly: number.rounded(.towardZero)) else { throw .uintOverflow }
                return .uint(whole)
            case .string(let text): return UInt64(text).map { .uint($0) }
            default: return nil
            }
        },
        conversion("string", [.string, .bool, .bytes, .double, .duration, .int, .timestamp, .uint], .string) {
            value throws(EvaluationError) in try text(value)
        },
        conversion("duration", [.duration, .string], .duration) { value in
            switch value {
            case .duration: value
            case .string(let text): DurationText.parse(text).map { .duration($0) }
            default: nil
            }
        },
        conversion("timestamp", [.timestamp, .int, .string], .timestamp) { value in
            switch value {
            case .timestamp: value
            case .int(let seconds): Instant(seconds: seconds).isInRange ? .timestamp(Instant(seconds: seconds)) : nil
            case .string(let text): Instant(parsing: text).map { .timestamp($0) }
            default: nil
            }
        },
    ]

    private static let booleans: [String: Bool] = [
        "1": true, "t": true, "T": true, "true": true, "TRUE": true, "True": true,
        "0": false, "f": false, "F": false, "false": false, "FALSE": false, "False": false,
    ]

    private static func conversion(
        _ name: String, _ types: [ValueType], _ result: ValueType,
        _ convert: @escaping @Sendable (Value) throws(EvaluationError) -> Value?
    ) -> Function {
        Function(name, types.map { .global("\($0)_to_\(name)", [$0], result) }) { arguments throws(EvaluationError) in
            if let converted = try convert(arguments[0]) { return converted }
            guard types.contains(where: { $0.admits(arguments[0]) }) else { throw .noOverload(name, arguments) }
            throw EvaluationError(
                "type conversion error from '\(arguments[0].typeName)' to '\(result.valueTypeName)'")
        }
    }

    private static func text(_ value: Value) throws(EvaluationError) -> Value? {
        switch value {
        case .string: return value
        case .bool(let bool): return .string("\(bool)")
        case .int(let number): return .string("\(number)")
        case .uint(let number): return .string("\(number)")
        case .double(let number): return .string(NumberText.shortest(number))
        case .duration(let nanoseconds): return .string(DurationText.text(nanoseconds: nanoseconds))
        case .timestamp(let instant): return .string(instant.text)
        case .bytes(let bytes):
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw EvaluationError("invalid UTF-8 in bytes, cannot convert to string")
            }
            return .string(text)
        default: return nil
        }
    }
}

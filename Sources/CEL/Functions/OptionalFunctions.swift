/// Values that may be missing: `optional.of(x)`, `a.?b.orValue(c)` (cel-go, `cel/library.go`, OptionalTypes).
enum OptionalFunctions {
    private static let value = ValueType.parameter("V")
    private static let optional = ValueType.optional(value)

    static let all: [Function] = [
        Function("optional.of", [.global("optional_of", [value], optional)]) { .optional($0[0]) },
        Function("optional.none", [.global("optional_none", [], optional)]) { _ in .optional(nil) },
        Function("optional.ofNonZeroValue", [.global("optional_ofNonZeroValue", [value], optional)]) {
            .optional($0[0].isZero ? nil : $0[0])
        },
        Function(
            "hasValue",
            [
                .member("optional_hasValue", [optional], .bool) { arguments throws(EvaluationError) in
                    .bool(try inner(arguments) != nil)
                }
            ]),
        Function(
            "value",
            [
                .member("optional_value", [optional], value) { arguments throws(EvaluationError) in
                    guard let value = try inner(arguments) else {
                        throw EvaluationError("optional.none() dereference")
                    }
                    return value
                }
            ]),
        // Evaluated without their argument where that is not needed; see `Evaluator`.
        Function("or", [.member("optional_or_optional", [optional, optional], optional)]),
        Function("orValue", [.member("optional_orValue_value", [optional, value], value)]),
    ]

    private static func inner(_ arguments: [Value]) throws(EvaluationError) -> Value? {
        guard case .optional(let inner) = arguments[0] else { throw .noOverload("value", arguments) }
        return inner
    }
}

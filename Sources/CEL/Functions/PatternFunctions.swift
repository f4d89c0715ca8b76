/// Kubernetes' functions of regular expressions: `find` and `findAll`.
enum PatternFunctions {
    static let all: [Function] = [
        Function(
            "find",
            [
                .member("string_find_string", [.string, .string], .string) { arguments throws(EvaluationError) in
                    .string(try matches(arguments, limit: 1).first ?? "")
                }
            ]),
        Function(
            "findAll",
            [
                .member("string_find_all_string", [.string, .string], .strings) { arguments throws(EvaluationError) in
                    .list(try matches(arguments, limit: .max).map(Value.string))
                },
                .member("string_find_all_string_int", [.string, .string, .int], .strings) {
                    arguments throws(EvaluationError) in
                    let limit = arguments[2].int ?? -1
                    return .list(try matches(arguments, limit: limit < 0 ? .max : Int(limit)).map(Value.string))
                },
            ]),
    ]

    private static func matches(_ arguments: [Value], limit: Int) throws(EvaluationError) -> [String] {
        try RegularExpression.forCall(arguments[1].string ?? "").matches(in: arguments[0].string ?? "", limit: limit)
    }
}

/// What every expression can call: operators, sizes, tests of texts (`doc/langdef.md` of cel-spec).
enum StandardFunctions {
    private static let a = ValueType.parameter("A")
    private static let b = ValueType.parameter("B")
    private static let listOfA = ValueType.list(a)
    private static let mapOfAB = ValueType.map(a, b)

    static let all: [Function] =
        logic + arithmetic + comparisons + containers + texts + Conversions.all + TimeFunctions.all
        + OptionalFunctions.all

    private static let logic: [Function] = [
        Function(Operator.conditional, [.global("conditional", [.bool, a, a], a)]),
        Function(Operator.and, [.global("logical_and", [.bool, .bool], .bool)]),
        Function(Operator.or, [.global("logical_or", [.bool, .bool], .bool)]),
        Function(Operator.notStrictlyFalse, [.global("not_strictly_false", [.bool], .bool)]),
        Function(Operator.not, [.global("logical_not", [.bool], .bool)]) { arguments throws(EvaluationError) in
            guard let value = arguments[0].bool else { throw .noOverload(Operator.not, arguments) }
            return .bool(!value)
        },
        Function(Operator.equals, [.global("equals", [a, a], .bool)]) { .bool($0[0].isEqual(to: $0[1])) },
        Function(Operator.notEquals, [.global("not_equals", [a, a], .bool)]) { .bool(!$0[0].isEqual(to: $0[1])) },
    ]

    // MARK: Arithmetic

    private static let arithmetic: [Function] = [
        Function(
            Operator.add,
            [
                .global("add_bytes", [.bytes, .bytes], .bytes), .global("add_double", [.double, .double], .double),
                .global("add_duration_duration", [.duration, .duration], .duration),
                .global("add_duration_timestamp", [.duration, .timestamp], .timestamp),
                .global("add_timestamp_duration", [.timestamp, .duration], .timestamp),
                .global("add_int64", [.int, .int], .int), .global("add_list", [listOfA, listOfA], listOfA),
                .global("add_string", [.string, .string], .string), .global("add_uint64", [.uint, .uint], .uint),
            ]
        ) { arguments throws(EvaluationError) in try add(arguments) },
        Function(
            Operator.subtract,
            [
                .global("subtract_double", [.double, .double], .double),
                .global("subtract_duration_duration", [.duration, .duration], .duration),
                .global("subtract_int64", [.int, .int], .int),
                .global("subtract_timestamp_duration", [.timestamp, .duration], .timestamp),
                .global("subtract_timestamp_timestamp", [.timestamp, .timestamp], .duration),
                .global("subtract_uint64", [.uint, .uint], .uint),
            ]
        ) { arguments throws(EvaluationError) in try subtract(arguments) },
        numeric(Operator.multiply, "multiply") { arguments throws(EvaluationError) in
            switch (arguments[0], arguments[1]) {
            case (.int(let x), .int(let y)): .int(try whole(x.multipliedReportingOverflow(by: y)))
            case (.uint(let x), .uint(let y)): .uint(try positive(x.multipliedReportingOverflow(by: y)))
            case (.double(let x), .double(let y)): .double(x * y)
            default: throw .noOverload(Operator.multiply, arguments)
            }
        },
        numeric(Operator.divide, "divide") { arguments throws(EvaluationError) in
            switch (arguments[0], arguments[1]) {
            case (.int(_), .int(0)), (.uint(_), .uint(0)): throw EvaluationError("division by zero")
            case (.int(let x), .int(let y)): .int(try whole(x.dividedReportingOverflow(by: y)))
            case (.uint(let x), .uint(let y)): .uint(x / y)
            case (.double(let x), .double(let y)): .double(x / y)
            default: throw .noOverload(Operator.divide, arguments)
            }
        },
        Function(
            Operator.modulo,
            [.global("modulo_int64", [.int, .int], .int), .global("modulo_uint64", [.uint, .uint], .uint)]
        ) { arguments throws(EvaluationError) in
            switch (arguments[0], arguments[1]) {
            case (.int(_), .int(0)), (.uint(_), .uint(0)): throw EvaluationError("modulus by zero")
            case (.int(let x), .int(let y)): .int(try whole(x.remainderReportingOverflow(dividingBy: y)))
            case (.uint(let x), .uint(let y)): .uint(x % y)
            default: throw .noOverload(Operator.modulo, arguments)
            }
        },
        Function(
            Operator.negate, [.global("negate_double", [.double], .double), .global("negate_int64", [.int], .int)]
        ) { arguments throws(EvaluationError) in
            switch arguments[0] {
            case .int(let x): .int(try whole(Int64(0).subtractingReportingOverflow(x)))
            case .double(let x): .double(-x)
            default: throw .noOverload(Operator.negate, arguments)
            }
        },
    ]

    private static func numeric(_ name: String, _ id: String, _ body: @escaping Function.Body) -> Function {
        Function(
            name,
            [
                .global("\(id)_double", [.double, .double], .double), .global("\(id)_int64", [.int, .int], .int),
                .global("\(id)_uint64", [.uint, .uint], .uint),
            ], body: body)
    }

    private static func whole(_ result: (Int64, Bool)) throws(EvaluationError) -> Int64 {
        if result.1 { throw .intOverflow }
        return result.0
    }

    private static func positive(_ result: (UInt64, Bool)) throws(EvaluationError) -> UInt64 {
        if result.1 { throw .uintOverflow }
        return result.0
    }

    private static func length(_ result: (Int64, Bool)) throws(EvaluationError) -> Value {
        if result.1 { throw .durationOverflow }
        return .duration(result.0)
    }

    private static func time(_ instant: Instant, _ nanoseconds: Int64) throws(EvaluationError) -> Value {
        guard let sum = instant.adding(nanoseconds: nanoseconds) else { throw .timestampOverflow }
        return .timestamp(sum)
    }

    static func add(_ arguments: [Value]) throws(EvaluationError) -> Value {
        switch (arguments[0], arguments[1]) {
        case (.int(let x), .int(let y)): return .int(try whole(x.addingReportingOverflow(y)))
        case (.uint(let x), .uint(let y)): return .uint(try positive(x.addingReportingOverflow(y)))
        case (.double(let x), .double(let y)): return .double(x + y)
        case (.string(let x), .string(let y)): return .string(x + y)
        case (.bytes(let x), .bytes(let y)): return .bytes(x + y)
        case (.list(let x), .list(let y)):
            guard x.elements.count + y.elements.count <= Value.elementsMax else { throw .tooLarge }
            return .list(x.joined(with: y))
        case (.duration(let x), .duration(let y)): return try length(x.addingReportingOverflow(y))
        case (.timestamp(let x), .duration(let y)), (.duration(let y), .timestamp(let x)): return try time(x, y)
        default: throw .noOverload(Operator.add, arguments)
        }
    }

    private static func subtract(_ arguments: [Value]) throws(EvaluationError) -> Value {
        switch (arguments[0], arguments[1]) {
        case (.int(let x), .int(let y)): return .int(try whole(x.subtractingReportingOverflow(y)))
        case (.uint(let x), .uint(let y)): return .uint(try positive(x.subtractingReportingOverflow(y)))
        case (.double(let x), .double(let y)): return .double(x - y)
        case (.duration(let x), .duration(let y)): return try length(x.subtractingReportingOverflow(y))
        case (.timestamp(let x), .timestamp(let y)):
            guard let nanoseconds = x.nanoseconds(since: y) else { throw .durationOverflow }
            return .duration(nanoseconds)
        case (.timestamp(let x), .duration(let y)):
            guard y != .min else { throw .timestampOverflow }
            return try time(x, -y)
        default: throw .noOverload(Operator.subtract, arguments)
        }
    }

    // MARK: Comparisons

    private static let comparisons: [Function] = [
        comparison(Operator.less, "less") { $0 == .less },
        comparison(Operator.lessEquals, "less_equals") { $0 == .less || $0 == .same },
        comparison(Operator.greater, "greater") { $0 == .greater },
        comparison(Operator.greaterEquals, "greater_equals") { $0 == .greater || $0 == .same },
    ]

    private static func comparison(
        _ name: String, _ id: String, _ holds: @escaping @Sendable (Value.Order) -> Bool
    ) -> Function {
        let numbers: [ValueType] = [.int, .uint, .double]
        let mixed = numbers.flatMap { left in numbers.map { (left, $0) } }
        let same: [ValueType] = [.bool, .string, .bytes, .timestamp, .duration]
        let pairs = mixed + same.map { ($0, $0) }
        return Function(
            name, pairs.map { .global("\(id)_\($0.0)_\($0.1)", [$0.0, $0.1], .bool) }
        ) { arguments throws(EvaluationError) in
            guard let order = arguments[0].order(to: arguments[1]) else { throw .noOverload(name, arguments) }
            guard order != .none else { throw EvaluationError("NaN values cannot be ordered") }
            return .bool(holds(order))
        }
    }

    // MARK: Containers and texts

    private static let containers: [Function] = [
        Function(
            Operator.index,
            [.global("index_list", [listOfA, .int], a), .global("index_map", [mapOfAB, a], b)] + optionalIndex),
        Function(Operator.optionalIndex, optionalIndex + plainOptionalIndex),
        Function(
            Operator.isIn, [.global("in_list", [a, listOfA], .bool), .global("in_map", [a, mapOfAB], .bool)]
        ) { arguments throws(EvaluationError) in
            switch arguments[1] {
            case .list(let list): .bool(list.contains(arguments[0]))
            case .map(let map): .bool(map[arguments[0]] != nil)
            default: throw .noOverload(Operator.isIn, arguments)
            }
        },
        Function(
            "size",
            [ValueType.bytes, listOfA, mapOfAB, .string].flatMap { type in
                [
                    Function.Overload.global("size_\(type)", [type], .int),
                    Function.Overload.member("\(type)_size", [type], .int),
                ]
            }
        ) { arguments throws(EvaluationError) in
            switch arguments[0] {
            case .string, .bytes, .list, .map: .int(Int64(arguments[0].size))
            default: throw .noOverload("size", arguments)
            }
        },
    ]

    private static let optionalIndex: [Function.Overload] = [
        .global("optional_list_index_int", [.optional(listOfA), .int], .optional(a)),
        .global("optional_map_index_value", [.optional(mapOfAB), a], .optional(b)),
    ]

    private static let plainOptionalIndex: [Function.Overload] = [
        .global("list_optindex_optional_int", [listOfA, .int], .optional(a)),
        .global("map_optindex_optional_value", [mapOfAB, a], .optional(b)),
    ]

    private static let texts: [Function] = [
        test("contains") { text, part in part.isEmpty || text.utf8.firstRange(of: part.utf8) != nil },
        test("startsWith") { text, part in text.utf8.starts(with: part.utf8) },
        test("endsWith") { text, part in text.utf8.reversed().starts(with: part.utf8.reversed()) },
        Function(
            "matches",
            [
                .global("matches", [.string, .string], .bool),
                .member("matches_string", [.string, .string], .bool),
            ]
        ) { arguments throws(EvaluationError) in
            guard let text = arguments[0].string, let pattern = arguments[1].string else {
                throw .noOverload("matches", arguments)
            }
            return .bool(try RegularExpression.forCall(pattern).occurs(in: text))
        },
    ]

    private static func test(_ name: String, _ holds: @escaping @Sendable (String, String) -> Bool) -> Function {
        Function(name, [.member("\(name)_string", [.string, .string], .bool)]) { arguments throws(EvaluationError) in
            guard let text = arguments[0].string, let part = arguments[1].string else {
                throw .noOverload(name, arguments)
            }
            return .bool(holds(text, part))
        }
    }
}

extension RegularExpression {
    /// The expression of a call's argument.
    static func forCall(_ pattern: String) throws(EvaluationError) -> RegularExpression {
        do throws(SyntaxError) {
            return try cached(pattern)
        } catch {
            throw EvaluationError(error.description)
        }
    }
}

/// Kubernetes' functions of lists, and those of sets (cel-go, `ext/sets.go`).
enum ListFunctions {
    private static let a = ValueType.parameter("T")
    private static let listOfA = ValueType.list(a)
    private static let ordered: [ValueType] = [
        .int, .uint, .double, .bool, .duration, .timestamp, .string, .bytes,
    ]

    static let all: [Function] = [
        Function(
            "isSorted",
            ordered.map { type in
                .member("list_\(type)_is_sorted_bool", [.list(type)], .bool) { arguments throws(EvaluationError) in
                    let elements = arguments[0].elements ?? []
                    for (left, right) in zip(elements, elements.dropFirst()) {
                        guard let order = left.order(to: right) else { throw .noOverload("isSorted", [left, right]) }
                        if order == .greater { return .bool(false) }
                    }
                    return .bool(true)
                }
            }),
        Function(
            "sum",
            [ValueType.int, .uint, .double, .duration].map { type in
                .member("list_\(type)_sum_\(type)", [.list(type)], type) { arguments throws(EvaluationError) in
                    try sum(arguments[0].elements ?? [], zero: type)
                }
            }),
        Function(
            "min",
            ordered.map { type in
                .member("list_\(type)_min_\(type)", [.list(type)], type) { arguments throws(EvaluationError) in
                    try extreme(arguments[0].elements ?? [], "min", .less)
                }
            }),
        Function(
            "max",
            ordered.map { type in
                .member("list_\(type)_max_\(type)", [.list(type)], type) { arguments throws(EvaluationError) in
                    try extreme(arguments[0].elements ?? [], "max", .greater)
                }
            }),
        Function(
            "indexOf",
            [
                .member("list_a_index_of_int", [listOfA, a], .int) { arguments in
                    .int(Int64((arguments[0].elements ?? []).firstIndex { $0.isEqual(to: arguments[1]) } ?? -1))
                }
            ]),
        Function(
            "lastIndexOf",
            [
                .member("list_a_last_index_of_int", [listOfA, a], .int) { arguments in
                    .int(Int64((arguments[0].elements ?? []).lastIndex { $0.isEqual(to: arguments[1]) } ?? -1))
                }
            ]),
        set("contains") { left, right in right.allSatisfy { isIn(left, $0) } },
        set("intersects") { left, right in right.contains { isIn(left, $0) } },
        set("equivalent") { left, right in
            right.allSatisfy { isIn(left, $0) } && left.allSatisfy { isIn(right, $0) }
        },
    ]

    private static func isIn(_ list: [Value], _ value: Value) -> Bool { list.contains { $0.isEqual(to: value) } }

    private static func set(_ name: String, _ holds: @escaping @Sendable ([Value], [Value]) -> Bool) -> Function {
        Function(
            "sets.\(name)",
            [
                .global("list_sets_\(name)_list", [listOfA, listOfA], .bool) { arguments in
                    .bool(holds(arguments[0].elements ?? [], arguments[1].elements ?? []))
                }
            ])
    }

    private static func sum(_ elements: [Value], zero type: ValueType) throws(EvaluationError) -> Value {
        var sum: Value =
            switch type {
            case .uint: .uint(0)
            case .double: .double(0)
            case .duration: .duration(0)
            default: .int(0)
            }
        if let first = elements.first {
            sum = first
            for element in elements.dropFirst() { sum = try StandardFunctions.add([sum, element]) }
        }
        return sum
    }

    private static func extreme(
        _ elements: [Value], _ name: String, _ wanted: Value.Order
    ) throws(EvaluationError) -> Value {
        guard var best = elements.first else { throw EvaluationError("\(name) called on empty list") }
        for element in elements.dropFirst() {
            guard let order = element.order(to: best) else { throw .noOverload(name, [element, best]) }
            if order == wanted { best = element }
        }
        return best
    }
}

import CEL

/// Amounts: `quantity('100Mi').isLessThan(quantity('1Gi'))` (Kubernetes docs, "Common Expression Language", quantities).
struct QuantityValue: OpaqueValue {
    let quantity: Quantity

    var typeName: String { "kubernetes.Quantity" }

    func isEqual(to other: any OpaqueValue) -> Bool { (other as? QuantityValue)?.quantity == quantity }

    static let type = ValueType.opaque("kubernetes.Quantity")
}

enum QuantityFunctions {
    private static let type = QuantityValue.type

    static let all: [Function] = [
        Function(
            "quantity",
            [
                .global("string_to_quantity", [.string], type) { arguments throws(EvaluationError) in
                    guard let quantity = Quantity(parsing: arguments[0].string ?? "") else {
                        throw EvaluationError(
                            "quantities must match the regular expression "
                                + "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
                    }
                    return value(quantity)
                }
            ]),
        Function(
            "isQuantity",
            [
                .global("is_quantity_string", [.string], .bool) {
                    .bool(Quantity(parsing: $0[0].string ?? "") != nil)
                }
            ]),
        Function(
            "sign",
            [
                .member("quantity_sign", [type], .int) { arguments in
                    let amount = quantity(arguments[0])
                    return .int(amount.isZero ? 0 : amount < Quantity(0) ? -1 : 1)
                }
            ]),
        Function("isInteger", [.member("quantity_is_integer", [type], .bool) { .bool(whole($0[0]) != nil) }]),
        Function(
            "asInteger",
            [
                .member("quantity_get_int", [type], .int) { arguments throws(EvaluationError) in
                    guard let whole = whole(arguments[0]) else {
                        throw EvaluationError("cannot convert value to integer")
                    }
                    return .int(whole)
                }
            ]),
        Function(
            "asApproximateFloat",
            [
                .member("quantity_get_float", [type], .double) {
                    .double(quantity($0[0]).approximateValue)
                }
            ]),
        Function(
            "isLessThan",
            [
                .member("quantity_less_than", [type, type], .bool) {
                    .bool(quantity($0[0]) < quantity($0[1]))
                }
            ]),
        Function(
            "isGreaterThan",
            [
                .member("quantity_greater_than", [type, type], .bool) {
                    .bool(quantity($0[1]) < quantity($0[0]))
                }
            ]),
        Function(
            "compareTo",
            [
                .member("quantity_compare_to", [type, type], .int) { arguments in
                    let (left, right) = (quantity(arguments[0]), quantity(arguments[1]))
                    return .int(left == right ? 0 : left < right ? -1 : 1)
                }
            ]),
        sum("add") { $0 + $1 },
        sum("sub") { $0 - $1 },
    ]

    private static func sum(
        _ name: String, _ body: @escaping @Sendable (Quantity, Quantity) -> Quantity
    ) -> Function {
        Function(
            name,
            [
                .member("quantity_\(name)", [type, type], type) { value(body(quantity($0[0]), quantity($0[1]))) },
                .member("quantity_\(name)_int", [type, .int], type) {
                    value(body(quantity($0[0]), Quantity($0[1].int ?? 0)))
                },
            ])
    }

    private static func value(_ quantity: Quantity) -> Value { .opaque(QuantityValue(quantity: quantity)) }

    private static func quantity(_ value: Value) -> Quantity {
        value.opaque(QuantityValue.self)?.quantity ?? Quantity(0)
    }

    private static func whole(_ value: Value) -> Int64? {
        let amount = quantity(value)
        return Quantity(amount.value) == amount ? amount.value : nil
    }
}

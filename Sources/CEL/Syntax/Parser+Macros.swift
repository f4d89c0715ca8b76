/// The macros: calls that stand for something longer (`doc/langdef.md`, "Macros"; cel-go, `parser/macro.go`).
extension Parser {
    private static let accumulator = "@result"

    /// What a call stands for; nil for calls of functions.
    mutating func expandMacro(
        _ name: String, _ target: Expression?, _ arguments: [Expression], at offset: Int
    ) throws(Stop) -> Expression? {
        switch (name, target, arguments.count) {
        case ("has", nil, 1): return try has(arguments[0], offset)
        case ("all", let range?, 2): return try quantifier(.all, range, arguments, offset)
        case ("exists", let range?, 2): return try quantifier(.exists, range, arguments, offset)
        case ("exists_one", let range?, 2), ("existsOne", let range?, 2):
            return try quantifier(.existsOne, range, arguments, offset)
        case ("map", let range?, 2): return try map(range, arguments[0], nil, arguments[1], offset)
        case ("map", let range?, 3): return try map(range, arguments[0], arguments[1], arguments[2], offset)
        case ("filter", let range?, 2):
            return try map(range, arguments[0], arguments[1], arguments[0], offset)
        case ("optMap", let operand?, 2): return try optionalMap(operand, arguments, isFlat: false, offset)
        case ("optFlatMap", let operand?, 2): return try optionalMap(operand, arguments, isFlat: true, offset)
        default: return nil
        }
    }

    private func refuse(_ argument: Expression, _ message: String) -> Stop {
        Stop(problem: Problem(offset: argument.offset, message: message))
    }

    private mutating func has(_ argument: Expression, _ offset: Int) throws(Stop) -> Expression {
        guard case .select(let operand, let field, isTest: false) = argument.node else {
            throw refuse(argument, "invalid argument to has() macro")
        }
        return make(offset, .select(operand, field: field, isTest: true))
    }

    private func variable(_ argument: Expression, _ complaint: String) throws(Stop) -> String {
        guard case .identifier(let name) = argument.node, !name.hasPrefix(".") else {
            throw refuse(argument, complaint)
        }
        guard name != Self.accumulator, name != "__result__" else {
            throw refuse(argument, "iteration variable overwrites accumulator variable")
        }
        return name
    }

    private enum Quantifier { case all, exists, existsOne }

    private mutating func quantifier(
        _ kind: Quantifier, _ range: Expression, _ arguments: [Expression], _ offset: Int
    ) throws(Stop) -> Expression {
        let name = try variable(arguments[0], "argument must be a simple name")
        let condition: Expression
        let step: Expression
        let result: Expression
        let start: Value
        switch kind {
        case .all:
            start = .bool(true)
            condition = call(offset, Operator.notStrictlyFalse, accumulator(offset))
            step = call(offset, Operator.and, accumulator(offset), arguments[1])
            result = accumulator(offset)
        case .exists:
            start = .bool(false)
            condition = call(
                offset, Operator.notStrictlyFalse, call(offset, Operator.not, accumulator(offset)))
            step = call(offset, Operator.or, accumulator(offset), arguments[1])
            result = accumulator(offset)
        case .existsOne:
            start = .int(0)
            condition = make(offset, .literal(.bool(true)))
            let more = call(offset, Operator.add, accumulator(offset), make(offset, .literal(.int(1))))
            step = call(offset, Operator.conditional, arguments[1], more, accumulator(offset))
            result = call(offset, Operator.equals, accumulator(offset), make(offset, .literal(.int(1))))
        }
        return loop(name, range, make(offset, .literal(start)), condition, step, result, offset)
    }

    private mutating func map(
        _ range: Expression, _ variable: Expression, _ filter: Expression?, _ element: Expression, _ offset: Int
    ) throws(Stop) -> Expression {
        let name = try self.variable(variable, "argument is not an identifier")
        let single = make(offset, .list([Expression.Element(value: element, isOptional: false)]))
        var step = call(offset, Operator.add, accumulator(offset), single)
        if let filter { step = call(offset, Operator.conditional, filter, step, accumulator(offset)) }
        return loop(
            name, range, make(offset, .list([])), make(offset, .literal(.bool(true))), step, accumulator(offset),
            offset)
    }

    /// `operand.optMap(x, e)`: `e` with the value for `x`, or nothing where there is none.
    private mutating func optionalMap(
        _ operand: Expression, _ arguments: [Expression], isFlat: Bool, _ offset: Int
    ) throws(Stop) -> Expression {
        guard case .identifier(let name) = arguments[0].node else {
            throw refuse(
                arguments[0], "\(isFlat ? "optFlatMap" : "optMap")() variable name must be a simple identifier")
        }
        let value = make(offset, .call(function: "value", target: operand, arguments: []))
        // A loop over nothing, whose accumulator is the variable.
        let bound = make(
            offset,
            .loop(
                Expression.Loop(
                    variable: "#unused", range: make(offset, .list([])), accumulator: name, start: value,
                    condition: make(offset, .literal(.bool(false))), step: make(offset, .identifier(name)),
                    result: arguments[1])))
        let hasValue = make(offset, .call(function: "hasValue", target: operand, arguments: []))
        let made = isFlat ? bound : call(offset, "optional.of", bound)
        return call(offset, Operator.conditional, hasValue, made, call(offset, "optional.none"))
    }

    private mutating func accumulator(_ offset: Int) -> Expression {
        make(offset, .identifier(Self.accumulator))
    }

    private mutating func loop(
        _ variable: String, _ range: Expression, _ start: Expression, _ condition: Expression, _ step: Expression,
        _ result: Expression, _ offset: Int
    ) -> Expression {
        make(
            offset,
            .loop(
                Expression.Loop(
                    variable: variable, range: range, accumulator: Self.accumulator, start: start,
                    condition: condition, step: step, result: result)))
    }
}

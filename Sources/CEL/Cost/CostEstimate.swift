/// The cost of an expression before it is evaluated, at the worst that its declarations allow.
///
/// Source: cel-go, `checker/cost.go`; Kubernetes, `apiserver/pkg/cel/library/cost.go`.
struct CostEstimate {
    private let checked: Checker.Result
    private let variables: [String: Declaration]
    private var sizes: [Int: CostRange] = [:]
    private var elementSizes: [Int: CostRange] = [:]
    /// Where in the declared variables the value of a node stands.
    private var places: [Int: Declaration] = [:]
    private var scope: [(name: String, place: Declaration?, size: CostRange?, elementSize: CostRange?)] = []

    init(_ checked: Checker.Result, variables: [String: Declaration]) {
        self.checked = checked
        self.variables = variables
    }

    private func type(_ expression: Expression) -> ValueType { checked.types[expression.id] }

    mutating func cost(_ expression: Expression) -> CostRange {
        switch expression.node {
        case .literal, .message: return .zero
        case .identifier(let name):
            if let local = scope.last(where: { $0.name == name }) {
                places[expression.id] = local.place
                elementSizes[expression.id] = local.elementSize
            } else {
                // The names of types are small: `type(x) == int` costs next to nothing.
                places[expression.id] = variables[name] ?? Declaration(.type(.dyn), sizeMax: 0)
            }
            return CostRange(1)
        case .select(let operand, let field, let isTest):
            if let name = checked.qualifiedNames[expression.id] {
                places[expression.id] = variables[name]
                return CostRange(1)
            }
            let below = cost(operand)
            guard !isTest else { return below }
            places[expression.id] = places[operand.id].flatMap { $0.field(field) ?? $0.element }
            return below + CostRange(type(operand).isContainer ? 1 : 0)
        case .call(let name, let target, let arguments): return call(expression, name, target, arguments)
        case .list(let elements):
            var sum = CostRange(10)
            var size: CostRange?
            for element in elements {
                sum = sum + cost(element.value)
                let own = sizeOrUnlimited(element.value)
                size = size?.union(own) ?? own
            }
            elementSizes[expression.id] = size ?? .zero
            return sum
        case .map(let entries):
            var sum = CostRange(30)
            var size: CostRange?
            for entry in entries {
                sum = sum + cost(entry.key) + cost(entry.value)
                let own = sizeOrUnlimited(entry.value)
                size = size?.union(own) ?? own
            }
            elementSizes[expression.id] = size ?? .zero
            return sum
        case .loop(let loop): return self.loop(expression, loop)
        }
    }

    // MARK: Sizes

    /// How large the value of a node can be; nil where nothing is known.
    private func size(_ expression: Expression) -> CostRange? {
        if let known = sizes[expression.id] { return known }
        switch expression.node {
        case .literal(let value): return CostRange(UInt64(value.size))
        case .list(let elements): return CostRange(UInt64(elements.count))
        case .map(let entries): return CostRange(UInt64(entries.count))
        default: break
        }
        if let place = places[expression.id] { return CostRange(0, place.sizeLimit) }
        if type(expression).isScalar { return CostRange(1) }
        if case .identifier(let name) = expression.node { return scope.last { $0.name == name }?.size }
        return nil
    }

    private func sizeOrUnlimited(_ expression: Expression) -> CostRange { size(expression) ?? .unlimited }

    /// How large the elements of a list can be.
    private func elementSize(_ expression: Expression) -> CostRange? {
        if let place = places[expression.id], let element = place.element { return CostRange(0, element.sizeLimit) }
        return elementSizes[expression.id]
    }

    // MARK: Loops

    private mutating func loop(_ expression: Expression, _ loop: Expression.Loop) -> CostRange {
        var sum = cost(loop.range) + cost(loop.start)
        let isBinding = loop.condition.isFalse
        scope.append((loop.accumulator, places[loop.start.id], size(loop.start), elementSize(loop.start)))
        if isBinding {
            sum = sum + cost(loop.result)
            scope.removeLast()
            sizes[expression.id] = size(loop.result)
            return sum
        }
        let range = places[loop.range.id]
        if case .map = type(loop.range) {
            // As in Kubernetes, the names of members count for nothing.
            scope.append((loop.variable, range.map { _ in Declaration(.string, sizeMax: 0) }, nil, nil))
        } else {
            scope.append((loop.variable, range?.element, elementSize(loop.range), nil))
        }
        let round = cost(loop.condition) + cost(loop.step)
        let stepElement = elementSize(loop.step)
        scope.removeLast()
        sum = sum + cost(loop.result)
        scope.removeLast()
        let count = sizeOrUnlimited(loop.range)
        sum = sum + count * round
        switch loop.start.node {
        case .literal: sizes[expression.id] = size(loop.start)
        case .list, .map:
            sizes[expression.id] = count
            elementSizes[expression.id] = stepElement
        default: break
        }
        return sum
    }

    // MARK: Calls

    private mutating func call(
        _ expression: Expression, _ name: String, _ target: Expression?, _ arguments: [Expression]
    ) -> CostRange {
        let isMember = target != nil && checked.qualifiedNames[expression.id] == nil
        let operands = (isMember ? target.map { [$0] } ?? [] : []) + arguments
        let costs = operands.map { operand in cost(operand) }
        let sum = costs.reduce(.zero, +)
        switch name {
        case Operator.and, Operator.or:
            return CostRange(costs[0].least, (costs[0] + costs[1]).most)
        case Operator.conditional:
            sizes[expression.id] = sizeOrUnlimited(arguments[1]).union(sizeOrUnlimited(arguments[2]))
            if let yes = elementSize(arguments[1]), let no = elementSize(arguments[2]) {
                elementSizes[expression.id] = yes.union(no)
            }
            return costs[0] + costs[1].union(costs[2])
        case Operator.index, Operator.optionalIndex:
            places[expression.id] = places[arguments[0].id]?.element
            if places[expression.id] == nil { sizes[expression.id] = elementSize(arguments[0]) }
            return sum + CostRange(1)
        case Operator.optionalSelect:
            guard case .literal(.string(let field)) = arguments[1].node else { break }
            places[expression.id] = places[arguments[0].id].flatMap { $0.field(field) ?? $0.element }
            return sum + CostRange(1)
        case "dyn":
            places[expression.id] = places[arguments[0].id]
            sizes[expression.id] = size(arguments[0])
            return sum + CostRange(1)
        default: break
        }
        if name == Operator.add {
            let left = elementSize(arguments[0])
            let right = elementSize(arguments[1])
            if let left, let right { elementSizes[expression.id] = left.union(right) }
        }
        let sizes = operands.map { operand in sizeOrUnlimited(operand) }
        let estimate = CallEstimate(
            checked.qualifiedNames[expression.id] ?? name, operands.map { type($0) }, sizes,
            elementSize: operands.first.flatMap { elementSize($0) },
            elementIsText: operands.first.map { isListOfText($0) } ?? false)
        if let size = estimate.size { self.sizes[expression.id] = size }
        return sum + estimate.cost
    }

    private func isListOfText(_ expression: Expression) -> Bool {
        switch type(expression) {
        case .list(.string), .list(.bytes): true
        default: false
        }
    }
}

extension Declaration {
    /// The bound of the size; as in Kubernetes, numbers and objects have none to speak of.
    fileprivate var sizeLimit: UInt64 {
        if let sizeMax { return sizeMax }
        if case .object = type { return 0 }
        return type.isScalar ? 0 : .max
    }
}

extension ValueType {
    fileprivate var isContainer: Bool {
        switch self {
        case .map, .object, .dyn: true
        default: false
        }
    }
}

extension Expression {
    fileprivate var isFalse: Bool { if case .literal(.bool(false)) = node { true } else { false } }
}

extension Program {
    /// The most that an evaluation can cost, by how large the variables are declared to be.
    public func worstCost(variables: [String: Declaration]) -> UInt64 {
        var estimate = CostEstimate(checked, variables: variables)
        return estimate.cost(root).most
    }
}

/// One evaluation of an expression (`doc/langdef.md` of cel-spec, "Evaluation").
struct Evaluator {
    let checked: Checker.Result
    let functions: [Function?]
    let variables: [String: Value]
    let costLimit: Int
    private(set) var cost = 0
    /// The variables of loops, innermost last; a loop goes on after an error that its condition may yet overrule.
    private var scope: [(name: String, value: Result<Value, EvaluationError>)] = []

    init(checked: Checker.Result, functions: [Function?], variables: [String: Value], costLimit: Int) {
        self.checked = checked
        self.functions = functions
        self.variables = variables
        self.costLimit = costLimit
    }

    private mutating func charge(_ amount: Int) throws(EvaluationError) {
        cost += amount
        if cost > costLimit { throw .costLimit }
    }

    mutating func value(_ expression: Expression) throws(EvaluationError) -> Value {
        switch expression.node {
        case .literal(let value): return value
        case .identifier(let name): return try variable(name)
        case .select(let operand, let field, let isTest):
            if let name = checked.qualifiedNames[expression.id] { return try variable(name) }
            let target = try value(operand)
            if isTest { return .bool(try has(target, field)) }
            try charge(CallCost.select)
            return try Self.select(target, field)
        case .call(let name, let target, let arguments): return try call(expression, name, target, arguments)
        case .list(let elements): return try list(elements)
        case .map(let entries): return try map(entries)
        case .message(let name): throw EvaluationError("unknown type '\(name)'")
        case .loop(let loop): return try self.loop(loop)
        }
    }

    private mutating func variable(_ name: String) throws(EvaluationError) -> Value {
        try charge(CallCost.select)
        if let local = scope.last(where: { $0.name == name }) { return try local.value.get() }
        let plain = name.hasPrefix(".") ? String(name.dropFirst()) : name
        if let value = variables[plain] { return value }
        if let type = Environment.typeNames[plain] { return .type(type.valueTypeName) }
        throw EvaluationError("no such attribute(s): \(plain)")
    }

    // MARK: Fields and elements

    static func select(_ target: Value, _ field: String) throws(EvaluationError) -> Value {
        switch target {
        case .map(let map): if let value = map[field] { return value }
        case .optional(nil): return .optional(nil)
        case .optional(let inner?): return try optionalSelect(inner, field)
        case .opaque(let value): if let member = try value.member(field) { return member }
        default: break
        }
        throw .noKey(field)
    }

    private static func optionalSelect(_ target: Value, _ field: String) throws(EvaluationError) -> Value {
        switch target {
        case .optional(nil): return .optional(nil)
        case .optional(let inner?): return try optionalSelect(inner, field)
        case .map(let map): return .optional(map[field])
        case .opaque(let value): return .optional(try value.member(field))
        default: throw .noKey(field)
        }
    }

    private func has(_ target: Value, _ field: String) throws(EvaluationError) -> Bool {
        switch target {
        case .map(let map): map[field] != nil
        case .optional(let inner): try inner.map { value throws(EvaluationError) in try has(value, field) } ?? false
        case .opaque(let value): try value.member(field) != nil
        default: false
        }
    }

    static func element(_ target: Value, _ index: Value) throws(EvaluationError) -> Value {
        switch target {
        case .list(let list):
            let place = try self.index(index)
            guard list.elements.indices.contains(place) else {
                throw EvaluationError("index out of bounds: \(index.shown)")
            }
            return list.elements[place]
        case .map(let map):
            if let value = map[index] { return value }
            throw .noKey(index.shown)
        case .optional(nil): return .optional(nil)
        case .optional(let inner?): return try optionalElement(inner, index)
        default: throw .noOverload(Operator.index, [target, index])
        }
    }

    private static func optionalElement(_ target: Value, _ index: Value) throws(EvaluationError) -> Value {
        switch target {
        case .optional(nil): return .optional(nil)
        case .optional(let inner?): return try optionalElement(inner, index)
        case .list(let list):
            let place = try self.index(index)
            return .optional(list.elements.indices.contains(place) ? list.elements[place] : nil)
        case .map(let map): return .optional(map[index])
        default: throw .noOverload(Operator.optionalIndex, [target, index])
        }
    }

    private static func index(_ value: Value) throws(EvaluationError) -> Int {
        switch value {
        case .int(let index): return Int(index)
        case .uint(let index): return Int(clamping: index)
        case .double(let index): if let whole = Int(exactly: index) { return whole }
        default: break
        }
        throw EvaluationError("unsupported index type '\(value.typeName)' in list")
    }

    private mutating func list(_ elements: [Expression.Element]) throws(EvaluationError) -> Value {
        var values: [Value] = []
        values.reserveCapacity(elements.count)
        for element in elements {
            let value = try value(element.value)
            if !element.isOptional {
                values.append(value)
            } else if case .optional(let inner) = value {
                if let inner { values.append(inner) }
            } else {
                throw EvaluationError("cannot initialize optional list element from non-optional value")
            }
        }
        try charge(CallCost.list)
        return .list(values)
    }

    private mutating func map(_ entries: [Expression.Entry]) throws(EvaluationError) -> Value {
        var map = MapValue()
        for entry in entries {
            let key = try value(entry.key)
            var value = try value(entry.value)
            if entry.isOptional {
                guard case .optional(let inner) = value else {
                    throw EvaluationError("cannot initialize optional entry '\(key.shown)' from non-optional value")
                }
                guard let inner else { continue }
                value = inner
            }
            guard MapKey(key) != nil else { throw EvaluationError("unsupported key type: \(key.typeName)") }
            guard map.insert(key, value) else { throw EvaluationError("Failed with repeated key: \(key.shown)") }
        }
        try charge(CallCost.map)
        return .map(map)
    }

    // MARK: Calls

    private mutating func call(
        _ expression: Expression, _ name: String, _ target: Expression?, _ arguments: [Expression]
    ) throws(EvaluationError) -> Value {
        switch name {
        case Operator.and: return try logical(arguments, decisive: false, name)
        case Operator.or: return try logical(arguments, decisive: true, name)
        case Operator.conditional:
            guard let condition = try value(arguments[0]).bool else { throw EvaluationError("no such overload") }
            return try value(arguments[condition ? 1 : 2])
        case Operator.notStrictlyFalse: return .bool(try isNotStrictlyFalse(arguments[0]))
        case Operator.optionalSelect:
            let operand = try value(arguments[0])
            guard case .literal(.string(let field)) = arguments[1].node else { break }
            try charge(CallCost.select)
            return try Self.optionalSelect(operand, field)
        case Operator.index, Operator.optionalIndex:
            let operand = try value(arguments[0])
            let index = try value(arguments[1])
            try charge(CallCost.select)
            return name == Operator.index
                ? try Self.element(operand, index) : try Self.optionalElement(operand, index)
        case "orValue", "or":
            if let value = try alternative(name, target, arguments) { return value }
        default: break
        }
        return try apply(expression, target, arguments)
    }

    private mutating func apply(
        _ expression: Expression, _ target: Expression?, _ arguments: [Expression]
    ) throws(EvaluationError) -> Value {
        guard let function = functions[expression.id] else { throw EvaluationError("no such function") }
        var values: [Value] = []
        values.reserveCapacity(arguments.count + 1)
        let isMember = target != nil && checked.qualifiedNames[expression.id] == nil
        if isMember, let target { values.append(try value(target)) }
        for argument in arguments { values.append(try value(argument)) }
        let candidates = checked.overloads[expression.id]
        let overload = candidates.count == 1 ? candidates[0] : ""
        guard let body = function.body(for: values, isMember: isMember) else {
            throw .noOverload(function.name, values)
        }
        // What can be known before the work is done is charged before.
        try charge(CallCost.before(function.name, overload, values))
        let result = try body(values)
        try charge(CallCost.after(function.name, result))
        return result
    }

    /// `&&` and `||`: one side that decides is enough, whatever the other is.
    private mutating func logical(
        _ arguments: [Expression], decisive: Bool, _ name: String
    ) throws(EvaluationError) -> Value {
        var failure: EvaluationError?
        for argument in arguments {
            do throws(EvaluationError) {
                let value = try value(argument)
                guard let bool = value.bool else { throw EvaluationError("no such overload") }
                if bool == decisive { return .bool(decisive) }
            } catch {
                if error.isFinal { throw error }
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return .bool(!decisive)
    }

    private mutating func isNotStrictlyFalse(_ expression: Expression) throws(EvaluationError) -> Bool {
        do throws(EvaluationError) {
            let result = try value(expression).bool != false
            try charge(1)
            return result
        } catch {
            if error.isFinal { throw error }
            return true
        }
    }

    /// `optional.orValue(e)` and `optional.or(e)`, which look at `e` only when they need it.
    private mutating func alternative(
        _ name: String, _ target: Expression?, _ arguments: [Expression]
    ) throws(EvaluationError) -> Value? {
        guard let target, arguments.count == 1, case .optional(let inner) = try value(target) else { return nil }
        if let inner { return name == "or" ? .optional(inner) : inner }
        return try value(arguments[0])
    }

    // MARK: Loops

    private mutating func loop(_ loop: Expression.Loop) throws(EvaluationError) -> Value {
        let range = try value(loop.range)
        let elements: [Value]
        switch range {
        case .list(let list): elements = list.elements
        case .map(let map): elements = map.keys
        default: throw EvaluationError("got '\(range.typeName)', expected iterable type")
        }
        let depth = scope.count
        defer { scope.removeSubrange(depth...) }
        scope.append((loop.accumulator, .success(try value(loop.start))))
        for element in elements {
            guard try value(loop.condition).bool ?? true else { break }
            scope.append((loop.variable, .success(element)))
            do throws(EvaluationError) {
                try advance(loop.step, accumulator: depth, loop.accumulator)
            } catch {
                if error.isFinal { throw error }
                scope[depth].value = .failure(error)
            }
            scope.removeLast()
        }
        return try value(loop.result)
    }

    /// Sets the accumulator to the value of the step; lists grow in place.
    private mutating func advance(
        _ step: Expression, accumulator place: Int, _ name: String
    ) throws(EvaluationError) {
        if case .call(let function, nil, let arguments) = step.node {
            if function == Operator.conditional, arguments[2].isIdentifier(name) {
                guard let condition = try value(arguments[0]).bool else { throw EvaluationError("no such overload") }
                if condition { return try advance(arguments[1], accumulator: place, name) }
                return try charge(CallCost.select)
            }
            if function == Operator.add, arguments[0].isIdentifier(name), case .list = arguments[1].node,
                case .success(.list(var list)) = scope[place].value
            {
                scope[place].value = .success(.null)
                let values = try value(arguments[1])
                try charge(CallCost.select + 1)
                list.elements += values.elements ?? []
                scope[place].value = .success(.list(list))
                return
            }
        }
        scope[place].value = .success(try value(step))
    }
}

extension Expression {
    fileprivate func isIdentifier(_ name: String) -> Bool {
        if case .identifier(name) = node { true } else { false }
    }
}

extension ValueType {
    /// The name that `type()` gives for values of the type.
    var valueTypeName: String {
        switch self {
        case .null: "null_type"
        case .list: "list"
        case .map: "map"
        case .type: "type"
        case .timestamp: "google.protobuf.Timestamp"
        case .duration: "google.protobuf.Duration"
        case .optional: "optional_type"
        default: description
        }
    }
}

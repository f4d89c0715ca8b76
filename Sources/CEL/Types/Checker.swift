/// Finds the type of every part of an expression, and what does not fit (cel-go, `checker/checker.go`).
struct Checker {
    /// What is known after the check, by the ids of the nodes.
    struct Result: Sendable {
        var types: [ValueType]
        /// The forms of a function that a call can mean.
        var overloads: [[String]]
        /// Names with dots that mean one variable or one function (`optional.of`, `authorizer.requestResource`).
        var qualifiedNames: [Int: String] = [:]
        /// The variables that occur.
        var variables: Set<String> = []
    }

    private let environment: Environment
    private var bindings = TypeBindings()
    private var scopes: [[String: ValueType]] = []
    private var problems: [Problem] = []
    private var result: Result

    static func check(
        _ root: Expression, count: Int, in environment: Environment, source: SourceText
    ) throws(CompilationError) -> Result {
        var checker = Checker(
            environment: environment,
            result: Result(
                types: Array(repeating: .dyn, count: count), overloads: Array(repeating: [], count: count)))
        checker.check(root)
        guard checker.problems.isEmpty else { throw CompilationError(checker.problems, in: source) }
        for index in checker.result.types.indices {
            checker.result.types[index] = checker.bindings.resolve(checker.result.types[index], closing: true)
        }
        return checker.result
    }

    private init(environment: Environment, result: Result) {
        self.environment = environment
        self.result = result
    }

    private mutating func complain(_ expression: Expression, _ message: String) {
        problems.append(Problem(offset: expression.offset, message: message))
    }

    private mutating func undeclared(_ name: String, _ expression: Expression) -> ValueType {
        complain(expression, "undeclared reference to '\(name)' (in container '')")
        return .error
    }

    @discardableResult
    private mutating func check(_ expression: Expression) -> ValueType {
        let type: ValueType =
            switch expression.node {
            case .literal(let value): literal(value)
            case .identifier(let name): variable(name) ?? undeclared(name, expression)
            case .select(let operand, let field, let isTest): select(expression, operand, field, isTest)
            case .call(let function, let target, let arguments): call(expression, function, target, arguments)
            case .list(let elements): .list(common(elements.map { ($0.value, $0.isOptional) }))
            case .map(let entries):
                .map(
                    common(entries.map { ($0.key, false) }),
                    common(entries.map { ($0.value, $0.isOptional) }))
            case .message(let name): undeclared(name, expression)
            case .loop(let loop): self.loop(loop)
            }
        result.types[expression.id] = type
        return type
    }

    private func literal(_ value: Value) -> ValueType {
        switch value {
        case .bool: .bool
        case .int: .int
        case .uint: .uint
        case .double: .double
        case .string: .string
        case .bytes: .bytes
        default: .null
        }
    }

    private mutating func variable(_ name: String) -> ValueType? {
        let plain = name.hasPrefix(".") ? String(name.dropFirst()) : name
        if plain == name {
            for scope in scopes.reversed() { if let type = scope[name] { return type } }
        }
        if let declared = environment.variables[plain] {
            result.variables.insert(plain)
            return declared.type
        }
        return Environment.typeNames[plain].map { .type($0) }
    }

    // MARK: Fields

    /// The dotted name that an expression spells; nil for everything else.
    private static func qualifiedName(_ expression: Expression) -> String? {
        switch expression.node {
        case .identifier(let name): name
        case .select(let operand, let field, isTest: false): qualifiedName(operand).map { "\($0).\(field)" }
        default: nil
        }
    }

    private func isLocal(_ name: String) -> Bool {
        let first = name.prefix { $0 != "." }
        return scopes.contains { $0[String(first)] != nil }
    }

    private mutating func select(
        _ expression: Expression, _ operand: Expression, _ field: String, _ isTest: Bool
    ) -> ValueType {
        if !isTest, let name = Self.qualifiedName(expression), !isLocal(name), let type = variable(name) {
            result.qualifiedNames[expression.id] = name
            return type
        }
        let type = selected(expression, operand, field)
        return isTest ? .bool : bindings.resolve(type)
    }

    private mutating func selected(_ expression: Expression, _ operand: Expression, _ field: String) -> ValueType {
        var target = bindings.resolve(check(operand))
        var isOptional = false
        if case .optional(let inner) = target {
            target = inner
            isOptional = true
        }
        let type: ValueType
        switch target {
        case .map(_, let value): type = value
        case .object(let object):
            if let declared = object.fields[field] {
                type = declared.type
            } else {
                complain(expression, "undefined field '\(field)'")
                type = .error
            }
        case .unknown:
            _ = bindings.fit(.dyn, target)
            type = .dyn
        case .dyn, .error: type = .dyn
        default:
            complain(expression, "type '\(target)' does not support field selection")
            type = .dyn
        }
        return isOptional ? .optional(type) : type
    }

    // MARK: Calls

    private mutating func call(
        _ expression: Expression, _ name: String, _ target: Expression?, _ arguments: [Expression]
    ) -> ValueType {
        if name == Operator.optionalSelect, case .literal(.string(let field)) = arguments[1].node {
            let type = selected(expression, arguments[0], field)
            result.types[arguments[1].id] = .string
            if case .optional = type { return bindings.resolve(type) }
            return .optional(bindings.resolve(type))
        }
        guard let target else {
            for argument in arguments { check(argument) }
            guard let function = environment.functions[name] else { return undeclared(name, expression) }
            return resolve(expression, function, isMember: false, arguments)
        }
        if let prefix = Self.qualifiedName(target), let function = environment.functions["\(prefix).\(name)"] {
            result.qualifiedNames[expression.id] = function.name
            for argument in arguments { check(argument) }
            return resolve(expression, function, isMember: false, arguments)
        }
        for argument in arguments { check(argument) }
        check(target)
        guard let function = environment.functions[name] else { return undeclared(name, expression) }
        return resolve(expression, function, isMember: true, [target] + arguments)
    }

    private mutating func resolve(
        _ expression: Expression, _ function: Function, isMember: Bool, _ arguments: [Expression]
    ) -> ValueType {
        let types = arguments.map { result.types[$0.id] }
        if function.name == Operator.and || function.name == Operator.or {
            return logical(expression, function, arguments, types)
        }
        var found: ValueType?
        for overload in function.overloads where overload.isMember == isMember {
            let form = bindings.instantiate(overload)
            guard bindings.fit(types, form.parameters) else { continue }
            result.overloads[expression.id].append(overload.id)
            let type = bindings.resolve(form.result)
            found = found.map { $0 == type || $0 == .dyn ? $0 : .dyn } ?? type
        }
        if let found { return found }
        let shown = types.map { bindings.resolve($0, closing: true).description }
        let signature =
            isMember
            ? "\(shown[0]).(\(shown.dropFirst().joined(separator: ", ")))" : "(\(shown.joined(separator: ", ")))"
        complain(expression, "found no matching overload for '\(function.name)' applied to '\(signature)'")
        return .error
    }

    private mutating func logical(
        _ expression: Expression, _ function: Function, _ arguments: [Expression], _ types: [ValueType]
    ) -> ValueType {
        var isRight = true
        for (argument, type) in zip(arguments, types) where !bindings.fit(type, .bool) {
            complain(argument, "expected type 'bool' but found '\(bindings.resolve(type))'")
            isRight = false
        }
        result.overloads[expression.id] = function.overloads.map(\.id)
        return isRight ? .bool : .error
    }

    // MARK: Lists, maps, loops

    /// The one type of all elements of a literal; Kubernetes allows no mixture.
    private mutating func common(_ elements: [(Expression, isOptional: Bool)]) -> ValueType {
        var common: ValueType?
        for (element, isOptional) in elements {
            var type = check(element)
            if isOptional {
                switch bindings.resolve(type) {
                case .optional(let inner): type = inner
                case .dyn, .error: break
                case let other:
                    complain(element, "expected type 'optional_type(\(other))' but found '\(other)'")
                }
            }
            guard let known = common else {
                common = type
                continue
            }
            if bindings.fit(known, type) {
                if bindings.resolve(type) == .dyn { common = .dyn }
            } else {
                complain(
                    element, "expected type '\(bindings.resolve(known))' but found '\(bindings.resolve(type))'")
                common = .error
            }
        }
        return common ?? bindings.fresh()
    }

    private mutating func loop(_ loop: Expression.Loop) -> ValueType {
        let range = bindings.resolve(check(loop.range))
        let start = check(loop.start)
        scopes.append([loop.accumulator: start])
        let element: ValueType
        switch range {
        case .list(let type): element = type
        case .map(let key, _): element = key
        case .dyn, .error, .unknown:
            _ = bindings.fit(.dyn, range)
            element = .dyn
        default:
            complain(
                loop.range,
                "expression of type '\(range)' cannot be range of a comprehension (must be list, map, or dynamic)")
            element = .error
        }
        scopes.append([loop.variable: element])
        require(loop.condition, .bool)
        require(loop.step, start)
        scopes.removeLast()
        let result = check(loop.result)
        scopes.removeLast()
        return bindings.resolve(result)
    }

    private mutating func require(_ expression: Expression, _ wanted: ValueType) {
        let found = check(expression)
        guard !bindings.fit(wanted, found) else { return }
        complain(expression, "expected type '\(bindings.resolve(wanted))' but found '\(bindings.resolve(found))'")
    }
}

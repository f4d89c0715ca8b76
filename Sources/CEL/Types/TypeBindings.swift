/// What is known about types that were open at first, and the rules of which type fits where.
///
/// Source: cel-go, `checker/types.go`.
struct TypeBindings {
    private var bound: [Int: ValueType] = [:]
    private var count = 0

    /// A type that is not known yet.
    mutating func fresh() -> ValueType {
        defer { count += 1 }
        return .unknown(count)
    }

    /// The type with all that is known put in; with `closing`, what is still open is `dyn`.
    func resolve(_ type: ValueType, closing: Bool = false) -> ValueType {
        switch type {
        case .unknown(let number):
            if let known = bound[number] { return resolve(known, closing: closing) }
            return closing ? .dyn : type
        case .list(let element): return .list(resolve(element, closing: closing))
        case .map(let key, let value): return .map(resolve(key, closing: closing), resolve(value, closing: closing))
        case .optional(let value): return .optional(resolve(value, closing: closing))
        case .type(let inner): return .type(resolve(inner, closing: closing))
        default: return type
        }
    }

    /// Whether a value of one type can stand where the other is wanted; open types become known by that.
    mutating func fit(_ left: ValueType, _ right: ValueType) -> Bool {
        let saved = bound
        if unify(left, right) { return true }
        bound = saved
        return false
    }

    mutating func fit(_ left: [ValueType], _ right: [ValueType]) -> Bool {
        guard left.count == right.count else { return false }
        let saved = bound
        for (one, other) in zip(left, right) where !unify(one, other) {
            bound = saved
            return false
        }
        return true
    }

    private mutating func unify(_ left: ValueType, _ right: ValueType) -> Bool {
        if case .unknown(let number) = right { return bind(number, left) }
        if case .unknown(let number) = left { return bind(number, right) }
        switch (left, right) {
        case (.dyn, _), (_, .dyn), (.error, _), (_, .error): return true
        case (.null, _): return right == .null || right.isNullable
        case (_, .null): return left.isNullable
        case (.list(let one), .list(let other)): return unify(one, other)
        case (.map(let key, let value), .map(let otherKey, let otherValue)):
            return unify(key, otherKey) && unify(value, otherValue)
        case (.optional(let one), .optional(let other)): return unify(one, other)
        case (.type, .type): return true
        default: return left == right
        }
    }

    private mutating func bind(_ number: Int, _ type: ValueType) -> Bool {
        if case .unknown(number) = type { return true }
        if let known = bound[number] {
            guard unify(known, type) else { return false }
            if type == .dyn, known != .dyn { bound[number] = .dyn }
            return true
        }
        guard !occurs(number, in: type) else { return false }
        bound[number] = type
        return true
    }

    private func occurs(_ number: Int, in type: ValueType) -> Bool {
        switch type {
        case .unknown(let other):
            return other == number || (bound[other].map { occurs(number, in: $0) } ?? false)
        case .list(let inner), .optional(let inner), .type(let inner): return occurs(number, in: inner)
        case .map(let key, let value): return occurs(number, in: key) || occurs(number, in: value)
        default: return false
        }
    }

    /// A declared form with its parameters replaced by types that are not known yet.
    mutating func instantiate(_ overload: Function.Overload) -> (parameters: [ValueType], result: ValueType) {
        var fresh: [String: ValueType] = [:]
        let parameters = overload.parameters.map { replace($0, &fresh) }
        return (parameters, replace(overload.result, &fresh))
    }

    private mutating func replace(_ type: ValueType, _ fresh: inout [String: ValueType]) -> ValueType {
        switch type {
        case .parameter(let name):
            if let known = fresh[name] { return known }
            let new = self.fresh()
            fresh[name] = new
            return new
        case .list(let element): return .list(replace(element, &fresh))
        case .map(let key, let value): return .map(replace(key, &fresh), replace(value, &fresh))
        case .optional(let value): return .optional(replace(value, &fresh))
        case .type(let inner): return .type(replace(inner, &fresh))
        default: return type
        }
    }
}

extension ValueType {
    /// Whether null can stand for a value of the type.
    fileprivate var isNullable: Bool {
        switch self {
        case .object, .opaque, .optional, .timestamp, .duration: true
        default: false
        }
    }
}

/// A parsed expression.
struct Expression: Sendable {
    /// Tells the nodes of one expression apart; from 0, without gaps.
    let id: Int
    /// The place that messages about the node point to.
    let offset: Int
    let node: Node

    indirect enum Node: Sendable {
        case literal(Value)
        case identifier(String)
        /// `operand.field`; with `isTest` it asks whether the field is there (`has`).
        case select(Expression, field: String, isTest: Bool)
        case call(function: String, target: Expression?, arguments: [Expression])
        case list([Element])
        case map([Entry])
        /// `Name{…}`: there are no such types here, but the parser knows the form.
        case message(name: String)
        case loop(Loop)
    }

    struct Element: Sendable {
        let value: Expression
        /// `[?value]`: nothing if the value is `optional.none()`.
        let isOptional: Bool
    }

    struct Entry: Sendable {
        let key: Expression
        let value: Expression
        let isOptional: Bool
    }

    /// What `all`, `exists`, `map` and the like stand for.
    struct Loop: Sendable {
        let variable: String
        let range: Expression
        let accumulator: String
        let start: Expression
        /// Whether to go on.
        let condition: Expression
        let step: Expression
        let result: Expression
    }
}

/// The names of operators as functions, as messages show them.
enum Operator {
    static let conditional = "_?_:_"
    static let and = "_&&_"
    static let or = "_||_"
    static let not = "!_"
    static let negate = "-_"
    static let add = "_+_"
    static let subtract = "_-_"
    static let multiply = "_*_"
    static let divide = "_/_"
    static let modulo = "_%_"
    static let equals = "_==_"
    static let notEquals = "_!=_"
    static let less = "_<_"
    static let lessEquals = "_<=_"
    static let greater = "_>_"
    static let greaterEquals = "_>=_"
    static let isIn = "@in"
    static let index = "_[_]"
    static let optionalIndex = "_[?_]"
    static let optionalSelect = "_?._"
    static let notStrictlyFalse = "@not_strictly_false"
}

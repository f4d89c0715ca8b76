/// An expression that was checked and can be evaluated any number of times.
public struct Program: Sendable {
    let root: Expression
    let checked: Checker.Result
    private let functions: [Function?]

    init(root: Expression, checked: Checker.Result, environment: Environment) {
        self.root = root
        self.checked = checked
        var functions = [Function?](repeating: nil, count: checked.types.count)
        root.forEach { node in
            guard case .call(let name, _, _) = node.node else { return }
            functions[node.id] = environment.functions[checked.qualifiedNames[node.id] ?? name]
        }
        self.functions = functions
    }

    /// What the expression gives.
    public var resultType: ValueType { checked.types[root.id] }

    /// Whether a variable occurs in the expression.
    public func uses(_ variable: String) -> Bool { checked.variables.contains(variable) }

    /// What became of an evaluation, and what it cost.
    public struct Outcome: Sendable {
        public let result: Result<Value, EvaluationError>
        public let cost: Int
    }

    /// Evaluates the expression.
    ///
    /// - Parameters:
    ///   - variables: Those that have a value; reading another is an error.
    ///   - costLimit: Where the evaluation is given up, in the units of Kubernetes.
    public func evaluate(_ variables: [String: Value], costLimit: Int) -> Outcome {
        var evaluator = Evaluator(checked: checked, functions: functions, variables: variables, costLimit: costLimit)
        do throws(EvaluationError) {
            let value = try evaluator.value(root)
            return Outcome(result: .success(value), cost: evaluator.cost)
        } catch {
            return Outcome(result: .failure(error), cost: evaluator.cost)
        }
    }
}

extension Expression {
    /// The parts directly below.
    var children: [Expression] {
        switch node {
        case .literal, .identifier, .message: []
        case .select(let operand, _, _): [operand]
        case .call(_, let target, let arguments): (target.map { [$0] } ?? []) + arguments
        case .list(let elements): elements.map(\.value)
        case .map(let entries): entries.flatMap { [$0.key, $0.value] }
        case .loop(let loop): [loop.range, loop.start, loop.condition, loop.step, loop.result]
        }
    }

    /// Visits the node and everything below it.
    func forEach(_ visit: (Expression) -> Void) {
        visit(self)
        for child in children { child.forEach(visit) }
    }
}

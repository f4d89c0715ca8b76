import CEL
import KubeModel
import Synchronization

/// The value of `variables`: each is evaluated when it is first looked at, and once.
final class PolicyVariables: OpaqueValue {
    private struct State {
        var values: [String: Result<Value, EvaluationError>] = [:]
        var cost = 0
    }

    private let expressions: [String: CompiledExpression]
    private let others: [String: Value]
    private let state = Mutex(State())

    /// - Parameter others: The variables that the expressions know besides these.
    init(_ expressions: [String: CompiledExpression], others: [String: Value]) {
        self.expressions = expressions
        self.others = others
    }

    var typeName: String { AdmissionExpressions.variablesType }

    func isEqual(to other: any OpaqueValue) -> Bool { (other as? PolicyVariables) === self }

    func member(_ name: String) throws(EvaluationError) -> Value? {
        guard let expression = expressions[name] else { return nil }
        if let known = state.withLock({ $0.values[name] }) { return try known.get() }
        // Not under the lock: an expression may look at the variables before it.
        let (result, cost) = evaluate(name, expression)
        state.withLock { state in
            state.values[name] = result
            state.cost += cost
        }
        return try result.get()
    }

    private func evaluate(_ name: String, _ expression: CompiledExpression) -> (Result<Value, EvaluationError>, Int) {
        let title = "composited variable \(GoText.quote(name))"
        switch expression.program {
        case .failure(let refusal):
            return (.failure(EvaluationError("\(title) fails to compile: \(refusal.message)")), 0)
        case .success(let program):
            var variables = others
            variables["variables"] = .opaque(self)
            let outcome = program.evaluate(variables, costLimit: ExpressionBudget.perCall)
            let result = outcome.result.mapError {
                EvaluationError("\(title) fails to evaluate: \($0.message)", isFinal: $0.isFinal)
            }
            return (result, outcome.cost)
        }
    }

    /// What the variables have cost since this was last asked.
    func takeCost() -> Int {
        state.withLock { state in
            defer { state.cost = 0 }
            return state.cost
        }
    }
}

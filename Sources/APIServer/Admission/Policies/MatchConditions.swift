import CEL
import KubeModel

/// The conditions in CEL that a request must meet before a policy or a webhook is asked (`matchConditions`).
struct MatchConditions: Sendable {
    enum Verdict: Sendable, Equatable {
        case met
        case notMet
        /// A condition cannot be evaluated, and none of the others says no; what follows is for the failure policy.
        case unknown(String)
    }

    private let conditions: [CompiledExpression]

    /// - Parameters:
    ///   - list: The elements of `matchConditions`.
    ///   - hasParams: Whether the conditions know `params`.
    init(_ list: [JSONValue], hasParams: Bool = false) {
        let expressions = AdmissionExpressions(hasParams: hasParams)
        conditions = list.map {
            CompiledExpression(($0["expression"]?.string ?? "").trimmingBlanks, as: .condition, expressions)
        }
    }

    /// Judges a request by what expressions know of it: `PolicyRequest.variables(as:)`.
    func verdict(_ variables: [String: Value]) -> Verdict {
        var failures: [String] = []
        var budget = ExpressionBudget.perMatch
        for condition in conditions {
            switch condition.evaluate(variables, budget: &budget) {
            case .success(.bool(true)): continue
            case .success: return .notMet
            case .failure(let error): failures.append(error.message)
            }
        }
        guard !failures.isEmpty else { return .met }
        return .unknown(failures.count == 1 ? failures[0] : "[\(failures.joined(separator: ", "))]")
    }
}

/// An expression with its program, or the reason why it has none.
struct CompiledExpression: Sendable {
    let text: String
    let program: Result<Program, AdmissionExpressions.Refusal>

    init(_ text: String, as purpose: AdmissionExpressions.Purpose, _ expressions: AdmissionExpressions) {
        self.text = text
        do throws(AdmissionExpressions.Refusal) {
            program = .success(try expressions.compile(text, as: purpose))
        } catch {
            program = .failure(error)
        }
    }

    /// The value, or the reason why there is none in Kubernetes' words.
    func evaluate(_ variables: [String: Value], budget: inout Int) -> Result<Value, EvaluationError> {
        let outOfBudget = EvaluationError(
            "validation failed due to running out of cost budget, no further validation rules will be run")
        let compiled: Program
        switch program {
        case .success(let program): compiled = program
        case .failure(let refusal): return .failure(EvaluationError("compilation error: \(refusal.message)"))
        }
        guard budget > 0 else { return .failure(outOfBudget) }
        let outcome = compiled.evaluate(variables, costLimit: ExpressionBudget.perCall)
        budget -= outcome.cost + (variables["variables"]?.opaque(PolicyVariables.self)?.takeCost() ?? 0)
        if budget < 0 { return .failure(outOfBudget) }
        return outcome.result.mapError { EvaluationError("expression '\(text)' resulted in error: \($0.message)") }
    }
}

extension String {
    /// The text without blanks at its ends.
    var trimmingBlanks: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}

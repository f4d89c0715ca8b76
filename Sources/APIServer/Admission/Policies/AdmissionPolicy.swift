import CEL
import KubeModel

/// A ValidatingAdmissionPolicy, compiled.
///
/// Source: Kubernetes, `apiserver/pkg/admission/plugin/policy/validating`.
struct AdmissionPolicy: Sendable {
    struct Validation: Sendable {
        let expression: CompiledExpression
        let message: String
        let messageExpression: CompiledExpression?
        let reason: String
    }

    struct Remark: Sendable {
        let key: String
        let expression: CompiledExpression
    }

    let name: String
    let match: MatchResources
    let ignoresFailures: Bool
    let paramKind: (apiVersion: String, kind: String)?
    private let conditions: MatchConditions
    private let variables: [String: CompiledExpression]
    private let validations: [Validation]
    private let remarks: [Remark]

    init(_ policy: KubeObject) {
        let spec = policy.value["spec"] ?? [:]
        func list(_ member: String) -> [JSONValue] { spec[member]?.array ?? [] }
        name = policy.name
        match = MatchResources(spec["matchConstraints"])
        ignoresFailures = spec["failurePolicy"] == "Ignore"
        paramKind = spec["paramKind"].map { ($0["apiVersion"]?.string ?? "", $0["kind"]?.string ?? "") }
        let hasParams = paramKind != nil
        conditions = MatchConditions(list("matchConditions"), hasParams: hasParams)
        var expressions = AdmissionExpressions(hasParams: hasParams)
        var variables: [String: CompiledExpression] = [:]
        for variable in list("variables") {
            let (name, text) = (variable["name"]?.string ?? "", variable["expression"]?.string ?? "")
            variables[name] = CompiledExpression(text, as: .variable, expressions)
            _ = expressions.declare(name, text)
        }
        self.variables = variables
        let complete = expressions
        validations = list("validations").map { value in
            let messageText = value["messageExpression"]?.string ?? ""
            return Validation(
                expression: CompiledExpression(value["expression"]?.string ?? "", as: .condition, complete),
                message: (value["message"]?.string ?? "").trimmingBlanks,
                messageExpression: messageText.isEmpty
                    ? nil : CompiledExpression(messageText, as: .message, complete),
                reason: value["reason"]?.string ?? "Invalid")
        }
        remarks = list("auditAnnotations").map { value in
            Remark(
                key: value["key"]?.string ?? "",
                expression: CompiledExpression(value["valueExpression"]?.string ?? "", as: .remark, complete))
        }
    }

    /// What the policy says of one request with one set of parameters.
    struct Verdict: Sendable {
        /// A demand that is not met, or cannot be judged.
        struct Failure: Sendable, Equatable {
            let index: Int
            let message: String
            let reason: String
        }

        var failures: [Failure] = []
        /// Why a remark could not be made; refuses the request whatever the binding wants.
        var errors: [String] = []
        var remarks: [(key: String, value: String)] = []
    }

    /// - Parameter known: What expressions know of the request, `params` included.
    func verdict(_ known: [String: Value]) -> Verdict {
        var verdict = Verdict()
        switch conditions.verdict(known) {
        case .notMet: return verdict
        case .unknown(let why):
            if !ignoresFailures { verdict.failures = [Verdict.Failure(index: 0, message: why, reason: "Invalid")] }
            return verdict
        case .met: break
        }
        var all = known
        all["variables"] = .opaque(PolicyVariables(variables, others: known))
        var budget = ExpressionBudget.perObject
        for (index, validation) in validations.enumerated() {
            switch validation.expression.evaluate(all, budget: &budget) {
            case .success(.bool(true)): continue
            case .success:
                let message = message(of: validation, all, &budget)
                verdict.failures.append(
                    Verdict.Failure(index: index, message: message, reason: validation.reason))
            case .failure(let error) where !ignoresFailures:
                verdict.failures.append(
                    Verdict.Failure(index: index, message: error.message, reason: "Invalid"))
            case .failure: continue
            }
        }
        evaluateRemarks(all, &verdict)
        return verdict
    }

    private func message(of validation: Validation, _ variables: [String: Value], _ budget: inout Int) -> String {
        if let expression = validation.messageExpression {
            var known = variables
            known["authorizer"] = nil
            if case .success(let value) = expression.evaluate(known, budget: &budget),
                let text = value.string?.trimmingBlanks, !text.isEmpty, !text.contains("\n"),
                text.utf8.count <= ExpressionBudget.messageBytesMax
            {
                return text
            }
        }
        if !validation.message.isEmpty { return validation.message }
        return "failed expression: \(validation.expression.text.trimmingBlanks)"
    }

    private func evaluateRemarks(_ variables: [String: Value], _ verdict: inout Verdict) {
        var budget = ExpressionBudget.perObject
        for remark in remarks {
            switch remark.expression.evaluate(variables, budget: &budget) {
            case .success(let value):
                let text = (value.string ?? "").trimmingBlanks
                if !text.isEmpty {
                    verdict.remarks.append((remark.key, String(decoding: text.utf8.prefix(10 * 1024), as: UTF8.self)))
                }
            case .failure(let error):
                if !ignoresFailures { verdict.errors.append(error.message) }
            }
        }
    }
}

/// A ValidatingAdmissionPolicyBinding, as code reads it.
struct AdmissionPolicyBinding: Sendable {
    let name: String
    let policyName: String
    let match: MatchResources?
    let actions: [String]
    let params: Params?

    struct Params: Sendable {
        let name: String
        let namespace: String
        let selector: LabelSelector?
        let isNeeded: Bool
    }

    init(_ binding: KubeObject) {
        let spec = binding.value["spec"] ?? [:]
        name = binding.name
        policyName = spec["policyName"]?.string ?? ""
        match = spec["matchResources"].map { MatchResources($0) }
        actions = (spec["validationActions"]?.array ?? []).compactMap(\.string)
        params = spec["paramRef"].map { ref in
            Params(
                name: ref["name"]?.string ?? "", namespace: ref["namespace"]?.string ?? "",
                selector: ref["selector"].map { LabelSelector($0) }, isNeeded: ref["parameterNotFoundAction"] == "Deny")
        }
    }
}

import CEL

/// What holds for policies and their bindings.
///
/// Source: Kubernetes, `pkg/apis/admissionregistration/validation`.
enum PolicyRules {
    static func check(_ policy: KubeObject, _ errors: inout [FieldError]) {
        let spec = policy.value["spec"] ?? [:]
        let path = FieldPath("spec")
        errors.oneOf(path.child("failurePolicy"), spec["failurePolicy"]?.string, ["Fail", "Ignore"])
        if let kind = spec["paramKind"] { checkParamKind(kind, path.child("paramKind"), &errors) }
        let constraints = path.child("matchConstraints")
        if let match = spec["matchConstraints"] {
            checkMatch(match, constraints, &errors)
            if match.list("resourceRules").isEmpty { errors.append(.required(constraints.child("resourceRules"))) }
        } else {
            errors.append(.required(constraints))
        }
        let hasParams = spec["paramKind"] != nil
        MatchConditionRules.check(
            spec.list("matchConditions"), hasParams: hasParams, path.child("matchConditions"), &errors)
        var expressions = AdmissionExpressions(hasParams: hasParams)
        for (index, variable) in spec.list("variables").enumerated() {
            checkVariable(variable, &expressions, path.child("variables")[index], &errors)
        }
        let validations = spec.list("validations")
        let annotations = spec.list("auditAnnotations")
        if validations.isEmpty, annotations.isEmpty {
            for member in ["validations", "auditAnnotations"] {
                errors.append(
                    .required(
                        path.child(member), "validations or auditAnnotations must contain at least one item"))
            }
        }
        for (index, validation) in validations.enumerated() {
            checkValidation(validation, expressions, path.child("validations")[index], &errors)
        }
        checkAnnotations(annotations, of: policy.name, expressions, path.child("auditAnnotations"), &errors)
    }

    // MARK: Expressions

    private static func checkVariable(
        _ variable: JSONValue, _ expressions: inout AdmissionExpressions, _ path: FieldPath,
        _ errors: inout [FieldError]
    ) {
        let name = variable["name"]?.string ?? ""
        if name.trimmed.isEmpty {
            errors.append(.required(path.child("name"), "name is not specified"))
        } else if !ExpressionName.isIdentifier(name) {
            errors.append(.invalid(path.child("name"), .string(name), "name is not a valid CEL identifier"))
        }
        let text = variable["expression"]?.string ?? ""
        guard !text.trimmed.isEmpty else {
            return errors.append(.required(path.child("expression"), "expression is not specified"))
        }
        if let error = expressions.declare(name, text) {
            errors.append(.invalid(path.child("expression"), .string(text), error))
        }
    }

    private static let reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"]

    private static func checkValidation(
        _ validation: JSONValue, _ expressions: AdmissionExpressions, _ path: FieldPath,
        _ errors: inout [FieldError]
    ) {
        let text = validation["expression"]?.string ?? ""
        if text.trimmed.isEmpty {
            errors.append(.required(path.child("expression"), "expression is not specified"))
        } else if let error = expressions.complaint(about: text, as: .condition) {
            errors.append(.invalid(path.child("expression"), .string(text), error))
        }
        if let text = validation["messageExpression"]?.string, !text.isEmpty {
            let path = path.child("messageExpression")
            if text.trimmed.isEmpty {
                errors.append(.invalid(path, .string(text), "must be non-empty if specified"))
            } else if let error = expressions.complaint(about: text, as: .message) {
                errors.append(.invalid(path, .string(text), error))
            }
        }
        if let message = validation["message"]?.string, !message.isEmpty {
            let path = path.child("message")
            if message.trimmed.isEmpty {
                errors.append(.invalid(path, .string(message), "message must be non-empty if specified"))
            } else if message.trimmed.contains(where: \.isNewline) {
                errors.append(.invalid(path, .string(message), "message must not contain line breaks"))
            }
        }
        errors.oneOf(path.child("reason"), validation["reason"]?.string, reasons)
    }

    private static func checkAnnotations(
        _ annotations: [JSONValue], of policy: String, _ expressions: AdmissionExpressions, _ path: FieldPath,
        _ errors: inout [FieldError]
    ) {
        if annotations.count > 20 {
            errors.append(.invalid(path, .array(annotations), "must not have more than 20 auditAnnotations"))
        }
        var keys: Set<String> = []
        for (index, annotation) in annotations.enumerated() {
            let path = path[index]
            let key = annotation["key"]?.string ?? ""
            errors.complain(path.child("key"), "\(policy)/\(key)", NameSyntax.qualifiedName("\(policy)/\(key)"))
            if !keys.insert(key).inserted { errors.append(.duplicate(path.child("key"), .string(key))) }
            let text = annotation["valueExpression"]?.string ?? ""
            let place = path.child("valueExpression")
            if text.trimmed.isEmpty {
                errors.append(.required(place, "valueExpression is not specified"))
            } else if text.trimmed.utf8.count > 5 * 1024 {
                errors.append(.required(place, "must not exceed \(5 * 1024) bytes in length"))
            } else if let error = expressions.complaint(about: text, as: .remark) {
                errors.append(.invalid(place, .string(text), error))
            }
        }
    }

    // MARK: Which requests

    private static func checkParamKind(_ kind: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let version = kind["apiVersion"]?.string ?? ""
        let parts = version.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if version.isEmpty {
            errors.append(.required(path.child("apiVersion")))
        } else if parts.count > 2 {
            errors.append(
                .invalid(path.child("apiVersion"), .string(version), "unexpected GroupVersion string: \(version)"))
        } else {
            if parts.count == 2 { errors.allow(path.child("apiVersion"), parts[0], NameSyntax.dnsSubdomain) }
            if let last = parts.last, last.isEmpty {
                errors.append(.invalid(path.child("apiVersion"), .string(version), "version must be specified"))
            } else {
                errors.allow(path.child("apiVersion"), parts.last, NameSyntax.dns1035Label)
            }
        }
        let name = kind["kind"]?.string ?? ""
        if name.isEmpty {
            errors.append(.required(path.child("kind")))
        } else {
            let complaints = NameSyntax.dns1035Label(name.lowercased())
            if !complaints.isEmpty {
                errors.append(
                    .invalid(
                        path.child("kind"), .string(name),
                        "may have mixed case, but should otherwise match: \(complaints.joined(separator: ","))"))
            }
        }
    }

    private static func checkMatch(_ match: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        errors.oneOf(path.child("matchPolicy"), match["matchPolicy"]?.string, ["Equivalent", "Exact"])
        for member in ["resourceRules", "excludeResourceRules"] {
            for (index, rule) in match.list(member).enumerated() {
                let path = path.child(member)[index]
                var names: Set<String> = []
                for (index, name) in rule.texts("resourceNames").enumerated() {
                    let path = path.child("resourceNames")[index]
                    errors.complain(path, name, NameSyntax.pathSegment(name))
                    if !names.insert(name).inserted { errors.append(.duplicate(path, .string(name))) }
                }
                WebhookRules.check(rule: rule, path, &errors)
            }
        }
    }

    // MARK: Bindings

    static func checkBinding(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        errors.require(path.child("policyName"), spec["policyName"]?.string, NameSyntax.dnsSubdomain)
        if let ref = spec["paramRef"] { checkParamRef(ref, path.child("paramRef"), &errors) }
        if let match = spec["matchResources"] { checkMatch(match, path.child("matchResources"), &errors) }
        let actions = spec.texts("validationActions")
        let place = path.child("validationActions")
        var seen: Set<String> = []
        for (index, action) in actions.enumerated() {
            errors.oneOf(place[index], action, ["Audit", "Deny", "Warn"])
            if !seen.insert(action).inserted { errors.append(.duplicate(place[index], .string(action))) }
        }
        if seen.isSuperset(of: ["Deny", "Warn"]) {
            errors.append(
                .invalid(
                    place, spec["validationActions"],
                    "must not contain both Deny and Warn (repeating the same validation failure information in the API "
                        + "response and headers serves no purpose)"))
        }
        if seen.isEmpty { errors.append(.required(place, "at least one validation action is required")) }
    }

    private static func checkParamRef(_ ref: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let name = ref["name"]?.string ?? ""
        if !name.isEmpty {
            errors.complain(path.child("name"), name, NameSyntax.pathSegment(name))
            if ref["selector"] != nil {
                errors.append(.forbidden(path.child("name"), "name and selector are mutually exclusive"))
                errors.append(.forbidden(path.child("selector"), "name and selector are mutually exclusive"))
            }
        } else if ref["selector"] == nil {
            errors.append(.required(path, "one of name or selector must be specified"))
        }
        let action = ref["parameterNotFoundAction"]?.string ?? ""
        if action.isEmpty {
            errors.append(.required(path.child("parameterNotFoundAction")))
        } else {
            errors.oneOf(path.child("parameterNotFoundAction"), action, ["Deny", "Allow"])
        }
    }
}

/// What holds for the conditions of policies and webhooks.
enum MatchConditionRules {
    static func check(
        _ conditions: [JSONValue], hasParams: Bool, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        if conditions.count > 64 {
            errors.append(
                FieldError(.tooMany, path, value: JSONValue(conditions.count), "must have at most 64 items"))
        }
        let expressions = AdmissionExpressions(hasParams: hasParams)
        var names: Set<String> = []
        for (index, condition) in conditions.enumerated() {
            let path = path[index]
            let text = condition["expression"]?.string?.trimmed ?? ""
            if text.isEmpty {
                errors.append(.required(path.child("expression")))
            } else if let error = expressions.complaint(about: text, as: .condition) {
                errors.append(.invalid(path.child("expression"), .string(text), error))
            }
            let name = condition["name"]?.string ?? ""
            errors.require(path.child("name"), name, NameSyntax.qualifiedName)
            if !name.isEmpty, !names.insert(name).inserted {
                errors.append(.duplicate(path.child("name"), .string(name)))
            }
        }
    }
}

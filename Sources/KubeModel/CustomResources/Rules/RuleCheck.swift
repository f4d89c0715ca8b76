import CEL

/// Judges one object by the rules of its schema.
///
/// Source: apiextensions-apiserver, `pkg/apiserver/schema/cel/validation.go`.
struct RuleCheck {
    private(set) var errors: [FieldError] = []
    /// What was wrong before, and stands there unchanged.
    private(set) var tolerated: [FieldError] = []
    /// What the rules may still cost; below 0, nothing more is evaluated.
    private var budget = ExpressionBudget.perObject

    /// Judges an object; `old` is the one that it replaces.
    init(_ value: JSONValue, old: JSONValue?, _ tree: RuleTree) {
        visit(Place(path: nil, value: value, old: old, wasComparable: nil), tree)
    }

    /// A value in the object.
    private struct Place {
        /// Nil for the object itself.
        let path: FieldPath?
        let value: JSONValue
        /// What stood there before; nil where there was nothing, or it cannot be told what.
        let old: JSONValue?
        /// The nearest value above of which it can be told what stood there before, and that.
        let wasComparable: (value: JSONValue, old: JSONValue)?

        func below(_ path: FieldPath, _ value: JSONValue, old: JSONValue?) -> Place {
            Place(path: path, value: value, old: old, wasComparable: self.old.map { (self.value, $0) } ?? wasComparable)
        }

        /// Whether what is wrong here was wrong before: it is not held against a change of something else.
        var isUnchanged: Bool {
            if let old { return value == old }
            return wasComparable.map { $0.value == $0.old } ?? false
        }

        func child(_ name: String) -> FieldPath { path.map { .field($0, name) } ?? FieldPath(name) }
    }

    private mutating func visit(_ place: Place, _ tree: RuleTree) {
        guard budget >= 0, !place.value.isNull else { return }
        evaluate(place, tree)
        guard budget >= 0 else { return }
        switch place.value {
        case .array(let elements):
            guard let items = tree.items else { return }
            for (index, element) in elements.enumerated() {
                let old = tree.schema.oldElement(element, in: place.old)
                visit(place.below((place.path ?? .root)[index], element, old: old), items)
            }
        case .object(let members):
            for (name, value) in members {
                let old = tree.schema.isAtomicMap ? nil : place.old?[name]
                if let rest = tree.rest { visit(place.below((place.path ?? .root)[name], value, old: old), rest) }
                if let property = tree.property(name) {
                    visit(place.below(place.child(name), value, old: old), property)
                }
            }
        default: return
        }
    }

    // MARK: Rules

    private mutating func evaluate(_ place: Place, _ tree: RuleTree) {
        guard !tree.rules.isEmpty else { return }
        let type = JSONValue.string(tree.schema.type)
        let path = place.path ?? FieldPath("<nil>")
        let value = Value(place.value, tree.schema, isResource: tree.isResource)
        let old = place.old.flatMap { $0.isNull ? nil : Value($0, tree.schema, isResource: tree.isResource) }
        for rule in tree.rules {
            guard let program = rule.program else {
                if let error = rule.error { errors.append(.invalid(path, type, "rule compile error: \(error)")) }
                continue
            }
            if rule.usesOldSelf, old == nil, !rule.isOldSelfOptional { continue }
            var variables = ["self": value]
            variables["oldSelf"] = rule.isOldSelfOptional ? .optional(old) : old
            let outcome = program.evaluate(variables, costLimit: ExpressionBudget.perCall)
            guard charge(outcome.cost) else {
                let words =
                    "validation failed due to running out of cost budget, no further validation rules will be run"
                return errors.append(.invalid(path, type, words))
            }
            switch outcome.result {
            case .failure(let error):
                errors.append(.invalid(path, type, Self.explain(error, rule)))
                if error.isFinal { budget = -1 }
            case .success(.bool(true)): continue
            case .success:
                let words = message(rule, variables) ?? rule.complaint
                let field =
                    rule.fieldPath.isEmpty
                    ? path : place.path == nil ? FieldPath(rule.fieldPath) : path.child(rule.fieldPath)
                let error = Self.error(rule.source["reason"]?.string, field, type, words)
                if rule.usesOldSelf || !place.isUnchanged { errors.append(error) } else { tolerated.append(error) }
            }
            if budget < 0 { return }
        }
    }

    private mutating func charge(_ cost: Int) -> Bool {
        guard cost <= budget else {
            budget = -1
            return false
        }
        budget -= cost
        return true
    }

    private static func explain(_ error: EvaluationError, _ rule: ValidationRule) -> String {
        if error.isFinal {
            return "'\(error.message)': no further validation rules will be run due to call cost exceeds limit for "
                + "rule: \(rule.title)"
        }
        if error.message.hasPrefix("no such overload") {
            return "'\(error.message)': call arguments did not match a supported operator, function or macro signature "
                + "for rule: \(rule.title)"
        }
        return "\(error.message) evaluating rule: \(rule.title)"
    }

    private static func error(_ reason: String?, _ path: FieldPath, _ type: JSONValue, _ words: String) -> FieldError {
        switch reason {
        case "FieldValueForbidden": .forbidden(path, words)
        case "FieldValueRequired": .required(path, words)
        case "FieldValueDuplicate": .duplicate(path, type)
        default: .invalid(path, type, words)
        }
    }

    /// What the rule's own expression says; nil where it says nothing that can be shown.
    private mutating func message(_ rule: ValidationRule, _ variables: [String: Value]) -> String? {
        guard let program = rule.message else { return nil }
        let outcome = program.evaluate(variables, costLimit: ExpressionBudget.perCall)
        guard charge(outcome.cost), let text = try? outcome.result.get().string?.trimmed, !text.isEmpty,
            !text.contains("\n"), text.utf8.count <= ExpressionBudget.messageBytesMax
        else { return nil }
        return text
    }
}

extension JSONSchema {
    /// The element of an old list that is the same as a new one, where the list tells elements apart by keys.
    func oldElement(_ element: JSONValue, in old: JSONValue?) -> JSONValue? {
        guard case .map(let keys) = listType, let elements = old?.array else { return nil }
        return elements.first { other in keys.allSatisfy { other[$0] == element[$0] } }
    }
}

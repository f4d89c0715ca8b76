import CEL

/// What is wrong with the rules of a definition: expressions that cannot be compiled, or that could cost too much.
///
/// Source: apiextensions-apiserver, `ValidateCustomResourceDefinitionOpenAPISchema`.
struct RuleAudit {
    /// What one rule may cost at worst, for all places where it holds.
    private static let ruleCostMax: UInt64 = 10_000_000
    /// What all rules of a schema may cost together.
    private static let totalCostMax: UInt64 = 100_000_000

    private var errors: [FieldError] = []
    private var total: UInt64 = 0
    private var costs: [(path: FieldPath, cost: UInt64)] = []

    static func check(_ schema: JSONSchema, _ path: FieldPath) -> [FieldError] {
        guard let tree = RuleTree(schema) else { return [] }
        var audit = RuleAudit()
        audit.visit(tree, Place(path: path, countMax: 1, uncorrelatable: nil))
        audit.checkTotal(path)
        return audit.errors
    }

    /// A node of the schema.
    private struct Place {
        let path: FieldPath
        /// How many values of the node an object can have; nil without a bound.
        let countMax: UInt64?
        /// The place below which it cannot be told which value was which before.
        let uncorrelatable: FieldPath?

        func below(_ path: FieldPath, times factor: UInt64?, uncorrelatable: Bool) -> Place {
            let count = countMax.flatMap { count in factor.map { count.multipliedSaturating(by: $0) } }
            return Place(
                path: path, countMax: count, uncorrelatable: self.uncorrelatable ?? (uncorrelatable ? self.path : nil))
        }
    }

    private mutating func visit(_ tree: RuleTree, _ place: Place) {
        let schema = tree.schema
        if let rest = tree.rest {
            let count = schema.propertyCounts.max.map { UInt64(max(0, $0)) }
            visit(
                rest,
                place.below(place.path.child("additionalProperties"), times: count, uncorrelatable: false))
        }
        for (name, property) in tree.properties {
            visit(
                property,
                place.below(
                    place.path.child("properties")[name], times: 1, uncorrelatable: schema.isAtomicMap))
        }
        if let items = tree.items {
            let count = schema.counts.max.map { UInt64(max(0, $0)) }
            let isMap = if case .map = schema.listType { true } else { false }
            visit(items, place.below(place.path.child("items"), times: count, uncorrelatable: !isMap))
        }
        let path = place.path.child("x-kubernetes-validations")
        guard tree.isVisible else {
            let words =
                "rule declared on schema that does not support validation rules type: '\(schema.type)' "
                + "x-kubernetes-preserve-unknown-fields: '\(schema.keepsUnknownFields)'"
            return errors.append(FieldError(.internalError, path, words))
        }
        for (index, rule) in tree.rules.enumerated() {
            check(rule, path[index], place.countMax ?? tree.countMax, uncorrelatable: place.uncorrelatable)
        }
    }

    private mutating func check(
        _ rule: ValidationRule, _ path: FieldPath, _ count: UInt64, uncorrelatable: FieldPath?
    ) {
        observe(rule.worstCost.multipliedSaturating(by: count), "estimated rule cost", path.child("rule"))
        if let error = rule.error {
            errors.append(FieldError(.invalid, path.child("rule"), shownValue: rule.goText, error))
        }
        if let error = rule.messageError {
            errors.append(FieldError(.invalid, path.child("messageExpression"), shownValue: rule.goText, error))
        } else if rule.message != nil {
            observe(rule.worstMessageCost, "estimated messageExpression cost", path.child("messageExpression"))
        }
        if rule.usesOldSelf, let uncorrelatable {
            errors.append(
                .invalid(
                    path.child("rule"), rule.source["rule"],
                    "oldSelf cannot be used on the uncorrelatable portion of the schema within \(uncorrelatable)"))
        } else if !rule.usesOldSelf, let optional = rule.source["optionalOldSelf"] {
            errors.append(
                .invalid(path.child("optionalOldSelf"), optional, "may not be set if oldSelf is not used in rule"))
        }
    }

    // MARK: Costs

    private mutating func observe(_ cost: UInt64, _ what: String, _ path: FieldPath) {
        if cost > Self.ruleCostMax { errors.append(.forbidden(path, Self.words(what, cost, Self.ruleCostMax))) }
        let (sum, overflow) = total.addingReportingOverflow(cost)
        total = overflow ? .max : sum
        if cost >= Self.totalCostMax / 100 { costs.append((path, cost)) }
    }

    private mutating func checkTotal(_ path: FieldPath) {
        guard total > Self.totalCostMax else { return }
        for (path, _) in costs.sorted(by: { $0.cost > $1.cost }).prefix(4) {
            errors.append(
                .forbidden(
                    path, "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"))
        }
        let what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
        errors.append(.forbidden(path, Self.words(what, total, Self.totalCostMax)))
    }

    private static func words(_ what: String, _ cost: UInt64, _ limit: UInt64) -> String {
        let factor = Double(cost) / Double(limit)
        let shown =
            factor > 100 ? "more than 100x" : factor < 1.5 ? digits(factor, 6) : digits(factor, 1)
        return "\(what) exceeds budget by factor of \(shown) (try simplifying the rule, or adding maxItems, "
            + "maxProperties, and maxLength where arrays, maps, and strings are declared)"
    }

    private static func digits(_ value: Double, _ count: Int) -> String {
        let scale = (0..<count).reduce(1.0) { scale, _ in scale * 10 }
        let scaled = Int64((value * scale).rounded())
        let rest = String(scaled % Int64(scale))
        return "\(scaled / Int64(scale)).\(String(repeating: "0", count: count - rest.count))\(rest)x"
    }
}

extension UInt64 {
    /// The product, or the largest number where it is too large.
    fileprivate func multipliedSaturating(by factor: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}

extension ValidationRule {
    /// The rule as Go's `%#v` shows it.
    fileprivate var goText: String {
        func text(_ name: String) -> String { GoText.quote(source[name]?.string ?? "") }
        let reason = source["reason"] == nil ? "nil" : "0xc000000000"
        let optional = source["optionalOldSelf"] == nil ? "nil" : "0xc000000000"
        return "apiextensions.ValidationRule{Rule:\(text("rule")), Message:\(text("message")), "
            + "MessageExpression:\(text("messageExpression")), "
            + "Reason:(*apiextensions.FieldValueErrorReason)(\(reason)), FieldPath:\(text("fieldPath")), "
            + "OptionalOldSelf:(*bool)(\(optional))}"
    }
}

/// Rules of `podFailurePolicy` and `successPolicy` of a Job.
enum JobPolicyRules {
    private static let rulesMax = 20
    private static let conditionsMax = 20
    private static let exitCodesMax = 255
    private static let indexesBytesMax = 64 * 1024

    static func check(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        if spec["podFailurePolicy"] != nil {
            checkFailurePolicy(spec, path.child("podFailurePolicy", "rules"), &errors)
        }
        guard let policy = spec["successPolicy"] else { return }
        if JobRules.isIndexed(spec) {
            checkSuccessPolicy(spec, path.child("successPolicy", "rules"), &errors)
        } else {
            errors.append(.invalid(path.child("successPolicy"), policy, "requires indexed completion mode"))
        }
    }

    private static func tooMany(_ path: FieldPath, _ count: Int, max: Int) -> FieldError {
        FieldError(.tooMany, path, value: JSONValue(count), "must have at most \(max) items")
    }

    private static func valid(_ values: [String]) -> String {
        "valid values: [\(values.map(GoText.quote).joined(separator: " "))]"
    }

    // MARK: Failures

    private static func checkFailurePolicy(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let rules = spec[["podFailurePolicy", "rules"]]?.array ?? []
        if rules.count > rulesMax { errors.append(tooMany(path, rules.count, max: rulesMax)) }
        let pod = spec[["template", "spec"]]
        let containers = (pod?["containers"]?.array ?? []) + (pod?["initContainers"]?.array ?? [])
        let names = Set(containers.compactMap { $0["name"]?.string })
        for (index, rule) in rules.enumerated() {
            let path = path[index]
            checkAction(rule, spec, path.child("action"), &errors)
            let conditions = rule["onPodConditions"]?.array ?? []
            if let codes = rule["onExitCodes"] { checkCodes(codes, names, path.child("onExitCodes"), &errors) }
            checkConditions(conditions, path.child("onPodConditions"), &errors)
            switch (rule["onExitCodes"] != nil, !conditions.isEmpty) {
            case (true, true):
                errors.append(invalid(path, "specifying both OnExitCodes and OnPodConditions is not supported"))
            case (false, false):
                errors.append(invalid(path, "specifying one of OnExitCodes and OnPodConditions is required"))
            default: break
            }
        }
    }

    /// An error whose message does not show the value.
    static func invalid(_ path: FieldPath, _ detail: String) -> FieldError {
        FieldError(.invalid, path, omittingValue: detail)
    }

    private static func checkAction(
        _ rule: JSONValue, _ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        let actions = ["Count", "FailIndex", "FailJob", "Ignore"]
        let action = rule["action"]?.string ?? ""
        if action.isEmpty {
            errors.append(.required(path, valid(actions)))
        } else if action == "FailIndex" {
            if spec["backoffLimitPerIndex"] == nil {
                errors.append(.invalid(path, .string(action), "requires the backoffLimitPerIndex to be set"))
            }
        } else if !actions.contains(action) {
            errors.append(.notSupported(path, .string(action), actions))
        }
    }

    private static func checkConditions(_ patterns: [JSONValue], _ path: FieldPath, _ errors: inout [FieldError]) {
        if patterns.count > conditionsMax { errors.append(tooMany(path, patterns.count, max: conditionsMax)) }
        let allowed = ["False", "True", "Unknown"]
        for (index, pattern) in patterns.enumerated() {
            let type = pattern["type"]?.string ?? ""
            if !type.isEmpty {
                for complaint in NameSyntax.qualifiedName(type) {
                    errors.append(.invalid(path[index].child("type"), .string(type), complaint))
                }
            }
            let status = pattern["status"]?.string ?? ""
            if status.isEmpty {
                errors.append(.required(path[index].child("status"), valid(allowed)))
            } else if !allowed.contains(status) {
                errors.append(.notSupported(path[index].child("status"), .string(status), allowed))
            }
        }
    }

    private static func checkCodes(
        _ codes: JSONValue, _ containers: Set<String>, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        let operation = codes["operator"]?.string ?? ""
        if operation.isEmpty {
            errors.append(.required(path.child("operator"), valid(["In", "NotIn"])))
        } else if operation != "In", operation != "NotIn" {
            errors.append(.notSupported(path.child("operator"), .string(operation), ["In", "NotIn"]))
        }
        if let name = codes["containerName"]?.string, !containers.contains(name) {
            errors.append(
                .invalid(
                    path.child("containerName"), .string(name),
                    "must be one of the container or initContainer names in the pod template"))
        }
        let values = (codes["values"]?.array ?? []).compactMap(\.int)
        let valuesPath = path.child("values")
        let shown = "[]int32{\(values.map { "\($0)" }.joined(separator: ", "))}"
        if values.isEmpty {
            let shown = codes["values"] == nil ? "[]int32(nil)" : "[]int32{}"
            errors.append(FieldError(.invalid, valuesPath, shownValue: shown, "at least one value is required"))
        } else if values.count > exitCodesMax {
            errors.append(tooMany(valuesPath, values.count, max: exitCodesMax))
        }
        var seen: Set<Int> = []
        for (index, value) in values.enumerated() {
            if operation == "In", value == 0 {
                errors.append(.invalid(valuesPath[index], 0, "must not be 0 for the In operator"))
            }
            if !seen.insert(value).inserted { errors.append(.duplicate(valuesPath[index], JSONValue(value))) }
        }
        if zip(values, values.dropFirst()).contains(where: { $0 > $1 }) {
            errors.append(FieldError(.invalid, valuesPath, shownValue: shown, "must be ordered"))
        }
    }

    // MARK: Success

    private static func checkSuccessPolicy(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let rules = spec[["successPolicy", "rules"]]?.array ?? []
        if rules.isEmpty {
            errors.append(
                .required(path, "at least one rules must be specified when the successPolicy is specified"))
        }
        if rules.count > rulesMax { errors.append(tooMany(path, rules.count, max: rulesMax)) }
        let completions = spec["completions"]?.int ?? 0
        for (index, rule) in rules.enumerated() { checkSuccessRule(rule, completions, path[index], &errors) }
    }

    private static func checkSuccessRule(
        _ rule: JSONValue, _ completions: Int, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        let text = rule["succeededIndexes"]?.string
        let count = rule["succeededCount"]?.int
        if text == nil, count == nil {
            errors.append(.required(path, "at least one of succeededCount or succeededIndexes must be specified"))
        }
        var total = 0
        if let text {
            let path = path.child("succeededIndexes")
            if text.utf8.count > indexesBytesMax { errors.append(.tooLong(path, bytesMax: indexesBytesMax)) }
            do throws(IndexSetError) {
                total = try IndexRanges(parsing: text, completions: completions).count
            } catch {
                errors.append(.invalid(path, .string(text), "error parsing succeededIndexes: \(error.message)"))
            }
        }
        guard let count else { return }
        let countPath = path.child("succeededCount")
        if count < 0 { errors.append(.invalid(countPath, JSONValue(count), "must be greater than or equal to 0")) }
        if count > completions {
            errors.append(
                .invalid(
                    countPath, JSONValue(count),
                    "must be less than or equal to \(completions) (the number of specified completions)"))
        }
        if text != nil, count > total {
            errors.append(
                .invalid(
                    countPath, JSONValue(count),
                    "must be less than or equal to \(total) (the number of indexes in the specified succeededIndexes "
                        + "field)"))
        }
    }
}

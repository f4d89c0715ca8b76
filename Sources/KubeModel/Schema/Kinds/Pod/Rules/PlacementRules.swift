/// What Kubernetes says about where a pod may run.
enum PlacementRules {
    // MARK: Affinity

    static func checkAffinity(_ affinity: JSONValue?, _ path: FieldPath, _ errors: inout [FieldError]) {
        let (required, preferred) = (
            "requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"
        )
        if let node = affinity?["nodeAffinity"] {
            let place = path.child("nodeAffinity")
            if let selector = node[required] { checkNodeSelector(selector, place.child(required), &errors) }
            for (index, term) in node.list(preferred).enumerated() {
                let here = place.child(preferred)[index]
                checkWeight(term, here, &errors)
                checkTerm(term["preference"] ?? [:], here.child("preference"), checksValues: false, &errors)
            }
        }
        for name in ["podAffinity", "podAntiAffinity"] {
            guard let pods = affinity?[name] else { continue }
            let place = path.child(name)
            for (index, term) in pods.list(required).enumerated() {
                checkPods(term, place.child(required)[index], &errors)
            }
            for (index, term) in pods.list(preferred).enumerated() {
                let here = place.child(preferred)[index]
                checkWeight(term, here, &errors)
                checkPods(term["podAffinityTerm"] ?? [:], here.child("podAffinityTerm"), &errors)
            }
        }
    }

    private static func checkWeight(_ term: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let weight = term["weight"]?.int ?? 0
        if 1...100 ~= weight { return }
        errors.append(.invalid(path.child("weight"), JSONValue(weight), "must be in the range 1-100"))
    }

    @Sendable
    static func checkNodeSelector(_ selector: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let place = path.child("nodeSelectorTerms")
        let terms = selector.list("nodeSelectorTerms")
        if terms.isEmpty { return errors.append(.required(place, "must have at least one node selector term")) }
        for (index, term) in terms.enumerated() { checkTerm(term, place[index], checksValues: true, &errors) }
    }

    private static func checkTerm(
        _ term: JSONValue, _ path: FieldPath, checksValues: Bool, _ errors: inout [FieldError]
    ) {
        for (index, demand) in term.list("matchExpressions").enumerated() {
            checkLabel(demand, path.child("matchExpressions")[index], checksValues: checksValues, &errors)
        }
        for (index, demand) in term.list("matchFields").enumerated() {
            checkField(demand, path.child("matchFields")[index], &errors)
        }
    }

    private static func checkLabel(
        _ demand: JSONValue, _ path: FieldPath, checksValues: Bool, _ errors: inout [FieldError]
    ) {
        let values = demand.list("values")
        switch demand["operator"]?.string ?? "" {
        case "In", "NotIn":
            if values.isEmpty {
                errors.append(.required(path.child("values"), "must be specified when `operator` is 'In' or 'NotIn'"))
            }
        case "Exists", "DoesNotExist":
            if !values.isEmpty {
                errors.append(
                    .forbidden(
                        path.child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
            }
        case "Gt", "Lt":
            if values.count != 1 {
                errors.append(
                    .required(
                        path.child("values"), "must be specified single value when `operator` is 'Lt' or 'Gt'"))
            }
        default:
            errors.append(.invalid(path.child("operator"), demand["operator"] ?? "", "not a valid selector operator"))
        }
        let key = demand["key"]?.string ?? ""
        errors.complain(path.child("key"), key, NameSyntax.qualifiedName(key))
        for (index, value) in values.enumerated() where checksValues {
            let text = value.string ?? ""
            errors.complain(path.child("values")[index], text, NameSyntax.labelValue(text))
        }
    }

    private static func checkField(_ demand: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let values = demand.texts("values")
        switch demand["operator"]?.string ?? "" {
        case "In", "NotIn":
            if values.count != 1 {
                errors.append(
                    .required(
                        path.child("values"),
                        "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"))
            }
        default:
            errors.append(.invalid(path.child("operator"), demand["operator"] ?? "", "not a valid selector operator"))
        }
        guard demand["key"] == "metadata.name" else {
            return errors.append(.invalid(path.child("key"), demand["key"] ?? "", "not a valid field selector key"))
        }
        for (index, value) in values.enumerated() {
            errors.complain(path.child("values")[index], value, NameSyntax.dnsSubdomain(value))
        }
    }

    private static func checkPods(_ term: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        for name in ["labelSelector", "namespaceSelector"] {
            guard let selector = term[name] else { continue }
            LabelSelectorSchema.selector.validate(selector, at: path.child(name), into: &errors)
        }
        for name in term.texts("namespaces") {
            errors.complain(path.child("namespace"), name, NameSyntax.dnsLabel(name))
        }
        checkLabelKeys(of: term, path, &errors)
        let key = term["topologyKey"]?.string ?? ""
        if key.isEmpty { errors.append(.required(path.child("topologyKey"), "can not be empty")) }
        errors.complain(path.child("topologyKey"), key, NameSyntax.qualifiedName(key))
    }

    private static func checkLabelKeys(of term: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        for name in ["matchLabelKeys", "mismatchLabelKeys"] where !term.list(name).isEmpty {
            guard term["labelSelector"] != nil else {
                errors.append(.forbidden(path.child(name), "must not be specified when labelSelector is not set"))
                continue
            }
            for (index, key) in term.texts(name).enumerated() {
                errors.complain(path.child(name)[index], key, NameSyntax.qualifiedName(key))
            }
        }
        let others = Set(term.texts("mismatchLabelKeys"))
        for (index, key) in term.texts("matchLabelKeys").enumerated() where others.contains(key) {
            errors.append(
                .invalid(
                    path.child("matchLabelKeys")[index], .string(key),
                    "exists in both matchLabelKeys and mismatchLabelKeys"))
        }
    }

    // MARK: Tolerations

    static func checkTolerations(_ tolerations: [JSONValue], _ path: FieldPath, _ errors: inout [FieldError]) {
        for (index, toleration) in tolerations.enumerated() { check(toleration, path[index], &errors) }
    }

    private static func check(_ toleration: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        errors.allow(path.child("key"), toleration["key"]?.string, NameSyntax.qualifiedName)
        let operation = toleration["operator"]?.string ?? ""
        let effect = toleration["effect"]?.string ?? ""
        let value = toleration["value"]?.string ?? ""
        if JSONValue.isEmpty(toleration["key"]), operation != "Exists" {
            errors.append(
                .invalid(
                    path.child("operator"), .string(operation),
                    "operator must be Exists when `key` is empty, which means \"match all values and all keys\""))
        }
        if toleration["tolerationSeconds"] != nil, effect != "NoExecute" {
            errors.append(
                .invalid(
                    path.child("effect"), .string(effect),
                    "effect must be 'NoExecute' when `tolerationSeconds` is set"))
        }
        switch operation {
        case "", "Equal":
            let complaints = NameSyntax.labelValue(value)
            if !complaints.isEmpty {
                errors.append(
                    .invalid(path.child("operator"), .string(value), complaints.joined(separator: ";")))
            }
        case "Exists":
            if !value.isEmpty {
                errors.append(
                    .invalid(
                        path.child("operator"), .string(value), "value must be empty when `operator` is 'Exists'"))
            }
        default: errors.append(.notSupported(path.child("operator"), .string(operation), ["Equal", "Exists"]))
        }
        if !effect.isEmpty {
            errors.oneOf(path.child("effect"), effect, ["NoSchedule", "PreferNoSchedule", "NoExecute"])
        }
    }

    // MARK: Spreading

    static func checkSpread(_ constraints: [JSONValue], _ path: FieldPath, _ errors: inout [FieldError]) {
        for (index, constraint) in constraints.enumerated() {
            let here = path.child("topologySpreadConstraints")[index]
            let skew = constraint["maxSkew"]?.int ?? 0
            if skew <= 0 {
                errors.append(.invalid(here.child("maxSkew"), JSONValue(skew), "must be greater than zero"))
            }
            let key = constraint["topologyKey"]?.string ?? ""
            if key.isEmpty { errors.append(.required(here.child("topologyKey"), "can not be empty")) }
            let action = constraint["whenUnsatisfiable"]?.string ?? ""
            errors.oneOf(here.child("whenUnsatisfiable"), action, ["DoNotSchedule", "ScheduleAnyway"])
            let isRepeated = constraints.dropFirst(index + 1).contains {
                $0["topologyKey"]?.string ?? "" == key && $0["whenUnsatisfiable"]?.string ?? "" == action
            }
            if isRepeated {
                errors.append(
                    .duplicate(
                        here.child("{topologyKey, whenUnsatisfiable}"), .string("{\(key), \(action)}")))
            }
            if let domains = constraint["minDomains"] {
                let place = here.child("minDomains")
                if domains.int ?? 0 <= 0 { errors.append(.invalid(place, domains, "must be greater than zero")) }
                if action != "DoNotSchedule" {
                    errors.append(
                        .invalid(
                            place, domains, "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not \(action)")
                    )
                }
            }
            for name in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
                errors.oneOf(here.child(name), constraint[name]?.string, ["Honor", "Ignore"])
            }
            checkSpreadKeys(constraint, here.child("matchLabelKeys"), &errors)
            if let selector = constraint["labelSelector"] {
                LabelSelectorSchema.selector.validate(selector, at: here.child("labelSelector"), into: &errors)
            }
        }
    }

    private static func checkSpreadKeys(_ constraint: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let keys = constraint.texts("matchLabelKeys")
        guard !keys.isEmpty else { return }
        let selector = constraint["labelSelector"]
        if selector == nil {
            errors.append(.forbidden(path, "must not be specified when labelSelector is not set"))
        }
        let selected =
            (selector?["matchLabels"]?.object ?? [:]).keys.map(\.self)
            + (selector?.list("matchExpressions") ?? []).compactMap { $0["key"]?.string }
        for (index, key) in keys.enumerated() {
            errors.complain(path[index], key, NameSyntax.qualifiedName(key))
            guard selected.contains(key) else { continue }
            errors.append(
                .invalid(path[index], .string(key), "exists in both matchLabelKeys and labelSelector"))
        }
    }
}

/// What holds for flow control.
///
/// Source: Kubernetes, `pkg/apis/flowcontrol/validation`.
enum FlowRules {
    static func check(flow object: KubeObject, _ errors: inout [FieldError]) {
        let path = FieldPath("spec")
        let spec = object.value["spec"] ?? [:]
        let precedence = spec["matchingPrecedence"]?.int ?? 0
        func refuse(_ detail: String) {
            errors.append(.invalid(path.child("matchingPrecedence"), JSONValue(precedence), detail))
        }
        if precedence <= 0 { refuse("must be a positive value") }
        if precedence > 10000 { refuse("must not be greater than 10000") }
        if precedence == 1, object.name != "exempt" {
            refuse("only the schema named 'exempt' may have matchingPrecedence 1")
        }
        if let method = spec["distinguisherMethod"] {
            let place = path.child("distinguisherMethod").child("type")
            errors.oneOf(place, method["type"]?.string ?? "", ["ByNamespace", "ByUser"])
        }
        let level = path.child("priorityLevelConfiguration").child("name")
        let name = spec[["priorityLevelConfiguration", "name"]]?.string ?? ""
        if name.isEmpty {
            errors.append(.required(level, "must reference a priority level"))
        } else {
            errors.complain(level, name, NameSyntax.dnsSubdomain(name))
        }
        for (index, rule) in spec.list("rules").enumerated() { check(rule: rule, path.child("rules")[index], &errors) }
        checkFixed(object, MandatoryFlow.schemas, &errors)
    }

    static func check(level object: KubeObject, _ errors: inout [FieldError]) {
        let path = FieldPath("spec")
        let spec = object.value["spec"] ?? [:]
        let type = spec["type"]?.string ?? ""
        if (object.name == "exempt") != (type == "Exempt") {
            errors.append(
                .invalid(
                    path.child("type"), .string(type), "type must be 'Exempt' if and only if `name` is 'exempt'"))
        }
        switch type {
        case "Exempt":
            if spec["limited"] != nil {
                errors.append(.forbidden(path.child("limited"), "must be nil if the type is not Limited"))
            }
        case "Limited":
            if spec["exempt"] != nil {
                errors.append(.forbidden(path.child("exempt"), "must be nil if the type is Limited"))
            }
            if let limited = spec["limited"] {
                check(limited: limited, path.child("limited"), &errors)
            } else {
                errors.append(.required(path.child("limited"), "must not be empty when type is Limited"))
            }
        default: errors.append(.notSupported(path.child("type"), .string(type), ["Exempt", "Limited"]))
        }
        checkFixed(object, MandatoryFlow.levels, &errors)
    }

    /// The objects that every cluster has are what they are.
    private static func checkFixed(_ object: KubeObject, _ fixed: [KubeObject], _ errors: inout [FieldError]) {
        guard let known = fixed.first(where: { $0.name == object.name }), object.name != "exempt" || isFlow(object),
            object.value["spec"] != known.value["spec"]
        else { return }
        errors.append(
            .invalid(
                FieldPath("spec"), object.value["spec"] ?? .null,
                "spec of '\(object.name)' must equal the fixed value"))
    }

    /// The priority `exempt` may be given another part; everything else of the four is fixed.
    private static func isFlow(_ object: KubeObject) -> Bool { object.kind == "FlowSchema" }

    // MARK: Requests

    private static func check(rule: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let subjects = rule.list("subjects")
        if subjects.isEmpty {
            errors.append(.required(path.child("subjects"), "subjects must contain at least one value"))
        }
        for (index, subject) in subjects.enumerated() {
            check(subject: subject, path.child("subjects")[index], &errors)
        }
        let (resources, pages) = (rule.list("resourceRules"), rule.list("nonResourceRules"))
        if resources.isEmpty, pages.isEmpty {
            errors.append(
                .required(path, "at least one of resourceRules and nonResourceRules has to be non-empty"))
        }
        for (index, rule) in resources.enumerated() {
            check(resource: rule, path.child("resourceRules")[index], &errors)
        }
        for (index, rule) in pages.enumerated() {
            let place = path.child("nonResourceRules")[index]
            checkVerbs(rule, place, &errors)
            checkList(
                rule, "nonResourceURLs", "nonResourceURLs must contain at least one value", "non-resource URLs", place,
                &errors)
        }
    }

    private static func check(subject: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let members = ["ServiceAccount": "serviceAccount", "User": "user", "Group": "group"]
        let kind = subject["kind"]?.string ?? ""
        guard let own = members[kind] else {
            return errors.append(
                .notSupported(path.child("kind"), .string(kind), ["Group", "ServiceAccount", "User"]))
        }
        if let named = subject[own] {
            errors.require(path.child(own).child("name"), named["name"]?.string)
            if own == "serviceAccount", JSONValue.isEmpty(named["namespace"]) {
                errors.append(
                    .required(path.child(own).child("namespace"), "must specify namespace for service account"))
            }
        } else {
            errors.append(.required(path.child(own), "\(own) is required when subject kind is '\(kind)'"))
        }
        for (other, member) in members.sorted(by: { $0.key < $1.key }) where member != own && subject[member] != nil {
            errors.append(
                .forbidden(path.child(member), "\(member) is forbidden when subject kind is not '\(other)'"))
        }
    }

    private static let verbs = [
        "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch",
    ]

    private static func checkVerbs(_ rule: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let given = rule.texts("verbs")
        checkList(rule, "verbs", "verbs must contain at least one value", "verbs", path, &errors)
        if !given.contains("*"), !Set(given).isSubset(of: verbs) {
            errors.append(.notSupported(path.child("verbs"), rule["verbs"] ?? [], verbs))
        }
    }

    private static func checkList(
        _ rule: JSONValue, _ member: String, _ missing: String, _ what: String, _ path: FieldPath,
        _ errors: inout [FieldError]
    ) {
        let values = rule.texts(member)
        if values.isEmpty { errors.append(.required(path.child(member), missing)) }
        if values.count > 1, values.contains("*") {
            errors.append(
                .invalid(path.child(member), rule[member] ?? [], "if '*' is present, must not specify other \(what)"))
        }
    }

    private static func check(resource rule: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        checkVerbs(rule, path, &errors)
        checkList(rule, "apiGroups", "resource rules must supply at least one api group", "api groups", path, &errors)
        checkList(rule, "resources", "resource rules must supply at least one resource", "resources", path, &errors)
        let namespaces = rule.texts("namespaces")
        if namespaces.isEmpty, rule["clusterScope"] == true { return }
        checkList(
            rule, "namespaces", "resource rules that are not cluster scoped must supply at least one namespace",
            "namespaces", path, &errors)
        guard !namespaces.contains("*") else { return }
        for (index, name) in namespaces.enumerated() {
            errors.complain(
                path.child("namespaces")[index], name,
                NameSyntax.dnsLabel(name).map {
                    "each member of this list must be '*' or a DNS-1123 label; \($0)"
                })
        }
    }

    // MARK: Limits

    private static func check(limited: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let shares = limited["nominalConcurrencyShares"]?.int ?? 0
        if shares < 0 {
            errors.append(
                .invalid(path.child("nominalConcurrencyShares"), JSONValue(shares), "must be a non-negative integer"))
        }
        if let lent = limited["lendablePercent"]?.int, !(0...100).contains(lent) {
            errors.append(
                .invalid(path.child("lendablePercent"), JSONValue(lent), "must be between 0 and 100, inclusive"))
        }
        if let borrowed = limited["borrowingLimitPercent"]?.int, borrowed < 0 {
            errors.append(
                .invalid(
                    path.child("borrowingLimitPercent"), JSONValue(borrowed),
                    "if specified, must be a non-negative integer"))
        }
        let place = path.child("limitResponse")
        let queuing = limited[["limitResponse", "queuing"]]
        switch limited[["limitResponse", "type"]]?.string ?? "" {
        case "Reject":
            guard queuing != nil else { return }
            errors.append(
                .forbidden(place.child("queuing"), "must be nil if limited.limitResponse.type is not Limited"))
        case "Queue":
            guard let queuing else {
                return errors.append(
                    .required(place.child("queuing"), "must not be empty if limited.limitResponse.type is Limited"))
            }
            check(queuing: queuing, place.child("queuing"), &errors)
        case let type: errors.append(.notSupported(place.child("type"), .string(type), ["Queue", "Reject"]))
        }
    }

    private static func check(queuing: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        func number(_ member: String) -> Int { queuing[member]?.int ?? 0 }
        for member in ["queueLengthLimit", "queues", "handSize"] where number(member) <= 0 {
            errors.append(.invalid(path.child(member), JSONValue(number(member)), "must be positive"))
        }
        if number("handSize") > number("queues"), number("queues") > 0 {
            errors.append(
                .invalid(
                    path.child("handSize"), JSONValue(number("handSize")),
                    "should not be greater than queues (\(number("queues")))"))
        }
    }
}

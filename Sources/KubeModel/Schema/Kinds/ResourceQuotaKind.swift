private let scopes = [
    "Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity",
]

private let requirement = Schema.core(
    "ScopedResourceSelectorRequirement", doc: "A demand on the pods that count.",
    [
        .field(
            "operator", .string,
            doc: "In, NotIn, Exists or DoesNotExist; scopes other than PriorityClass only know Exists."),
        .field("scopeName", .string, doc: "What is demanded of: PriorityClass, BestEffort, Terminating and so on."),
        .field("values", .stringList, doc: "The values for In and NotIn."),
    ])

private let selector = Schema.core(
    "ScopeSelector", doc: "Demands on the pods that count, which must all hold.",
    [.field("matchExpressions", .list(of: requirement), doc: "The demands.")])

private let spec = Schema.core(
    "ResourceQuotaSpec", doc: "What the namespace may use at most.",
    [
        .field(
            "hard", .resourceAmounts, doc: "The most of each resource, by its name, for example pods or limits.cpu."),
        .field("scopeSelector", selector, doc: "Which pods count, as demands."),
        .field("scopes", .stringList, doc: "Which pods count, as words such as BestEffort; all if absent."),
    ]
).checking(check)

private let podResources: Set<String> = [
    "pods", "count/pods", "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory",
]

private func isValid(_ scope: String, for resource: String) -> Bool {
    if !scopes.contains(scope) { return true }
    return scope == "BestEffort" ? ["pods", "count/pods"].contains(resource) : podResources.contains(resource)
}

@Sendable
private func check(_ value: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
    for (name, amount) in value["hard"]?.object ?? [:] {
        ResourceNames.checkQuota(name, at: path.child("hard")[name], into: &errors)
        ResourceNames.checkAmount(name, amount, at: path.child("hard")[name], into: &errors)
    }
    let names = (value["hard"]?.object ?? [:]).keys.filter(ResourceNames.isStandardQuota).sorted()
    let given = (value["scopes"]?.array ?? []).compactMap(\.string)
    let shown = "[]core.ResourceQuotaScope{\(given.map(GoText.quote).joined(separator: ", "))}"
    let place = path.child("scopes")
    func refuse(_ text: String) { errors.append(FieldError(.invalid, place, shownValue: shown, text)) }
    for scope in given {
        if !scopes.contains(scope) { refuse("unsupported scope") }
        for name in names where !isValid(scope, for: name) { refuse("unsupported scope applied to resource") }
    }
    if areConflicting(given) { refuse("conflicting scopes") }
    checkSelector(value, names, path.child("scopeSelector", "matchExpressions"), &errors)
}

private func areConflicting(_ scopes: [String]) -> Bool {
    [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]].contains { $0.allSatisfy(scopes.contains) }
}

private func checkSelector(
    _ spec: JSONValue, _ names: [String], _ path: FieldPath, _ errors: inout [FieldError]
) {
    let requirements = spec[["scopeSelector", "matchExpressions"]]?.array ?? []
    for requirement in requirements {
        let scope = requirement["scopeName"]?.string ?? ""
        let operation = requirement["operator"]?.string ?? ""
        if !scopes.contains(scope) {
            errors.append(.invalid(path.child("scopeName"), .string(scope), "unsupported scope"))
        }
        for name in names where !isValid(scope, for: name) {
            errors.append(.invalid(path, spec["scopeSelector"], "unsupported scope applied to resource"))
        }
        if scopes.contains(scope), scope != "PriorityClass", operation != "Exists" {
            errors.append(
                .invalid(
                    path.child("operator"), .string(operation),
                    "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, "
                        + "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
                        + "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"))
        }
        checkOperator(requirement, operation, path, &errors)
    }
    if areConflicting(requirements.compactMap { $0["scopeName"]?.string }) {
        errors.append(
            FieldError(
                .invalid, path, shownValue: "[]core.ResourceQuotaScope(nil)", "conflicting scopes"))
    }
}

private func checkOperator(
    _ requirement: JSONValue, _ operation: String, _ path: FieldPath, _ errors: inout [FieldError]
) {
    let values = (requirement["values"]?.array ?? []).compactMap(\.string)
    switch operation {
    case "In", "NotIn":
        if values.isEmpty {
            errors.append(
                .required(
                    path.child("values"),
                    "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"))
        }
    case "Exists", "DoesNotExist":
        if !values.isEmpty {
            errors.append(
                FieldError(
                    .invalid, path.child("values"),
                    shownValue: "[]string{\(values.map(GoText.quote).joined(separator: ", "))}",
                    "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"))
        }
    default:
        errors.append(
            .invalid(path.child("operator"), .string(operation), "not a valid selector operator"))
    }
}

private let status = Schema.core(
    "ResourceQuotaStatus", doc: "What the namespace uses.",
    [
        .field("hard", .resourceAmounts, doc: "The limits that hold."),
        .field("used", .resourceAmounts, doc: "What is used of each resource that is limited."),
    ])

/// What is used of what is allowed, `limits.` apart from the rest.
private func usage(_ quota: KubeObject, ofLimits: Bool) -> JSONValue {
    let hard = quota.value[["status", "hard"]]?.object ?? [:]
    let parts = hard.keys.sorted().filter { $0.hasPrefix("limits.") == ofLimits }.map { name in
        let used = StorageRules.amount(quota.value[["status", "used", name]])
        return "\(name): \(used)/\(StorageRules.amount(hard[name]))"
    }
    return .string(parts.joined(separator: ", "))
}

extension KindSchema {
    /// Limits what a namespace may use.
    static let resourceQuota = KindSchema(
        .resourceQuotas, shortNames: ["quota"],
        root: MetadataSchemas.kind(
            "io.k8s.api.core.v1.ResourceQuota", doc: "Limits what a namespace may use.",
            [
                .field("spec", spec, default: [:], doc: "What the namespace may use at most."),
                .field("status", status, doc: "What it uses."),
            ]),
        subresources: ["status"],
        columns: [
            .name, .age,
            .computed("Request", "Counts and requests: used of allowed.") { quota, _ in
                usage(quota, ofLimits: false)
            },
            .computed("Limit", "Limits of containers: used of allowed.") { quota, _ in usage(quota, ofLimits: true) },
        ],
        behavior: KindBehavior {
            $0.initialStatus = [:]
            $0.validateUpdate = { quota, old, subresource, errors in
                if subresource == "status" {
                    for list in ["hard", "used"] {
                        for (name, amount) in quota.value[["status", list]]?.object ?? [:] {
                            let path = FieldPath("status", list)[name]
                            ResourceNames.checkQuota(name, at: path, into: &errors)
                            ResourceNames.checkAmount(name, amount, at: path, into: &errors)
                        }
                    }
                    return
                }
                let (scopes, before) = (quota.value[["spec", "scopes"]], old.value[["spec", "scopes"]])
                if Set(scopes?.array ?? []) != Set(before?.array ?? []) {
                    let list = GoText.list(scopes).dropFirst("[]string".count)
                    errors.append(
                        FieldError(
                            .invalid, FieldPath("spec", "scopes"), shownValue: "[]core.ResourceQuotaScope\(list)",
                            "field is immutable"))
                }
            }
        })
}

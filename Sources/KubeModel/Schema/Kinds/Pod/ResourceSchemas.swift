/// How much of the node a container needs and may use.
enum ResourceSchemas {
    private static let claim = Schema.core(
        "ResourceClaim", doc: "A device that the pod has claimed.",
        [
            .field("name", .string, required: true, doc: "The pod's name for the claim."),
            .field("request", .string, doc: "A part of the claim; all of it if absent."),
        ])

    static let requirements = Schema.core(
        "ResourceRequirements", doc: "How much of the node a container needs and may use.",
        [
            .field("limits", .resourceAmounts, doc: "What the container may use at most."),
            .field(
                "requests", .resourceAmounts,
                doc: "What the scheduler sets aside for the container; the limits if absent."),
            .field("claims", .list(of: claim, keys: ["name"]), doc: "Devices that the container uses."),
        ]
    )

    @Sendable
    static func check(_ value: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let (limitsPath, requestsPath) = (path.child("limits"), path.child("requests"))
        let limits = value["limits"]?.object ?? [:]
        let requests = value["requests"]?.object ?? [:]
        for (name, amount) in limits { checkAmount(name, amount, limitsPath[name], &errors) }
        for (name, amount) in requests {
            checkAmount(name, amount, requestsPath[name], &errors)
            let mayOvercommit = ResourceNames.mayOvercommit(name)
            guard let limit = limits[name] else {
                if !mayOvercommit {
                    errors.append(.required(limitsPath, "Limit must be set for non overcommitable resources"))
                }
                continue
            }
            guard let wanted = Quantity(amount), let allowed = Quantity(limit) else { continue }
            let shown = JSONValue.string(wanted.description)
            if !mayOvercommit, wanted != allowed {
                errors.append(.invalid(requestsPath, shown, "must be equal to \(name) limit of \(allowed)"))
            } else if wanted > allowed {
                errors.append(
                    .invalid(requestsPath, shown, "must be less than or equal to \(name) limit of \(allowed)"))
            }
        }
        let names = Array(limits.keys) + Array(requests.keys)
        if names.contains(where: ResourceNames.isHugePage), !names.contains("cpu"), !names.contains("memory") {
            errors.append(.forbidden(path, "HugePages require cpu or memory"))
        }
    }

    private static func checkAmount(
        _ name: String, _ amount: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        ResourceNames.checkContainer(name, at: path, into: &errors)
        ResourceNames.checkAmount(name, amount, at: path, into: &errors)
    }
}

extension Quantity {
    /// An amount as it stands in an object: text or a number.
    init?(_ value: JSONValue?) {
        switch value {
        case .string(let text): self.init(parsing: text)
        case .int(let number): self.init(parsing: String(number))
        case .double: self.init(parsing: value?.text ?? "")
        default: return nil
        }
    }
}

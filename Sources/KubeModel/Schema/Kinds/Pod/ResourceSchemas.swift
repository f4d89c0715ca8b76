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
    ).checking(check)

    private static let standardNames: Set<String> = ["cpu", "memory", "ephemeral-storage", "storage"]

    @Sendable
    private static func check(_ value: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let limits = value["limits"]?.object ?? [:]
        let requests = value["requests"]?.object ?? [:]
        for (name, amount) in limits { checkAmount(name, amount, path.child("limits"), &errors) }
        for (name, amount) in requests {
            checkAmount(name, amount, path.child("requests"), &errors)
            guard let limit = limits[name], let wanted = Quantity(amount), let allowed = Quantity(limit) else {
                continue
            }
            if wanted > allowed {
                errors.append(
                    .invalid(
                        path.child("requests"), .string(wanted.description),
                        "must be less than or equal to \(name) limit of \(allowed)"))
            }
        }
    }

    private static func checkAmount(
        _ name: String, _ amount: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        let place = path[name]
        for complaint in NameSyntax.qualifiedName(name) { errors.append(.invalid(place, .string(name), complaint)) }
        if !name.contains("/"), !standardNames.contains(name), !name.hasPrefix("hugepages-") {
            errors.append(
                .invalid(place, .string(name), "must be a standard resource type or fully qualified"))
            errors.append(.invalid(place, .string(name), "must be a standard resource for containers"))
        }
        if let quantity = Quantity(amount), quantity.milliValue < 0 {
            errors.append(.invalid(place, .string(quantity.description), "must be greater than or equal to 0"))
        }
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

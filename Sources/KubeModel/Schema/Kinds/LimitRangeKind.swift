private let item = Schema.core(
    "LimitRangeItem", doc: "Limits for objects of one type.",
    [
        .field("default", .resourceAmounts, doc: "The limit of a container that sets none."),
        .field("defaultRequest", .resourceAmounts, doc: "The request of a container that sets none."),
        .field("max", .resourceAmounts, doc: "The most that is allowed."),
        .field(
            "maxLimitRequestRatio", .resourceAmounts, doc: "How many times the request the limit may be at most."),
        .field("min", .resourceAmounts, doc: "The least that is allowed."),
        .field("type", .string, doc: "Container, Pod or PersistentVolumeClaim."),
    ]
).defaulting { item in
    guard item["type"] == "Container" else { return }
    for name in ["default", "defaultRequest"] where item[name] == nil { item[name] = [:] }
    func fill(_ target: String, from source: String) {
        for (name, amount) in item[source]?.object ?? [:] where item[[target, name]] == nil {
            item[[target, name]] = amount
        }
    }
    fill("default", from: "max")
    fill("defaultRequest", from: "default")
    fill("defaultRequest", from: "min")
}.checking(check)

/// The amounts of one resource in an item.
private struct Amounts {
    let name: String
    let minimum: Quantity?
    let maximum: Quantity?
    let limit: Quantity?
    let request: Quantity?
    let ratio: Quantity?

    init(_ name: String, _ item: JSONValue) {
        self.name = name
        let isPod = item["type"] == "Pod"
        minimum = Quantity(item[["min", name]])
        maximum = Quantity(item[["max", name]])
        limit = isPod ? nil : Quantity(item[["default", name]])
        request = isPod ? nil : Quantity(item[["defaultRequest", name]])
        ratio = Quantity(item[["maxLimitRequestRatio", name]])
    }

    func check(_ path: FieldPath, _ errors: inout [FieldError]) {
        func refuse(_ member: String, _ value: Quantity, _ detail: String) {
            errors.append(.invalid(path.child(member)[name], .string(value.description), detail))
        }
        if let minimum, let maximum, minimum > maximum {
            refuse("min", minimum, "min value \(minimum) is greater than max value \(maximum)")
        }
        if let request, let minimum, minimum > request {
            refuse("defaultRequest", request, "min value \(minimum) is greater than default request value \(request)")
        }
        if let request, let maximum, request > maximum {
            refuse("defaultRequest", request, "default request value \(request) is greater than max value \(maximum)")
        }
        if let request, let limit, request > limit {
            refuse(
                "defaultRequest", request,
                "default request value \(request) is greater than default limit value \(limit)"
            )
        }
        if let limit, let minimum, minimum > limit {
            refuse("default", minimum, "min value \(minimum) is greater than default value \(limit)")
        }
        if let limit, let maximum, limit > maximum {
            refuse("default", maximum, "default value \(limit) is greater than max value \(maximum)")
        }
        if let ratio, ratio < Quantity(1) {
            refuse("maxLimitRequestRatio", ratio, "ratio \(ratio) is less than 1")
        }
        if let ratio, let minimum, let maximum {
            let most = Double(maximum.milliValue) / Double(minimum.milliValue)
            if Double(ratio.milliValue) / 1000 > most {
                refuse(
                    "maxLimitRequestRatio", ratio,
                    "ratio \(ratio) is greater than max/min = \(Self.sixDigits(most))")
            }
        }
        if let limit, let request, limit != request, !ResourceNames.mayOvercommit(name) {
            refuse(
                "defaultRequest", request,
                "default value \(limit) must equal to defaultRequest value \(request) in \(name)")
        }
    }

    /// As Go prints `%f`.
    private static func sixDigits(_ number: Double) -> String {
        guard number < 9e12 else { return "\(number)" }
        let millionths = Int64((number * 1_000_000).rounded())
        let fraction = String(millionths % 1_000_000)
        return "\(millionths / 1_000_000).\(String(repeating: "0", count: 6 - fraction.count))\(fraction)"
    }
}

@Sendable
private func check(_ item: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
    let type = item["type"]?.string ?? ""
    let complaints = NameSyntax.qualifiedName(type)
    for complaint in complaints { errors.append(.invalid(path.child("type"), .string(type), complaint)) }
    if complaints.isEmpty, !type.contains("/"), !["Pod", "Container", "PersistentVolumeClaim"].contains(type) {
        errors.append(
            .invalid(path.child("type"), .string(type), "must be a standard limit type or fully qualified"))
    }
    var members = ["max", "min"]
    if type == "Pod" {
        for name in ["default", "defaultRequest"] where !JSONValue.isEmpty(item[name]) {
            errors.append(.forbidden(path.child(name), "may not be specified when `type` is 'Pod'"))
        }
    } else {
        members += ["default", "defaultRequest"]
    }
    if type == "PersistentVolumeClaim", item[["min", "storage"]] == nil, item[["max", "storage"]] == nil {
        errors.append(
            .required(
                path.child("limits"), "either minimum or maximum storage value is required, but neither was provided"))
    }
    var names: [String] = []
    for member in members + ["maxLimitRequestRatio"] {
        for name in (item[member]?.object ?? [:]).keys {
            let place = path.child(member)[name]
            if type == "Pod" || type == "Container" {
                ResourceNames.checkContainer(name, at: place, into: &errors)
            } else {
                ResourceNames.check(name, at: place, into: &errors)
            }
            if !names.contains(name) { names.append(name) }
        }
    }
    for name in names { Amounts(name, item).check(path, &errors) }
}

extension KindSchema {
    /// Limits for each pod, container or claim of a namespace, and what they get without saying.
    static let limitRange = KindSchema(
        .limitRanges, shortNames: ["limits"],
        root: MetadataSchemas.kind(
            "io.k8s.api.core.v1.LimitRange",
            doc: "Limits for each pod, container or claim of a namespace, and what they get without saying.",
            [
                .field(
                    "spec",
                    .core(
                        "LimitRangeSpec", doc: "The limits.",
                        [
                            .field(
                                "limits", .list(of: item).with { $0.uniqueKey = "type" },
                                doc: "The limits, by the type of what they limit.")
                        ]), default: [:], doc: "The limits.")
            ]),
        columns: [
            .name,
            .computed("Created At", type: "date", "When the object was created.") { object, _ in
                object.value[["metadata", "creationTimestamp"]] ?? "<unknown>"
            },
        ])
}

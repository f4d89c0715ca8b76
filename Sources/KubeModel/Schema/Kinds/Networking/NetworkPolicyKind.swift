private func networking(_ name: String, doc: String, _ fields: [SchemaField]) -> Schema {
    .object("io.k8s.api.networking.v1.\(name)", doc: doc, fields)
}

private let ipBlock = networking(
    "IPBlock", doc: "A range of addresses, with holes.",
    [
        .field("cidr", .text(.addressRange), required: true, doc: "The range, for example 192.0.2.0/24."),
        .field("except", .list(of: .text(.addressRange)), doc: "Ranges inside it that are not meant."),
    ]
).judged { value, path, errors in
    let text = value["cidr"]?.string ?? ""
    guard !text.isEmpty else { return errors.append(.required(path.child("cidr"))) }
    for complaint in NameSyntax.addressRange(text) {
        errors.append(.invalid(path.child("cidr"), .string(text), complaint))
    }
    guard let range = AddressRange(parsing: text) else { return }
    for (index, hole) in (value["except"]?.array ?? []).enumerated() {
        let place = path.child("except")[index]
        guard let inner = AddressRange(parsing: hole.string ?? "") else {
            for complaint in NameSyntax.addressRange(hole.string ?? "") {
                errors.append(.invalid(place, hole, complaint))
            }
            continue
        }
        if !inner.isStrictlyInside(range) {
            errors.append(.invalid(place, hole, "must be a strict subset of `cidr`"))
        }
    }
}

private let port = networking(
    "NetworkPolicyPort", doc: "A port, or a range of ports.",
    [
        .field(
            "protocol", .string, default: "TCP", oneOf: ["TCP", "UDP", "SCTP"], doc: "TCP, UDP or SCTP."),
        .field("port", .portOrName, doc: "The port of the pods, by number or name; all ports if absent."),
        .field("endPort", .int32, doc: "The last port of a range that begins with port."),
    ]
).checking { value, path, errors in
    guard let last = value["endPort"]?.int else { return }
    let place = path.child("endPort")
    switch value["port"] {
    case .int(let first):
        if last < first { errors.append(.invalid(place, JSONValue(last), "must be greater than or equal to `port`")) }
        if !(1...65535 ~= last) {
            errors.append(.invalid(place, JSONValue(last), "must be between 1 and 65535, inclusive"))
        }
    case nil, .null:
        errors.append(.invalid(place, JSONValue(last), "may not be specified when `port` is not specified"))
    default: errors.append(.invalid(place, JSONValue(last), "may not be specified when `port` is non-numeric"))
    }
}

private let peer = networking(
    "NetworkPolicyPeer", doc: "Pods, or addresses.",
    [
        .field(
            "podSelector", LabelSelectorSchema.selector,
            doc: "Pods by their labels; of the policy's own namespace, unless namespaceSelector says otherwise."),
        .field(
            "namespaceSelector", LabelSelectorSchema.selector,
            doc: "Namespaces by their labels; all their pods, unless podSelector says otherwise."),
        .field("ipBlock", ipBlock, doc: "A range of addresses; not together with the selectors."),
    ]
).checking { value, path, errors in
    let selectors = ["podSelector", "namespaceSelector"].filter { value[$0] != nil }
    if value["ipBlock"] == nil, selectors.isEmpty { errors.append(.required(path, "must specify a peer")) }
    if value["ipBlock"] != nil, !selectors.isEmpty {
        errors.append(.forbidden(path, "may not specify both ipBlock and another peer"))
    }
}

private let ports = SchemaField.field(
    "ports", .list(of: port), doc: "The ports that are open; all of them if empty.")

private let ingressRule = networking(
    "NetworkPolicyIngressRule", doc: "Connections that may reach the pods.",
    [ports, .field("from", .list(of: peer), doc: "From where they may come; from everywhere if empty.")])

private let egressRule = networking(
    "NetworkPolicyEgressRule", doc: "Connections that the pods may open.",
    [ports, .field("to", .list(of: peer), doc: "Where they may lead; everywhere if empty.")])

private let types = Schema.stringList.judged { value, path, errors in
    let types = value.array ?? []
    guard types.count <= 2 else {
        return errors.append(
            FieldError(
                .invalid, path,
                shownValue:
                    "[]networking.PolicyType{\(types.map { GoText.quote($0.string ?? "") }.joined(separator: ", "))}",
                "may not specify more than two policyTypes"))
    }
    for (index, type) in types.enumerated() where type != "Ingress" && type != "Egress" {
        errors.append(.notSupported(path[index], type, ["Ingress", "Egress"]))
    }
}

private let spec = networking(
    "NetworkPolicySpec", doc: "Which connections some pods may have.",
    [
        .field(
            "podSelector", LabelSelectorSchema.selector, default: [:], required: true,
            doc: "The pods that the policy speaks of; all pods of the namespace if empty."),
        .field(
            "ingress", .list(of: ingressRule),
            doc: "Connections that may reach the pods. Without any rule none may, if the policy is about Ingress."),
        .field(
            "egress", .list(of: egressRule),
            doc: "Connections that the pods may open. Without any rule none may, if the policy is about Egress."),
        .field(
            "policyTypes", types,
            doc: "Ingress, Egress or both: which connections the policy is about. Egress must be named if no rule "
                + "shows it."),
    ]
).defaulting { spec in
    guard JSONValue.isEmpty(spec["policyTypes"]) else { return }
    spec["policyTypes"] = JSONValue.isEmpty(spec["egress"]) ? ["Ingress"] : ["Ingress", "Egress"]
}

extension KindSchema {
    /// Says which connections some pods may have.
    static let networkPolicy = KindSchema(
        .networkPolicies, shortNames: ["netpol"],
        root: MetadataSchemas.kind(
            "io.k8s.api.networking.v1.NetworkPolicy", doc: "Says which connections some pods may have.",
            [.field("spec", spec, default: [:], doc: "Which pods, and which connections.")]),
        columns: [
            .name,
            .computed("Pod-Selector", "The pods that the policy speaks of.") { policy, _ in
                let selector = LabelSelector(policy.value[["spec", "podSelector"]])
                return .string(selector.isEmpty ? "<none>" : selector.text)
            },
            .age,
        ],
        behavior: KindBehavior { $0.countsGenerations = true })
}

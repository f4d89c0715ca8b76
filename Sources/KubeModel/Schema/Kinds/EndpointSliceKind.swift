private func discovery(_ name: String, doc: String, _ fields: [SchemaField]) -> Schema {
    .object("io.k8s.api.discovery.v1.\(name)", doc: doc, fields)
}

private let conditions = discovery(
    "EndpointConditions", doc: "Whether an endpoint serves.",
    [
        .field("ready", .bool, doc: "Whether it should get traffic."),
        .field("serving", .bool, doc: "Whether it can serve, even while it is ending."),
        .field("terminating", .bool, doc: "Whether it is ending."),
    ])

private let hints = discovery(
    "EndpointHints", doc: "For whom an endpoint is meant.",
    [
        .field(
            "forZones",
            .list(
                of: discovery(
                    "ForZone", doc: "A zone.", [.field("name", .string, required: true, doc: "Name of the zone.")])),
            doc: "Zones for which it is meant.")
    ])

private let endpoint = discovery(
    "Endpoint", doc: "One pod behind a Service.",
    [
        .field("addresses", .stringList.with { $0.countMax = 100 }, required: true, doc: "Its addresses, all equal."),
        .field("conditions", conditions, doc: "Whether it serves."),
        .field("deprecatedTopology", .strings, doc: "Not used any more."),
        .field("hints", hints, doc: "For whom it is meant."),
        .field("hostname", .text(.dnsLabel), doc: "Its host name."),
        .field("nodeName", .string, doc: "Its node."),
        .field("targetRef", VolumeSchemas.objectReference, doc: "The pod."),
        .field("zone", .string, doc: "Its zone."),
    ])

private let port = discovery(
    "EndpointPort", doc: "A port at which the endpoints serve.",
    [
        .field("appProtocol", .text(.qualifiedName), doc: "What is spoken."),
        .field("name", .text(.dnsLabel), default: "", doc: "Name of the Service's port."),
        .field("port", .port, doc: "The port; all ports if absent."),
        .field("protocol", .string, default: "TCP", oneOf: ["SCTP", "TCP", "UDP"], doc: "TCP, UDP or SCTP."),
    ])

private let ports = Schema.list(of: port).with { $0.countMax = 100 }.checking { value, path, errors in
    var seen: Set<JSONValue> = []
    for (index, port) in (value.array ?? []).enumerated() where !seen.insert(port["name"] ?? "").inserted {
        errors.append(.duplicate(path[index].child("name"), port["name"] ?? ""))
    }
}

extension KindSchema {
    /// A part of the addresses behind a Service.
    static let endpointSlice = KindSchema(
        .endpointSlices,
        root: MetadataSchemas.kind(
            "io.k8s.api.discovery.v1.EndpointSlice", doc: "A part of the pods behind a Service, with their state.",
            [
                .field(
                    "addressType", .string, required: true, immutable: true, oneOf: ["FQDN", "IPv4", "IPv6"],
                    doc: "What kind of addresses these are."),
                .field("endpoints", .list(of: endpoint).with { $0.countMax = 1000 }, doc: "The pods."),
                .field("ports", ports, doc: "The ports at which each of them serves."),
            ]
        ).checking { value, path, errors in
            guard let type = value["addressType"]?.string, type != "FQDN" else { return }
            for (index, endpoint) in (value["endpoints"]?.array ?? []).enumerated() {
                for (position, address) in (endpoint["addresses"]?.array ?? []).enumerated() {
                    let text = address.string ?? ""
                    let isRight = type == "IPv4" ? NameSyntax.isIPv4(text) : NameSyntax.isIPv6(text)
                    if isRight { continue }
                    errors.append(
                        .invalid(
                            path.child("endpoints")[index].child("addresses")[position], address,
                            "must be a valid \(type) address"))
                }
            }
        },
        columns: [
            .name,
            .value("AddressType", ["addressType"], "What kind of addresses these are."),
            .computed("Ports", "The first of the ports.") { slice, _ in
                let ports = (slice.value["ports"]?.array ?? []).map { port in
                    port["port"]?.int.map(String.init) ?? port["name"]?.string ?? "*"
                }
                return ports.isEmpty ? "<unset>" : .string(ShortList(ports).text)
            },
            .computed("Endpoints", "The first of the addresses.") { slice, _ in
                let addresses = (slice.value["endpoints"]?.array ?? [])
                    .flatMap { $0["addresses"]?.array?.compactMap(\.string) ?? [] }
                return addresses.isEmpty ? "<unset>" : .string(ShortList(addresses).text)
            },
            .age,
        ],
        behavior: KindBehavior { $0.countsGenerations = true })
}

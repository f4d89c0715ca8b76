private let address = Schema.core(
    "EndpointAddress", doc: "The address of a pod, or of something that stands in for one.",
    [
        .field("ip", .string.checking(AddressRules.checkEndpoint), required: true, doc: "The address."),
        .field("hostname", .text(.dnsLabel), doc: "The host name."),
        .field("nodeName", .text(.dnsSubdomain), doc: "The node."),
        .field("targetRef", VolumeSchemas.objectReference, doc: "The pod."),
    ])

private let port = Schema.core(
    "EndpointPort", doc: "A port at which the addresses serve.",
    [
        .field("name", .text(.dnsLabel), doc: "Name of the Service's port."),
        .field("port", .port, countsAbsentAsZero: true, doc: "The port."),
        .field("protocol", .string, default: "TCP", oneOf: ["SCTP", "TCP", "UDP"], doc: "TCP, UDP or SCTP."),
        .field("appProtocol", .text(.qualifiedName), doc: "What is spoken."),
    ])

private let subset = Schema.core(
    "EndpointSubset", doc: "Addresses that serve at the same ports.",
    [
        .field("addresses", .list(of: address), doc: "Addresses that are ready."),
        .field("notReadyAddresses", .list(of: address), doc: "Addresses that are not ready."),
        .field("ports", .list(of: port), doc: "The ports."),
    ]
).checking { value, path, errors in
    if JSONValue.isEmpty(value["addresses"]), JSONValue.isEmpty(value["notReadyAddresses"]) {
        errors.append(.required(path, "must specify `addresses` or `notReadyAddresses`"))
    }
    let ports = value.list("ports")
    for (index, port) in ports.enumerated() where ports.count > 1 && JSONValue.isEmpty(port["name"]) {
        errors.append(.required(path.child("ports")[index].child("name")))
    }
}

extension KindSchema {
    /// The addresses behind a Service.
    static let endpoints = KindSchema(
        .endpoints, singular: "endpoints", shortNames: ["ep"],
        root: MetadataSchemas.kind(
            "io.k8s.api.core.v1.Endpoints", doc: "The addresses behind the Service of the same name.",
            [.field("subsets", .list(of: subset), doc: "Addresses, grouped by ports.")]),
        columns: [
            .name,
            .computed("Endpoints", "The first of the addresses.") { endpoints, _ in
                let subsets = endpoints.value["subsets"]?.array ?? []
                if subsets.isEmpty { return "<none>" }
                return .string(ShortList(subsets.flatMap(EndpointsText.addresses)).text)
            },
            .age,
        ])
}

enum EndpointsText {
    /// `ip:port` for all ready addresses of a subset.
    static func addresses(_ subset: JSONValue) -> [String] {
        let hosts = (subset["addresses"]?.array ?? []).compactMap { $0["ip"]?.string }
        let ports = (subset["ports"]?.array ?? []).map { $0["port"]?.int ?? 0 }
        if ports.isEmpty { return hosts }
        return ports.flatMap { port in hosts.map { $0.contains(":") ? "[\($0)]:\(port)" : "\($0):\(port)" } }
    }
}

/// At most three entries of a list and how many more there are, as kubectl writes it.
struct ShortList {
    private let entries: [String]

    init(_ entries: [String]) { self.entries = entries }

    var text: String {
        let shown = entries.prefix(3).joined(separator: ",")
        return entries.count > 3 ? "\(shown) + \(entries.count - 3) more..." : shown
    }
}

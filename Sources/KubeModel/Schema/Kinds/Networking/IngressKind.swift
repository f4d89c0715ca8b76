private func networking(_ name: String, doc: String, _ fields: [SchemaField]) -> Schema {
    .object("io.k8s.api.networking.v1.\(name)", doc: doc, fields)
}

private let servicePort = networking(
    "ServiceBackendPort", doc: "A port of a Service, by name or by number.",
    [
        .field("name", .string, doc: "Name of the port; not together with a number."),
        .field("number", .int32, doc: "Number of the port; not together with a name."),
    ])

private let service = networking(
    "IngressServiceBackend", doc: "A Service in the namespace of the Ingress.",
    [
        .field("name", .string, required: true, doc: "Name of the Service."),
        .field("port", servicePort, default: [:], doc: "The port of the Service."),
    ])

private let backend = networking(
    "IngressBackend", doc: "Where requests go; exactly one member is set.",
    [
        .field("service", service, doc: "A Service."),
        .field(
            "resource", StorageSchemas.typedReference("TypedLocalObjectReference", hasNamespace: false),
            doc: "Another object in the namespace of the Ingress, for example a bucket of files."),
    ]
).judged(by: IngressRules.checkBackend)

private let path = networking(
    "HTTPIngressPath", doc: "A part of a host's paths, and where its requests go.",
    [
        .field("path", .string, doc: "The path; must begin with a slash."),
        .field(
            "pathType", .string, required: true, requiredDetail: "pathType must be specified",
            doc: "Exact for this path only, Prefix for all paths below it too, ImplementationSpecific as the "
                + "controller sees fit."),
        .field("backend", backend, default: [:], required: true, doc: "Where the requests go."),
    ]
).judged { value, path, errors in
    if IngressRules.checkPath(value, path, &errors) {
        backend.validate(value["backend"] ?? [:], at: path.child("backend"), into: &errors)
    }
}

private let http = networking(
    "HTTPIngressRuleValue", doc: "The paths of a host.",
    [
        .field(
            "paths", .list(of: path), required: true, doc: "The paths; the longest that fits a request is taken.")
    ])

private let rule = networking(
    "IngressRule", doc: "What happens to requests for a host.",
    [
        .field(
            "host", .string.checking(IngressRules.checkHost),
            doc: "The host name, or *.example.com for all names below; all hosts if absent."),
        .field("http", http, doc: "The paths of the host; all to the default backend if absent."),
    ]
)

private let tls = networking(
    "IngressTLS", doc: "Host names that are served over TLS, and their certificate.",
    [
        .field("hosts", .stringList, doc: "The host names in the certificate."),
        .field("secretName", .string, doc: "The Secret with the certificate and its key, tls.crt and tls.key."),
    ]
).checking { value, path, errors in
    for (index, host) in (value["hosts"]?.array ?? []).enumerated() {
        IngressRules.checkName(host.string ?? "", path.child("hosts")[index], &errors)
    }
    let secret = value["secretName"]?.string ?? ""
    for complaint in secret.isEmpty ? [] : NameSyntax.dnsSubdomain(secret) {
        errors.append(.invalid(path.child("secretName"), .string(secret), complaint))
    }
}

private let spec = networking(
    "IngressSpec", doc: "Which requests from outside go to which Services.",
    [
        .field("defaultBackend", backend, doc: "Where requests go that no rule fits."),
        .field("rules", .list(of: rule), doc: "What happens to requests, host by host."),
        .field("tls", .list(of: tls), doc: "Host names that are served over TLS."),
        .field(
            "ingressClassName", .text(.dnsSubdomain),
            doc: "The IngressClass, and with it the controller that serves this Ingress."),
    ]
).checking { value, path, errors in
    guard JSONValue.isEmpty(value["rules"]), value["defaultBackend"] == nil else { return }
    errors.append(
        FieldError(
            .invalid, path, shownValue: "[]networking.IngressRule(nil)",
            "either `defaultBackend` or `rules` must be specified"))
}

private let portStatus = networking(
    "IngressPortStatus", doc: "How a port of the way in fares.",
    [
        .field("error", .string, doc: "What is wrong with the port."),
        .field("port", .int32, required: true, doc: "The port."),
        .field("protocol", .string, required: true, doc: "TCP, UDP or SCTP."),
    ])

private let way = networking(
    "IngressLoadBalancerIngress", doc: "A way in.",
    [
        .field("hostname", .string, doc: "Its name."),
        .field("ip", .string, doc: "Its address."),
        .field("ports", .list(of: portStatus), doc: "How its ports fare."),
    ])

private let status = networking(
    "IngressStatus", doc: "How the Ingress is reached.",
    [
        .field(
            "loadBalancer",
            networking(
                "IngressLoadBalancerStatus", doc: "The ways in.",
                [.field("ingress", .list(of: way), doc: "The ways in.")]),
            doc: "The ways in.")
    ])

extension KindSchema {
    /// Leads HTTP requests from outside to Services, by host name and path.
    static let ingress = KindSchema(
        .ingresses, shortNames: ["ing"],
        root: MetadataSchemas.kind(
            "io.k8s.api.networking.v1.Ingress",
            doc: "Leads HTTP requests from outside to Services, by host name and path.",
            [
                .field("spec", spec, default: [:], doc: "Which requests go where."),
                .field("status", status, doc: "How the Ingress is reached."),
            ]),
        subresources: ["status"],
        columns: [
            .name,
            .value("Class", ["spec", "ingressClassName"], "The class, and with it the controller."),
            .computed("Hosts", "The first of the host names.") { ingress, _ in .string(IngressText.hosts(ingress)) },
            .computed("Address", "Addresses of the ways in.") { ingress, _ in .string(IngressText.addresses(ingress)) },
            .computed("Ports", "80, and 443 when some hosts are served over TLS.") { ingress, _ in
                JSONValue.isEmpty(ingress.value[["spec", "tls"]]) ? "80" : "80, 443"
            },
            .age,
        ],
        behavior: KindBehavior {
            $0.countsGenerations = true
            $0.initialStatus = ["loadBalancer": [:]]
            $0.validateUpdate = IngressRules.checkStatus
        })

    /// Names the controller that serves Ingresses of a class.
    static let ingressClass = KindSchema(
        .ingressClasses,
        root: MetadataSchemas.kind(
            "io.k8s.api.networking.v1.IngressClass", doc: "Names the controller that serves Ingresses of a class.",
            [.field("spec", IngressClassSchemas.spec, default: [:], doc: "The controller and its settings.")]),
        columns: [
            .name,
            .value("Controller", ["spec", "controller"], absent: "", "The controller."),
            .computed("Parameters", "The object with the controller's settings.") { ingressClass, _ in
                guard let parameters = ingressClass.value[["spec", "parameters"]] else { return "<none>" }
                let group = parameters["apiGroup"]?.string.map { ".\($0)" } ?? ""
                return .string(
                    "\(parameters["kind"]?.string ?? "")\(group)/\(parameters["name"]?.string ?? "")")
            },
            .age,
        ],
        behavior: KindBehavior { $0.countsGenerations = true })
}

/// The cells of `kubectl get ingress`.
private enum IngressText {
    static func hosts(_ ingress: KubeObject) -> String {
        let rules = ingress.value[["spec", "rules"]]?.array ?? []
        var shown: [String] = []
        var isCut = false
        for rule in rules {
            if shown.count == 3 { isCut = true }
            if !isCut, let host = rule["host"]?.string, !host.isEmpty { shown.append(host) }
        }
        if shown.isEmpty { return "*" }
        let text = shown.joined(separator: ",")
        return isCut ? "\(text) + \(rules.count - 3) more..." : text
    }

    static func addresses(_ ingress: KubeObject) -> String {
        let ways = ingress.value[["status", "loadBalancer", "ingress"]]?.array ?? []
        let addresses = ways.compactMap { way -> String? in
            if let ip = way["ip"]?.string, !ip.isEmpty { return ip }
            return way["hostname"]?.string
        }
        return Set(addresses.filter { !$0.isEmpty }).sorted().joined(separator: ",")
    }
}

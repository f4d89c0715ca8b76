/// What Kubernetes says about Ingresses (`pkg/apis/networking/validation`).
enum IngressRules {
    /// A host name, possibly with a star as its first part.
    static func checkName(_ host: String, _ path: FieldPath, _ errors: inout [FieldError]) {
        let complaints = host.contains("*") ? NameSyntax.wildcardSubdomain(host) : NameSyntax.dnsSubdomain(host)
        for complaint in complaints { errors.append(.invalid(path, .string(host), complaint)) }
    }

    @Sendable
    static func checkHost(_ value: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        guard let host = value.string, !host.isEmpty else { return }
        if AddressRange.bytes(ofAddress: host) != nil {
            errors.append(.invalid(path, value, "must be a DNS name, not an IP address"))
        }
        checkName(host, path, &errors)
    }

    /// Whether the check goes on with the backend.
    static func checkPath(_ value: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) -> Bool {
        guard let type = value["pathType"]?.string else {
            errors.append(.required(path.child("pathType"), "pathType must be specified"))
            return false
        }
        let text = value["path"]?.string ?? ""
        let place = path.child("path")
        switch type {
        case "Exact", "Prefix":
            if !text.hasPrefix("/") { errors.append(.invalid(place, .string(text), "must be an absolute path")) }
            for part in ["//", "/./", "/../", "%2f", "%2F"] where text.contains(part) {
                errors.append(.invalid(place, .string(text), "must not contain '\(part)'"))
            }
            for end in ["/..", "/."] where text.hasSuffix(end) {
                errors.append(.invalid(place, .string(text), "cannot end with '\(end)'"))
            }
        case "ImplementationSpecific":
            if !text.isEmpty, !text.hasPrefix("/") {
                errors.append(.invalid(place, .string(text), "must be an absolute path"))
            }
        default:
            errors.append(
                .notSupported(path.child("pathType"), .string(type), ["Exact", "ImplementationSpecific", "Prefix"]))
        }
        return true
    }

    @Sendable
    static func checkBackend(_ value: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        switch (value["resource"], value["service"]) {
        case (_?, _?): errors.append(.invalid(path, "", "cannot set both resource and service backends"))
        case (let resource?, nil): checkReference(resource, path.child("resource"), &errors)
        case (nil, let service?): checkService(service, path, &errors)
        case (nil, nil): errors.append(.invalid(path, "", "resource or service backend is required"))
        }
    }

    private static func checkService(_ service: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let name = service["name"]?.string ?? ""
        let place = path.child("service", "name")
        if name.isEmpty { errors.append(.required(place)) }
        for complaint in name.isEmpty ? [] : NameSyntax.dns1035Label(name) {
            errors.append(.invalid(place, .string(name), complaint))
        }
        let portName = service[["port", "name"]]?.string ?? ""
        let number = service[["port", "number"]]?.int ?? 0
        switch (portName.isEmpty, number == 0) {
        case (false, false): errors.append(.invalid(path, "", "cannot set both port name & port number"))
        case (false, true):
            for complaint in NameSyntax.portName(portName) {
                errors.append(.invalid(path.child("service", "port", "name"), .string(portName), complaint))
            }
        case (true, false):
            if !(1...65535 ~= number) {
                errors.append(
                    .invalid(
                        path.child("service", "port", "number"), JSONValue(number),
                        "must be between 1 and 65535, inclusive"))
            }
        case (true, true): errors.append(.required(path, "port name or number is required"))
        }
    }

    /// An object of any kind in the same namespace, or the settings of a controller.
    static func checkReference(_ value: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        if let group = value["apiGroup"]?.string {
            for complaint in NameSyntax.dnsSubdomain(group) {
                errors.append(.invalid(path.child("apiGroup"), .string(group), complaint))
            }
        }
        for member in ["kind", "name"] {
            let text = value[member]?.string ?? ""
            if text.isEmpty { errors.append(.required(path.child(member))) }
            for complaint in NameSyntax.pathSegment(text) {
                errors.append(.invalid(path.child(member), .string(text), complaint))
            }
        }
    }

    @Sendable
    static func checkStatus(
        _ ingress: KubeObject, _ old: KubeObject, _ subresource: String?, _ errors: inout [FieldError]
    ) {
        guard subresource == "status" else { return }
        let path = FieldPath("status", "loadBalancer", "ingress")
        for (index, way) in (ingress.value[["status", "loadBalancer", "ingress"]]?.array ?? []).enumerated() {
            if let ip = way["ip"]?.string, !ip.isEmpty {
                for complaint in NameSyntax.ipAddress(ip) {
                    errors.append(.invalid(path[index].child("ip"), .string(ip), complaint))
                }
            }
            guard let host = way["hostname"]?.string, !host.isEmpty else { continue }
            for complaint in NameSyntax.dnsSubdomain(host) {
                errors.append(.invalid(path[index].child("hostname"), .string(host), complaint))
            }
            if AddressRange.bytes(ofAddress: host) != nil {
                errors.append(
                    .invalid(path[index].child("hostname"), .string(host), "must be a DNS name, not an IP address"))
            }
        }
    }
}

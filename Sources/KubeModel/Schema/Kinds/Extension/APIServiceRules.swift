/// What holds for APIServices.
///
/// Source: kube-aggregator, `pkg/apis/apiregistration/validation`.
enum APIServiceRules {
    private static let groupPriorityMax = 20_000
    private static let versionPriorityMax = 1000

    static func check(_ object: KubeObject, _ errors: inout [FieldError]) {
        let path = FieldPath("spec")
        let spec = object.value["spec"] ?? [:]
        let (group, version) = (spec["group"]?.string ?? "", spec["version"]?.string ?? "")
        if object.name != "\(version).\(group)" {
            errors.append(
                .invalid(
                    FieldPath("metadata", "name"), .string(object.name),
                    "must be `spec.version+\".\"+spec.group`: \(GoText.quote("\(version).\(group)"))"))
        }
        if !group.isEmpty { errors.complain(path.child("group"), group, NameSyntax.dnsSubdomain(group)) }
        errors.complain(path.child("version"), version, NameSyntax.dnsLabel(version))
        for (member, limit) in [
            ("groupPriorityMinimum", groupPriorityMax), ("versionPriority", versionPriorityMax),
        ] {
            let value = spec[member]?.int ?? 0
            if !(1...limit).contains(value) {
                errors.append(
                    .invalid(path.child(member), JSONValue(value), "must be positive and less than \(limit)"))
            }
        }
        checkServer(spec, path, &errors)
    }

    private static func checkServer(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let bundle = Base64.decode(spec["caBundle"]?.string ?? "") ?? []
        let isInsecure = spec["insecureSkipTLSVerify"]?.bool ?? false
        guard let service = spec["service"], !service.isNull else {
            if !bundle.isEmpty {
                errors.append(
                    .invalid(
                        path.child("caBundle"), .string("\(bundle.count) bytes"),
                        "local APIServices may not have a caBundle"))
            }
            if isInsecure {
                errors.append(
                    .invalid(
                        path.child("insecureSkipTLSVerify"), true,
                        "local APIServices may not have insecureSkipTLSVerify"))
            }
            return
        }
        for member in ["namespace", "name"] where JSONValue.isEmpty(service[member]) {
            errors.append(.required(path.child("service").child(member)))
        }
        let port = service["port"]?.int ?? 0
        if !(1...65535).contains(port) {
            errors.append(
                .invalid(
                    path.child("service").child("port"), JSONValue(port),
                    "port is not valid: must be between 1 and 65535, inclusive"))
        }
        if isInsecure, !bundle.isEmpty {
            errors.append(
                .invalid(path.child("insecureSkipTLSVerify"), true, "may not be true if caBundle is present"))
        }
    }
}

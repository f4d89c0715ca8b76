/// What holds for webhooks, whether they change objects or only judge them.
///
/// Source: Kubernetes, `pkg/apis/admissionregistration/validation`.
enum WebhookRules {
    private static let reviewVersions = ["v1", "v1beta1"]

    static func check(_ configuration: JSONValue, _ errors: inout [FieldError]) {
        var names: Set<String> = []
        for (index, hook) in configuration.list("webhooks").enumerated() {
            let path = FieldPath("webhooks")[index]
            check(hook, path, &errors)
            checkVersions(hook, path.child("admissionReviewVersions"), &errors)
            let name = hook["name"]?.string ?? ""
            if !name.isEmpty, !names.insert(name).inserted {
                errors.append(.duplicate(path.child("name"), .string(name)))
            }
        }
    }

    private static func check(_ hook: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        checkName(hook["name"]?.string ?? "", path.child("name"), &errors)
        for (index, rule) in hook.list("rules").enumerated() { check(rule: rule, path.child("rules")[index], &errors) }
        errors.oneOf(path.child("failurePolicy"), hook["failurePolicy"]?.string, ["Fail", "Ignore"])
        errors.oneOf(path.child("matchPolicy"), hook["matchPolicy"]?.string, ["Equivalent", "Exact"])
        let effects = ["None", "NoneOnDryRun"]
        if let given = hook["sideEffects"]?.string {
            errors.oneOf(path.child("sideEffects"), given, effects)
        } else {
            errors.append(
                .required(path.child("sideEffects"), "must specify one of \(effects.joined(separator: ", "))"))
        }
        if let seconds = hook["timeoutSeconds"]?.int, !(1...30).contains(seconds) {
            errors.append(
                .invalid(
                    path.child("timeoutSeconds"), JSONValue(seconds),
                    "the timeout value must be between 1 and 30 seconds"))
        }
        errors.oneOf(path.child("reinvocationPolicy"), hook["reinvocationPolicy"]?.string, ["IfNeeded", "Never"])
        checkClient(hook["clientConfig"] ?? [:], path.child("clientConfig"), &errors)
        MatchConditionRules.check(
            hook.list("matchConditions"), hasParams: false, path.child("matchConditions"), &errors)
    }

    private static func checkName(_ name: String, _ path: FieldPath, _ errors: inout [FieldError]) {
        guard !name.isEmpty else { return errors.append(.required(path)) }
        let complaints = NameSyntax.dnsSubdomain(name)
        errors.complain(path, name, complaints)
        if complaints.isEmpty, name.split(separator: ".", omittingEmptySubsequences: false).count < 3 {
            errors.append(
                .invalid(path, .string(name), "should be a domain with at least three segments separated by dots"))
        }
    }

    private static func checkVersions(_ hook: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let versions = hook.texts("admissionReviewVersions")
        let known = reviewVersions.joined(separator: ", ")
        guard !versions.isEmpty else { return errors.append(.required(path, "must specify one of \(known)")) }
        var seen: Set<String> = []
        for (index, version) in versions.enumerated() where !seen.insert(version).inserted {
            errors.append(.invalid(path[index], .string(version), "duplicate version"))
        }
        if seen.isDisjoint(with: reviewVersions) {
            errors.append(
                .invalid(path, hook["admissionReviewVersions"] ?? [], "must include at least one of \(known)"))
        }
    }

    // MARK: Rules

    static func check(rule: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        func list(_ member: String, _ what: String) -> [String] {
            let values = rule.texts(member)
            if values.isEmpty { errors.append(.required(path.child(member))) }
            if values.count > 1, values.contains("*") {
                errors.append(
                    .invalid(
                        path.child(member), rule[member] ?? [], "if '*' is present, must not specify other \(what)"))
            }
            return values
        }
        let operations = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"]
        for (index, operation) in list("operations", "operations").enumerated() {
            errors.oneOf(path.child("operations")[index], operation, operations)
        }
        _ = list("apiGroups", "API groups")
        for (index, version) in list("apiVersions", "API versions").enumerated() where version.isEmpty {
            errors.append(.required(path.child("apiVersions")[index]))
        }
        check(resources: rule, path.child("resources"), &errors)
        errors.oneOf(path.child("scope"), rule["scope"]?.string, ["*", "Cluster", "Namespaced"])
    }

    private static func check(resources rule: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let resources = rule.texts("resources")
        if resources.isEmpty { errors.append(.required(path)) }
        var wholeResources: Set<Substring> = []
        var wholeSubresources: Set<Substring> = []
        for (index, text) in resources.enumerated() {
            guard !text.isEmpty else {
                errors.append(.required(path[index]))
                continue
            }
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            if wholeResources.contains(parts[0]) {
                errors.append(
                    .invalid(
                        path[index], .string(text), "if '\(parts[0])/*' is present, must not specify \(text)"))
            }
            if wholeSubresources.contains(parts[1]) {
                errors.append(
                    .invalid(
                        path[index], .string(text), "if '*/\(parts[1])' is present, must not specify \(text)"))
            }
            if parts[1] == "*" { wholeResources.insert(parts[0]) }
            if parts[0] == "*" { wholeSubresources.insert(parts[1]) }
        }
        let list = rule["resources"] ?? []
        if resources.count > 1, resources.contains("*/*") {
            errors.append(.invalid(path, list, "if '*/*' is present, must not specify other resources"))
        }
        if resources.contains("*"), resources.contains(where: { $0 != "*" && !$0.isEmpty && !$0.contains("/") }) {
            errors.append(
                .invalid(path, list, "if '*' is present, must not specify other resources without subresources"))
        }
    }

    // MARK: Where the webhook is

    static func checkClient(_ client: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        switch (client["url"]?.string, client["service"]) {
        case (nil, nil), (_?, _?): errors.append(.required(path, "exactly one of url or service is required"))
        case (let url?, nil): check(url: url, path.child("url"), &errors)
        case (nil, let service?): check(service: service, path.child("service"), &errors)
        }
    }

    private static func check(url: String, _ path: FieldPath, _ errors: inout [FieldError]) {
        let form = "; desired format: https://host[/path]"
        func refuse(_ value: some StringProtocol, _ detail: String) {
            errors.append(.invalid(path, .string(String(value)), detail))
        }
        let scheme = url.firstRange(of: "://").map { url[..<$0.lowerBound] } ?? ""
        if scheme != "https" { refuse(scheme, "'https' is the only allowed URL scheme\(form)") }
        var rest = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? ""
        if let mark = rest.firstIndex(of: "#") {
            let fragment = rest[rest.index(after: mark)...]
            if !fragment.isEmpty { refuse(fragment, "fragments are not permitted in the URL") }
            rest = rest[..<mark]
        }
        if let mark = rest.firstIndex(of: "?") {
            let query = rest[rest.index(after: mark)...]
            if !query.isEmpty { refuse(query, "query parameters are not permitted in the URL") }
            rest = rest[..<mark]
        }
        var host = rest.prefix { $0 != "/" }
        if let mark = host.lastIndex(of: "@") {
            refuse(host[..<mark], "user information is not permitted in the URL")
            host = host[host.index(after: mark)...]
        }
        if host.isEmpty { refuse(host, "host must be provided\(form)") }
    }

    private static func check(service: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        for member in ["name", "namespace"] where JSONValue.isEmpty(service[member]) {
            errors.append(.required(path.child(member), "service \(member) is required"))
        }
        let port = service["port"]?.int ?? 0
        if !(1...65535).contains(port) {
            errors.append(
                .invalid(
                    path.child("port"), JSONValue(port), "port is not valid: must be between 1 and 65535, inclusive"))
        }
        check(path: service["path"]?.string ?? "", path.child("path"), &errors)
    }

    private static func check(path text: String, _ path: FieldPath, _ errors: inout [FieldError]) {
        if text.isEmpty || text == "/" { return }
        func refuse(_ detail: String) { errors.append(.invalid(path, .string(text), detail)) }
        if text == "//" { return refuse("segment[0] may not be empty") }
        if !text.hasPrefix("/") { refuse("must start with a '/'") }
        var inner = text.dropFirst()
        if inner.hasSuffix("/") { inner = inner.dropLast() }
        for (index, step) in inner.split(separator: "/", omittingEmptySubsequences: false).enumerated() {
            if step.isEmpty {
                refuse("segment[\(index)] may not be empty")
                continue
            }
            for complaint in NameSyntax.dnsSubdomain(String(step)) { refuse("segment[\(index)]: \(complaint)") }
        }
    }
}

/// What holds for wishes for certificates.
///
/// Source: Kubernetes, `pkg/apis/certificates/validation` and its strategies of storing.
enum SigningRequestRules {
    // MARK: Changes

    /// The wish never changes; a decision comes by `approval`, a certificate by `status`.
    @Sendable
    static func prepareForUpdate(_ object: inout KubeObject, _ old: KubeObject, _ subresource: String?) {
        object.value["spec"] = old.value["spec"]
        switch subresource {
        case "approval":
            object.value[["status", "certificate"]] = old.value[["status", "certificate"]]
        case "status":
            // A signer that read the object before a decision was edited does not take the edit back.
            let kept = conditions(old).filter { ["Approved", "Denied"].contains($0["type"]?.string ?? "") }
            let own = conditions(object).map { condition in
                kept.first { $0["type"] == condition["type"] } ?? condition
            }
            if !own.isEmpty { object.value[["status", "conditions"]] = .array(own) }
        default: object.value["status"] = old.value["status"]
        }
        setTimes(&object, old)
    }

    private static func setTimes(_ object: inout KubeObject, _ old: KubeObject) {
        let now = JSONValue.string(Timestamp.now.text)
        var conditions = conditions(object)
        guard !conditions.isEmpty else { return }
        for index in conditions.indices {
            let before = Self.conditions(old).first { $0["type"] == conditions[index]["type"] }
            if conditions[index]["lastUpdateTime"] == nil { conditions[index]["lastUpdateTime"] = now }
            if conditions[index]["lastTransitionTime"] == nil {
                let isSame = before?["status"] == conditions[index]["status"]
                conditions[index]["lastTransitionTime"] = isSame ? before?["lastTransitionTime"] ?? now : now
            }
        }
        object.value[["status", "conditions"]] = .array(conditions)
    }

    private static func conditions(_ object: KubeObject) -> [JSONValue] {
        object.value["status"]?.list("conditions") ?? []
    }

    @Sendable
    static func checkUpdate(
        _ object: KubeObject, _ old: KubeObject, _ subresource: String?, _ errors: inout [FieldError]
    ) {
        let path = FieldPath("status", "conditions")
        func of(_ type: String, _ object: KubeObject) -> [JSONValue] {
            conditions(object).filter { $0["type"]?.string == type }
        }
        for type in ["Approved", "Denied", "Failed"] where of(type, object).count < of(type, old).count {
            errors.append(.forbidden(path, "updates may not remove a condition of type \(GoText.quote(type))"))
        }
        for type in ["Approved", "Denied"] where subresource != "approval" {
            let (new, before) = (of(type, object), of(type, old))
            if new.count > before.count {
                errors.append(.forbidden(path, "updates may not add a condition of type \(GoText.quote(type))"))
            } else if new.count == before.count, new != before {
                errors.append(.forbidden(path, "updates may not modify a condition of type \(GoText.quote(type))"))
            }
        }
        let (new, before) = (object.value[["status", "certificate"]], old.value[["status", "certificate"]])
        guard new != before, !(JSONValue.isEmpty(new) && JSONValue.isEmpty(before)) else { return }
        let place = FieldPath("status", "certificate")
        if subresource != "status" {
            errors.append(.forbidden(place, "updates may not set certificate content"))
        } else if !JSONValue.isEmpty(before) {
            errors.append(.forbidden(place, "updates may not modify existing certificate content"))
        }
    }

    // MARK: Content

    private static let usages = [
        "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment",
        "decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel",
        "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime",
        "server auth", "signing", "timestamping",
    ]

    static func check(_ value: JSONValue, _ errors: inout [FieldError]) {
        let path = FieldPath("spec")
        let spec = value["spec"] ?? [:]
        if !isRequest(spec["request"]?.string ?? "") {
            errors.append(
                .invalid(
                    path.child("request"), spec["request"] ?? "", "PEM block type must be CERTIFICATE REQUEST"))
        }
        let given = spec.texts("usages")
        if given.isEmpty { errors.append(.required(path.child("usages"), "usages must be provided")) }
        var seen: Set<String> = []
        for (index, usage) in given.enumerated() {
            errors.oneOf(path.child("usages")[index], usage, usages)
            if !seen.insert(usage).inserted {
                errors.append(.duplicate(path.child("usages")[index], .string(usage)))
            }
        }
        let signer = spec["signerName"]?.string ?? ""
        if signer == "kubernetes.io/legacy-unknown" {
            errors.append(
                .invalid(
                    path.child("signerName"), .string(signer),
                    "the legacy signerName is not allowed via this API version"))
        } else {
            check(signer: signer, path.child("signerName"), &errors)
        }
        if let seconds = spec["expirationSeconds"]?.int, seconds < 600 {
            errors.append(
                .invalid(
                    path.child("expirationSeconds"), JSONValue(seconds),
                    "may not specify a duration less than 600 seconds (10 minutes)"))
        }
        check(conditions: value["status"]?.list("conditions") ?? [], &errors)
    }

    /// Whether base64 text holds a PEM block of a certificate request.
    ///
    /// The request itself is for the signer to read.
    private static func isRequest(_ base64: String) -> Bool {
        guard let bytes = Base64.decode(base64) else { return false }
        let text = String(decoding: bytes, as: UTF8.self)
        return text.contains("-----BEGIN CERTIFICATE REQUEST-----")
            && text.contains("-----END CERTIFICATE REQUEST-----")
    }

    private static func check(signer: String, _ path: FieldPath, _ errors: inout [FieldError]) {
        guard !signer.isEmpty else { return errors.append(.required(path, "signerName must be provided")) }
        let parts = signer.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else {
            return errors.append(
                .invalid(
                    path, .string(signer),
                    "must be a fully qualified domain and path of the form 'example.com/signer-name'"))
        }
        func labels(_ text: String, _ syntax: (String) -> [String]) {
            for label in text.split(separator: ".", omittingEmptySubsequences: false).map(String.init) {
                let complaints = syntax(label).map { "validating label \(GoText.quote(label)): \($0)" }
                errors.complain(path, text, complaints)
                if !complaints.isEmpty { return }
            }
        }
        labels(parts[0], NameSyntax.dnsLabel)
        if !parts[0].contains(".") {
            errors.append(
                .invalid(
                    path, .string(parts[0]), "should be a domain with at least two segments separated by dots"))
        }
        labels(parts[1], NameSyntax.dnsSubdomain)
    }

    private static func check(conditions: [JSONValue], _ errors: inout [FieldError]) {
        let path = FieldPath("status", "conditions")
        var seen: Set<String> = []
        for (index, condition) in conditions.enumerated() {
            let type = condition["type"]?.string ?? ""
            if type.isEmpty { errors.append(.required(path[index].child("type"))) }
            let allowed =
                ["Approved", "Denied", "Failed"].contains(type) ? ["True"] : ["False", "True", "Unknown"]
            let status = condition["status"]?.string ?? ""
            if status.isEmpty {
                errors.append(.required(path[index].child("status")))
            } else {
                errors.oneOf(path[index].child("status"), status, allowed)
            }
            let opposite = ["Approved": "Denied", "Denied": "Approved"][type]
            if let opposite, seen.contains(opposite) {
                errors.append(
                    .invalid(
                        path[index].child("type"), .string(type),
                        "Approved and Denied conditions are mutually exclusive"))
            }
            if !seen.insert(type).inserted { errors.append(.duplicate(path[index].child("type"), .string(type))) }
        }
    }
}

import KubeModel

/// Who asks for a certificate, and who may approve and sign it (`CertificateApproval`, `CertificateSigning`).
enum SigningRequestPlugin {
    /// Writes down who asks, whatever the wish itself says.
    static func setRequestor(_ object: inout KubeObject, _ caller: UserInfo?) {
        for member in ["username", "uid", "groups", "extra"] { object.value[["spec", member]] = nil }
        guard let caller else { return }
        object.value[["spec", "username"]] = .string(caller.name)
        if !caller.uid.isEmpty { object.value[["spec", "uid"]] = .string(caller.uid) }
        if !caller.groups.isEmpty {
            object.value[["spec", "groups"]] = .array(caller.groups.map(JSONValue.string))
        }
        for (name, values) in caller.extra.sorted(by: { $0.key < $1.key }) {
            object.value[["spec", "extra", name]] = .array(values.map(JSONValue.string))
        }
    }

    /// 403 for a decision or a certificate of somebody who has no right to it for this signer.
    static func check(
        _ object: KubeObject, _ request: AdmissionRequest, _ authorizer: any Authorizer
    ) throws(Status) {
        guard let caller = request.caller, let old = request.old else { return }
        let signer = old.value[["spec", "signerName"]]?.string ?? ""
        switch request.subresource {
        case "approval" where !may(caller, "approve", signer, authorizer):
            throw request.forbidden(
                object, "user not permitted to approve requests with signerName \(GoText.quote(signer))")
        case "status" where setsCertificate(object, old) && !may(caller, "sign", signer, authorizer):
            throw request.forbidden(
                object, "user not permitted to sign requests with signerName \(GoText.quote(signer))")
        default: return
        }
    }

    private static func setsCertificate(_ object: KubeObject, _ old: KubeObject) -> Bool {
        object.value[["status", "certificate"]] != old.value[["status", "certificate"]]
    }

    /// Rights are given for one signer, or for all of a domain: `example.com/*`.
    private static func may(
        _ user: UserInfo, _ verb: String, _ signer: String, _ authorizer: any Authorizer
    ) -> Bool {
        [signer, "\(signer.prefix { $0 != "/" })/*"].contains { name in
            let info = RequestInfo(
                verb: verb, group: "certificates.k8s.io", version: "*", resource: "signers", subresource: "",
                namespace: "", name: name)
            return authorizer.decide(user, info).isAllowed
        }
    }
}

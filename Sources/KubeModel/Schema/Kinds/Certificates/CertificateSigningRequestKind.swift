extension ResourceType {
    /// Wishes for certificates.
    public static let certificateSigningRequests = ResourceType(
        group: "certificates.k8s.io", version: "v1", kind: "CertificateSigningRequest",
        plural: "certificatesigningrequests", isNamespaced: false)
}

private let package = "io.k8s.api.certificates.v1."

private let spec = Schema.object(
    package + "CertificateSigningRequestSpec", doc: "The certificate that is wanted; cannot be changed.",
    [
        .field("expirationSeconds", .int32, keepsZero: true, doc: "How long it should be good; at least 600."),
        .field("extra", .map(of: .stringList), doc: "What else is known of who asks; set by the server."),
        .field("groups", .stringList, doc: "Groups of who asks; set by the server."),
        .field("request", .bytes, keepsZero: true, doc: "PEM of a certificate request (PKCS #10)."),
        .field("signerName", .string, keepsZero: true, doc: "Who is to sign, for example example.com/signer."),
        .field("uid", .string, doc: "UID of who asks; set by the server."),
        .field("usages", .stringList, doc: "What the key is for, for example client auth."),
        .field("username", .string, doc: "Name of who asks; set by the server."),
    ])

private let condition = Schema.object(
    package + "CertificateSigningRequestCondition", doc: "A decision about the request.",
    [
        .field("lastTransitionTime", .time, doc: "When the status last changed."),
        .field("lastUpdateTime", .time, doc: "When the condition was last written."),
        .field("message", .string, doc: "An explanation for people."),
        .field("reason", .string, doc: "One word for why, for programs."),
        .field("status", .string, doc: "True; for types of one's own also False or Unknown."),
        .field("type", .string, doc: "Approved, Denied, Failed, or a type of one's own."),
    ])

private let status = Schema.object(
    package + "CertificateSigningRequestStatus", doc: "What was decided, and the certificate.",
    [
        .field("certificate", .bytes, doc: "PEM of the certificate, once it is signed."),
        .field("conditions", .list(of: condition, keys: ["type"]), doc: "Decisions about the request."),
    ])

/// What was decided so far, as `kubectl get csr` shows it.
private func decision(_ object: KubeObject) -> JSONValue {
    let types = Set((object.value["status"]?.list("conditions") ?? []).compactMap { $0["type"]?.string })
    var text = types.contains("Denied") ? "Denied" : types.contains("Approved") ? "Approved" : "Pending"
    if types.contains("Failed") { text += ",Failed" }
    if !JSONValue.isEmpty(object.value[["status", "certificate"]]) { text += ",Issued" }
    return .string(text)
}

extension KindSchema {
    /// A wish for a certificate.
    static let certificateSigningRequest = KindSchema(
        .certificateSigningRequests, shortNames: ["csr"],
        root: MetadataSchemas.kind(
            package + "CertificateSigningRequest",
            doc:
                "A wish for a certificate, which somebody approves and a signer signs.",
            [
                .field("spec", spec, required: true, doc: "The certificate that is wanted."),
                .field("status", status, doc: "What was decided, and the certificate."),
            ]),
        subresources: ["approval", "status"],
        columns: [
            .name, .age, .value("SignerName", ["spec", "signerName"], "Who is to sign."),
            .value("Requestor", ["spec", "username"], absent: "", "Who asks."),
            .computed("RequestedDuration", "How long it should be good.") { object, _ in
                guard let seconds = object.value[["spec", "expirationSeconds"]]?.int else { return "<none>" }
                return .string(HumanDuration.text(seconds: Int64(seconds)))
            },
            .computed("Condition", "What was decided so far.") { object, _ in decision(object) },
        ],
        selectableFields: ["spec.signerName"],
        behavior: KindBehavior {
            $0.nameSyntax = { _ in [] }
            $0.initialStatus = [:]
            $0.prepareForUpdate = SigningRequestRules.prepareForUpdate
            $0.validate = { SigningRequestRules.check($0.value, &$1) }
            $0.validateUpdate = SigningRequestRules.checkUpdate
        })
}

import KubeModel

/// A question to a webhook about a request, and how its answer is read (`admission.k8s.io`, v1 and v1beta1).
///
/// Source: apiserver, `admission/plugin/webhook/request`.
struct AdmissionReview {
    static let versions = ["v1", "v1beta1"]

    let uid: String
    private let apiVersion: String
    private let body: JSONValue

    /// - Parameters:
    ///   - kind: The kind in whose version the webhook wants the objects.
    ///   - object: The object as it is to be; nil for a deletion.
    ///   - old: The object as it is; nil for a new one.
    init(
        _ request: AdmissionRequest, as kind: KindSchema, object: JSONValue?, old: JSONValue?, version: String,
        uid: String
    ) {
        self.uid = uid
        apiVersion = "admission.k8s.io/\(version)"
        var value = request.description(as: kind.resource)
        value["uid"] = .string(uid)
        value["object"] = object ?? .null
        value["oldObject"] = old ?? .null
        body = ["kind": "AdmissionReview", "apiVersion": .string(apiVersion), "request": value]
    }

    var bytes: [UInt8] { body.encoded }

    /// What a webhook says.
    struct Answer: Sendable, Equatable {
        var isAllowed = false
        /// Operations of a JSON patch; nil for none.
        var patch: JSONValue?
        /// Why it refuses, as a `v1.Status`.
        var result: JSONValue?
        var warnings: [String] = []
        var auditAnnotations: [(name: String, value: String)] = []

        static func == (left: Answer, right: Answer) -> Bool {
            left.isAllowed == right.isAllowed && left.patch == right.patch && left.result == right.result
                && left.warnings == right.warnings
                && left.auditAnnotations.elementsEqual(right.auditAnnotations, by: ==)
        }
    }

    /// Reads an answer; throws what is wrong with it.
    func answer(_ review: JSONValue, mayPatch: Bool) throws(WebhookFault) -> Answer {
        func invalid(_ why: String) -> WebhookFault { .call("received invalid webhook response: \(why)") }
        guard let response = review["response"], !response.isNull else {
            throw invalid("webhook response was absent")
        }
        let isFirst = apiVersion == "admission.k8s.io/v1"
        if isFirst { try checkIdentity(review, response, invalid) }
        var answer = Answer(isAllowed: response["allowed"]?.bool ?? false)
        let patch = response["patch"]?.string ?? ""
        if isFirst { try Self.checkPatch(patch, type: response["patchType"], mayPatch: mayPatch, invalid) }
        if mayPatch, answer.isAllowed, !patch.isEmpty { answer.patch = try Self.operations(patch) }
        answer.result = response["status"].flatMap { $0.isNull ? nil : $0 }
        answer.warnings = (response["warnings"]?.array ?? []).compactMap(\.string)
        answer.auditAnnotations = (response["auditAnnotations"]?.object ?? [:]).compactMap { name, value in
            value.string.map { (name, $0) }
        }
        return answer
    }

    private func checkIdentity(
        _ review: JSONValue, _ response: JSONValue, _ invalid: (String) -> WebhookFault
    ) throws(WebhookFault) {
        let given = response["uid"]?.string ?? ""
        guard given == uid else {
            throw invalid("expected response.uid=\(GoText.quote(uid)), got \(GoText.quote(given))")
        }
        let (version, kind) = (review["apiVersion"]?.string ?? "", review["kind"]?.string ?? "")
        guard version == apiVersion, kind == "AdmissionReview" else {
            throw invalid(
                "expected webhook response of \(apiVersion), Kind=AdmissionReview, got "
                    + "\(version.contains("/") ? version : "/\(version)"), Kind=\(kind)")
        }
    }

    private static func checkPatch(
        _ patch: String, type: JSONValue?, mayPatch: Bool, _ invalid: (String) -> WebhookFault
    ) throws(WebhookFault) {
        let type = type.flatMap { $0.isNull ? nil : $0.string ?? "" }
        guard mayPatch else {
            if !patch.isEmpty { throw invalid("validating webhook may not return response.patch") }
            if type != nil { throw invalid("validating webhook may not return response.patchType") }
            return
        }
        if !patch.isEmpty, type == nil {
            throw invalid("webhook returned response.patch but not response.patchType")
        }
        if patch.isEmpty, type != nil {
            throw invalid("webhook returned response.patchType but not response.patch")
        }
        if let type, type.isEmpty { throw invalid("webhook returned invalid response.patchType of \"\"") }
        if let type, type != "JSONPatch" { throw .call("unsupported patch type \(GoText.quote(type))") }
    }

    private static func operations(_ base64: String) throws(WebhookFault) -> JSONValue? {
        guard let bytes = SecretText.decode(base64), let patch = try? JSONValue(parsing: bytes),
            let operations = patch.array
        else { throw .call("received undecodable patch in webhook response: it is no list of operations in JSON") }
        return operations.isEmpty ? nil : patch
    }
}

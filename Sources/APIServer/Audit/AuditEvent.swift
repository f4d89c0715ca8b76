public import KubeModel

/// One request at one stage, as the audit journal keeps it (audit.k8s.io/v1, level Metadata).
///
/// What was sent or answered is not in it, so no Secret's data either.
public struct AuditEvent: Sendable {
    public enum Stage: String, Sendable {
        /// The head of an answer that goes on, that of a watch for example, has been sent.
        case responseStarted = "ResponseStarted"
        case responseComplete = "ResponseComplete"
    }

    /// Where the event stands in the journal; counts from 1.
    public internal(set) var sequence: Int64 = 0
    public let stage: Stage
    let id: AuditID
    public let user: UserInfo
    /// Whom the user was for this request.
    public let impersonatedUser: UserInfo?
    /// For example `create`; the method in lower case for paths that are no objects.
    public let verb: String
    /// Empty for paths that are no objects.
    public let resource: String
    public let apiGroup: String
    public let subresource: String
    public let namespace: String
    public let name: String
    /// The HTTP code of the answer.
    public let code: Int
    public let received: Timestamp
    public let reached: Timestamp
    let facts: Facts

    /// What only the written form tells.
    struct Facts: Sendable {
        var uri: String
        var apiVersion: String
        var userAgent: String
        var sourceAddress: String
        var refusal: Status?
        var decision: Decision?
        var annotations: [(name: String, value: String)] = []
    }

    /// Ties the stages of one request together.
    public var auditID: String { id.text }

    /// The event as `audit.k8s.io/v1`.
    public var value: JSONValue {
        var value: JSONValue = [
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": .string(auditID),
            "stage": .string(stage.rawValue), "requestURI": .string(facts.uri), "verb": .string(verb),
            "user": Self.value(of: user),
        ]
        if let impersonatedUser { value["impersonatedUser"] = Self.value(of: impersonatedUser) }
        if !facts.sourceAddress.isEmpty { value["sourceIPs"] = [.string(facts.sourceAddress)] }
        if !facts.userAgent.isEmpty { value["userAgent"] = .string(facts.userAgent) }
        if !resource.isEmpty { value["objectRef"] = objectReference }
        value["responseStatus"] = responseStatus
        value["requestReceivedTimestamp"] = .string(received.microText)
        value["stageTimestamp"] = .string(reached.microText)
        var annotations: JSONValue = [:]
        if let decision = facts.decision {
            annotations["authorization.k8s.io/decision"] = decision.isAllowed ? "allow" : "forbid"
            annotations["authorization.k8s.io/reason"] = .string(decision.reason)
        }
        for (name, text) in facts.annotations { annotations[name] = .string(text) }
        if annotations.object?.isEmpty == false { value["annotations"] = annotations }
        return value
    }

    private var objectReference: JSONValue {
        var reference: JSONValue = ["resource": .string(resource)]
        for (member, text) in [
            ("namespace", namespace), ("name", name), ("apiGroup", apiGroup), ("apiVersion", facts.apiVersion),
            ("subresource", subresource),
        ] where !text.isEmpty {
            reference[member] = .string(text)
        }
        return reference
    }

    private var responseStatus: JSONValue {
        var status: JSONValue = ["metadata": [:]]
        if let refusal = facts.refusal {
            status["status"] = "Failure"
            // A message about a Secret could quote it.
            if resource != "secrets" || refusal.code != 422 { status["message"] = .string(refusal.message) }
            if !refusal.reason.isEmpty { status["reason"] = .string(refusal.reason) }
        }
        status["code"] = JSONValue(code)
        return status
    }

    private static func value(of user: UserInfo) -> JSONValue {
        user.value(nameMember: "username")
    }
}

extension UserInfo {
    /// The user as `authentication.k8s.io/v1` writes it.
    func value(nameMember: String) -> JSONValue {
        var value: JSONValue = [nameMember: .string(name)]
        if !uid.isEmpty { value["uid"] = .string(uid) }
        if !groups.isEmpty { value["groups"] = .array(groups.map(JSONValue.string)) }
        if !extra.isEmpty {
            let members = extra.sorted { $0.key < $1.key }.map { key, values in
                (key, JSONValue.array(values.map(JSONValue.string)))
            }
            value["extra"] = .object(JSONObject(members))
        }
        return value
    }
}

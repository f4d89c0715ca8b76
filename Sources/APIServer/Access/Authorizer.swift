import KubeModel

/// What authorization says to a request.
struct Decision: Sendable, Equatable {
    var isAllowed: Bool
    /// Why; empty where there is nothing to say.
    var reason = ""

    static let privileged = Decision(isAllowed: true)
}

/// Whether a user may do what a request is about.
protocol Authorizer: Sendable {
    func decide(_ user: UserInfo, _ info: RequestInfo) -> Decision
}

extension Authorizer {
    /// Throws the 403 that Kubernetes would answer with.
    func check(_ user: UserInfo, _ info: RequestInfo) throws(Status) -> Decision {
        let decision = decide(user, info)
        guard decision.isAllowed else { throw .forbidden(user, info, decision.reason) }
        return decision
    }
}

extension Status {
    /// The answer to somebody who may not do this.
    static func forbidden(_ user: UserInfo, _ info: RequestInfo, _ reason: String) -> Status {
        let because = reason.isEmpty ? "" : ": \(reason)"
        guard info.isResourceRequest else {
            return Status(
                code: 403, reason: "Forbidden",
                message: "forbidden: User \(GoText.quote(user.name)) cannot \(info.verb) path "
                    + "\(GoText.quote(info.path))\(because)",
                details: [:])
        }
        let place =
            info.namespace.isEmpty ? "at the cluster scope" : "in the namespace \(GoText.quote(info.namespace))"
        let qualified = info.apiGroup.isEmpty ? info.resource : "\(info.resource).\(info.apiGroup)"
        var details: JSONValue = [:]
        if !info.name.isEmpty { details["name"] = .string(info.name) }
        if !info.apiGroup.isEmpty { details["group"] = .string(info.apiGroup) }
        details["kind"] = .string(info.resource)
        return Status(
            code: 403, reason: "Forbidden",
            message: qualified + (info.name.isEmpty ? "" : " \(GoText.quote(info.name))")
                + " is forbidden: User \(GoText.quote(user.name)) cannot \(info.verb) resource "
                + "\(GoText.quote(info.resourceWithSubresource)) in API group \(GoText.quote(info.apiGroup)) "
                + "\(place)\(because)",
            details: details)
    }
}

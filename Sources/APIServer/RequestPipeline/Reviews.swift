import KubeModel

/// Questions about oneself, which are answered and not stored: `kubectl auth whoami`, `kubectl auth can-i`.
///
/// Whoever is known here may do everything, and that is what the answers say.
enum Reviews {
    /// The answer to a POST of a review; nil if the path is not that of a review.
    static func answer(_ path: ResourcePath, _ request: APIRequest, user: UserInfo) throws(Status) -> APIResponse? {
        let status: JSONValue
        let kind: String
        switch (path.group, path.plural) {
        case ("authentication.k8s.io", "selfsubjectreviews"):
            kind = "SelfSubjectReview"
            status = [
                "userInfo": [
                    "username": .string(user.name), "groups": .array(user.groups.map(JSONValue.string)),
                ]
            ]
        case ("authorization.k8s.io", "selfsubjectaccessreviews"):
            kind = "SelfSubjectAccessReview"
            status = ["allowed": true]
        case ("authorization.k8s.io", "selfsubjectrulesreviews"):
            kind = "SelfSubjectRulesReview"
            status = [
                "resourceRules": [["verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]]],
                "nonResourceRules": [["verbs": ["*"], "nonResourceURLs": ["*"]]], "incomplete": false,
            ]
        default: return nil
        }
        guard path.version == "v1", path.name == nil, path.namespace == nil else { return nil }
        guard request.method == "POST" else { throw .methodNotAllowed }
        var review = try RequestBody.object(request, kind: kind)?.value ?? [:]
        review["apiVersion"] = .string("\(path.group)/\(path.version)")
        review["kind"] = .string(kind)
        review["status"] = status
        return .json(review, code: 201)
    }
}

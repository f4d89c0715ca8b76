import KubeClient
import KubeModel

/// Questions about who somebody is and what they may do, which are answered and not stored: `kubectl auth whoami`,
/// `kubectl auth can-i`.
struct Reviews {
    private let registry: Registry
    private let request: APIRequest
    private let path: ResourcePath
    private let user: UserInfo

    init(_ registry: Registry, _ request: APIRequest, _ path: ResourcePath, _ user: UserInfo) {
        self.registry = registry
        self.request = request
        self.path = path
        self.user = user
    }

    private static let groups: Set<String> = ["authentication.k8s.io", "authorization.k8s.io"]

    /// The answer to a POST of a review; nil if the path is not that of one.
    func answer() throws(Status) -> APIResponse? {
        guard Self.groups.contains(path.group), path.name == nil,
            let kind = registry.catalog.kind(group: path.group, version: path.version, plural: path.plural)
        else { return nil }
        guard request.method == "POST", kind.resource.isNamespaced == (path.namespace != nil) else {
            throw .methodNotAllowed
        }
        // What is not stored has no rows.
        guard Representation(accept: request.accept, hasTables: false) != nil else { throw .notAcceptable }
        guard let body = try RequestBody.object(request, kind: kind.resource.kind) else {
            throw .badRequest(
                "the object provided is unrecognized (must be of type \(kind.resource.kind)): "
                    + "couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)")
        }
        var settings = WriteSettings(duplicateFields: body.duplicateFields)
        if let text = request.query["fieldValidation"], let validation = FieldValidation(rawValue: text) {
            settings.fieldValidation = validation
        }
        let decoded = try registry.decode(kind, body.value, settings)
        var review = decoded.object.value
        review["status"] = try status(kind, review)
        if review["metadata"] == nil { review["metadata"] = [:] }
        review[["metadata", "creationTimestamp"]] = .null
        return .json(review, code: 201, warnings: decoded.warnings)
    }

    private func status(_ kind: KindSchema, _ review: JSONValue) throws(Status) -> JSONValue {
        let spec = review["spec"] ?? [:]
        switch kind.resource.kind {
        case "SelfSubjectReview": return ["userInfo": user.value(nameMember: "username")]
        case "TokenReview": return try tokenStatus(spec)
        case "SelfSubjectRulesReview": return try rulesStatus(spec)
        case "SelfSubjectAccessReview": return try access(of: user, kind, spec)
        default:
            let subject = try subject(kind, spec)
            return try access(of: subject, kind, spec)
        }
    }

    // MARK: Who

    private func tokenStatus(_ spec: JSONValue) throws(Status) -> JSONValue {
        let token = spec["token"]?.string ?? ""
        guard !token.isEmpty else {
            throw .badRequest("token is required for TokenReview in authentication")
        }
        let wanted = spec["audiences"]?.array?.compactMap(\.string) ?? []
        do throws(ServiceAccountTokens.Refusal) {
            let found = try registry.tokens.user(
                of: token, audiences: wanted.isEmpty ? [ServiceAccountTokens.issuer] : wanted, now: registry.now())
            guard let found else { return ["user": [:], "error": "invalid bearer token"] }
            return [
                "authenticated": true, "user": found.user.value(nameMember: "username"),
                "audiences": .array(found.audiences.map(JSONValue.string)),
            ]
        } catch {
            return ["user": [:], "error": .string("[invalid bearer token, \(error.message)]")]
        }
    }

    /// The user whom a SubjectAccessReview is about.
    private func subject(_ kind: KindSchema, _ spec: JSONValue) throws(Status) -> UserInfo {
        let user = UserInfo(
            name: spec["user"]?.string ?? "", uid: spec["uid"]?.string ?? "",
            groups: spec["groups"]?.array?.compactMap(\.string) ?? [])
        guard !user.name.isEmpty || !user.groups.isEmpty else {
            throw .invalid(
                kind.resource, name: "",
                [.invalid(FieldPath("spec", "user"), "", "at least one of user or group must be specified")])
        }
        return user
    }

    // MARK: What

    private func access(of user: UserInfo, _ kind: KindSchema, _ spec: JSONValue) throws(Status) -> JSONValue {
        let info = try question(kind, spec)
        let decision = registry.authorizer.decide(user, info)
        var status: JSONValue = ["allowed": .bool(decision.isAllowed)]
        if !decision.reason.isEmpty { status["reason"] = .string(decision.reason) }
        return status
    }

    private func question(_ kind: KindSchema, _ spec: JSONValue) throws(Status) -> RequestInfo {
        let about = spec["resourceAttributes"] ?? .null
        let path = spec["nonResourceAttributes"] ?? .null
        let isLocal = kind.resource.isNamespaced
        if isLocal, path != .null {
            throw .invalid(
                kind.resource, name: "",
                [
                    .invalid(
                        FieldPath("spec", "nonResourceAttributes"), path, "disallowed on this kind of request")
                ])
        }
        guard (about == .null) != (path == .null) else {
            let present = about == .null ? JSONValue.null : about
            throw .invalid(
                kind.resource, name: "",
                [
                    .invalid(
                        FieldPath("spec", "resourceAttributes"), present,
                        "exactly one of nonResourceAttributes or resourceAttributes must be specified")
                ])
        }
        func text(_ value: JSONValue, _ member: String) -> String { value[member]?.string ?? "" }
        guard path == .null else {
            return RequestInfo(method: text(path, "verb"), path: text(path, "path"), isResourceRequest: false)
        }
        if isLocal, text(about, "namespace") != self.path.namespace {
            throw .invalid(
                kind.resource, name: "",
                [
                    .invalid(
                        FieldPath("spec", "resourceAttributes", "namespace"), about["namespace"] ?? "",
                        "must match metadata.namespace")
                ])
        }
        return RequestInfo(
            verb: text(about, "verb"), group: text(about, "group"), version: text(about, "version"),
            resource: text(about, "resource"), subresource: text(about, "subresource"),
            namespace: text(about, "namespace"), name: text(about, "name"))
    }

    private func rulesStatus(_ spec: JSONValue) throws(Status) -> JSONValue {
        let namespace = spec["namespace"]?.string ?? ""
        guard !namespace.isEmpty else { throw .badRequest("no namespace on request") }
        let found = registry.authorizer.rules(user, namespace: namespace)
        let isNode = NodeRights.name(of: user) != nil
        var status: JSONValue = [
            "resourceRules": .array(found.rules.filter { !$0.resources.isEmpty }.map(\.value)),
            "nonResourceRules": .array(found.rules.filter { !$0.nonResourceURLs.isEmpty }.map(\.value)),
            "incomplete": .bool(isNode || !found.errors.isEmpty),
        ]
        if isNode {
            status["evaluationError"] = "node authorizer does not support user rule resolution"
        } else if !found.errors.isEmpty {
            status["evaluationError"] = .string(
                found.errors.count == 1 ? found.errors[0] : "[\(found.errors.joined(separator: ", "))]")
        }
        return status
    }
}

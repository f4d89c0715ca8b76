import CEL
import KubeModel
import ObjectStore

/// A request as policies, webhooks and conditions see it.
struct PolicyRequest: Sendable {
    private let request: AdmissionRequest
    /// The object as it is to be; nil for a deletion.
    let object: KubeObject?
    private let catalog: KindCatalog
    private let facts: AdmissionFacts
    private let authorizer: RoleAuthorizer

    init(_ request: AdmissionRequest, _ object: KubeObject?, in registry: Registry) {
        self.request = request
        self.object = object
        catalog = registry.catalog
        facts = AdmissionFacts(store: registry.store)
        authorizer = registry.authorizer
    }

    /// The other kinds in which the same stored objects are served.
    var equivalents: [KindSchema] {
        catalog.kinds.filter { other in
            other.storeName == request.kind.storeName && other.resource != request.kind.resource
                && (request.subresource.map(other.subresources.contains) ?? true)
        }
    }

    /// The namespace of the request as it is stored; nil for objects of the cluster, and where there is none.
    var namespaceObject: KubeObject? { namespace.isEmpty ? nil : facts.object(.namespaces, namespace) }

    /// The namespace that the request itself creates or changes.
    var writtenNamespace: KubeObject? {
        request.resource == .namespaces && subresource.isEmpty && [.create, .update].contains(operation) ? object : nil
    }

    var kind: KindSchema { request.kind }
    var operation: AdmissionRequest.Operation { request.operation }
    private var subresource: String { request.subresource ?? "" }
    /// The object as it is; nil for a new one.
    var old: KubeObject? { request.old }
    var name: String { request.name.isEmpty ? (object ?? old)?.name ?? "" : request.name }

    /// Empty for objects of the cluster; of a namespace its own name.
    var namespace: String { request.reviewedNamespace }

    func resource(as kind: KindSchema) -> RequestedResource {
        RequestedResource(
            operation: operation, group: kind.resource.group, version: kind.resource.version,
            resource: kind.resource.plural, subresource: subresource, namespace: namespace)
    }

    // MARK: Variables

    /// What expressions know of the request, with the objects in the version of a kind.
    func variables(as kind: KindSchema) -> [String: Value] {
        var variables: [String: Value] = [
            "object": value(object, as: kind), "oldObject": value(old, as: kind),
            "request": Value(request.description(as: kind.resource)), "namespaceObject": .null,
            "authorizer": .opaque(AuthorizerValue(decide: decide)),
            "authorizer.requestResource": .opaque(AuthorizerValue(ownQuestion, decide: decide)),
        ]
        if kind.resource != .namespaces, var shown = namespaceObject?.value {
            shown[["metadata", "managedFields"]] = nil
            shown[["metadata", "ownerReferences"]] = nil
            variables["namespaceObject"] = Value(shown)
        }
        return variables
    }

    private func value(_ object: KubeObject?, as kind: KindSchema) -> Value {
        guard let object else { return .null }
        let isAsAsked = kind.resource == self.kind.resource || request.body != nil
        return Value(isAsAsked ? object.value : kind.served(self.kind.stored(object)).value)
    }

    // MARK: Rights

    private var ownQuestion: AuthorizerValue.Question {
        var question = AuthorizerValue.Question()
        question.group = kind.resource.group
        question.resource = kind.resource.plural
        question.subresource = subresource
        question.namespace = kind.resource.isNamespaced ? namespace : ""
        question.name = name
        return question
    }

    private var decide: AuthorizerValue.Decide {
        { [authorizer, caller = request.caller] question in
            var user = caller ?? .anonymous
            if let account = question.serviceAccount {
                let parts = account.split(separator: ":").map(String.init)
                if parts.count == 4 { user = .serviceAccount(parts[3], namespace: parts[2]) }
            }
            let info =
                question.path.map { RequestInfo(method: question.verb, path: $0, isResourceRequest: false) }
                ?? RequestInfo(
                    verb: question.verb, group: question.group, version: "*", resource: question.resource,
                    subresource: question.subresource, namespace: question.namespace, name: question.name)
            let decision = authorizer.decide(user, info)
            return AuthorizerValue.Answer(isAllowed: decision.isAllowed, reason: decision.reason)
        }
    }
}

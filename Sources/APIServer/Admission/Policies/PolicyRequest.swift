import CEL
import KubeModel
import ObjectStore

/// A request as policies and conditions see it.
struct PolicyRequest: Sendable {
    let operation: AdmissionRequest.Operation
    let kind: KindSchema
    let subresource: String
    /// The object as it is to be; nil for a deletion.
    let object: KubeObject?
    /// The object as it is; nil for a new one.
    let old: KubeObject?
    let caller: UserInfo
    let isDryRun: Bool
    let namespaceObject: KubeObject?
    /// The other kinds in which the same stored objects are served.
    let equivalents: [KindSchema]
    let authorizer: RoleAuthorizer

    init(
        _ request: AdmissionRequest, _ object: KubeObject?, caller: UserInfo, catalog: KindCatalog,
        facts: AdmissionFacts, authorizer: RoleAuthorizer
    ) {
        operation = request.operation
        kind = request.kind
        subresource = request.subresource ?? ""
        self.object = object
        old = request.old
        self.caller = caller
        isDryRun = request.isDryRun
        let namespace = (object ?? request.old)?.namespace
        namespaceObject = namespace.flatMap { facts.object(.namespaces, $0) }
        equivalents = catalog.kinds.filter { other in
            other.storeName == request.kind.storeName && other.resource != request.kind.resource
                && (request.subresource.map(other.subresources.contains) ?? true)
        }
        self.authorizer = authorizer
    }

    var name: String { (object ?? old)?.name ?? "" }

    /// Empty for objects of the cluster; of a namespace its own name.
    var namespace: String { kind.resource == .namespaces ? name : (object ?? old)?.namespace ?? "" }

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
            "request": Value(describe(as: kind)), "namespaceObject": .null,
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
        return Value(kind.resource == self.kind.resource ? object.value : kind.served(self.kind.stored(object)).value)
    }

    private func describe(as kind: KindSchema) -> JSONValue {
        func type(_ type: ResourceType) -> JSONValue {
            ["group": .string(type.group), "version": .string(type.version), "kind": .string(type.kind)]
        }
        func resource(_ type: ResourceType) -> JSONValue {
            ["group": .string(type.group), "version": .string(type.version), "resource": .string(type.plural)]
        }
        let options = operation == .create ? "CreateOptions" : operation == .update ? "UpdateOptions" : "DeleteOptions"
        var value: JSONValue = [
            "kind": type(kind.resource), "resource": resource(kind.resource), "requestKind": type(self.kind.resource),
            "requestResource": resource(self.kind.resource), "operation": .string(operation.rawValue),
            "dryRun": .bool(isDryRun), "options": ["kind": .string(options), "apiVersion": "meta.k8s.io/v1"],
        ]
        if !subresource.isEmpty {
            value["subResource"] = .string(subresource)
            value["requestSubResource"] = .string(subresource)
        }
        if !name.isEmpty { value["name"] = .string(name) }
        if !namespace.isEmpty { value["namespace"] = .string(namespace) }
        var user: JSONValue = [
            "username": .string(caller.name), "groups": .array(caller.groups.map(JSONValue.string)),
        ]
        if !caller.uid.isEmpty { user["uid"] = .string(caller.uid) }
        if !caller.extra.isEmpty {
            user["extra"] = .object(
                JSONObject(
                    caller.extra.sorted { $0.key < $1.key }.map { ($0.key, .array($0.value.map(JSONValue.string))) }))
        }
        value["userInfo"] = user
        return value
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
        { [authorizer, caller] question in
            var user = caller
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

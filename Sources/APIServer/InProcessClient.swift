import KubeClient
import KubeModel
import ObjectStore

/// The cluster seen from inside the process: straight into the registry, with the same checks as over the network.
struct InProcessClient: ClusterClient {
    let registry: Registry
    let user: UserInfo

    /// Does what the user may do, and takes note of it.
    private func perform<Result>(
        _ verb: String, _ resource: ResourceType, _ namespace: String?, _ name: String = "",
        _ subresource: String? = nil, _ action: (OpenRequest) async throws(Status) -> Result
    ) async throws(Status) -> Result {
        try await registry.prepare()
        let info = RequestInfo(
            verb: verb, group: resource.group, version: resource.version, resource: resource.plural,
            subresource: subresource ?? "",
            namespace: resource == .namespaces ? name : resource.isNamespaced ? namespace ?? "" : "", name: name)
        let request = registry.ledger.begin(info, user)
        do throws(Status) {
            let decision = registry.authorizer.decide(user, info)
            request.decided(decision)
            guard decision.isAllowed else { throw .forbidden(user, info, decision.reason) }
            let result = try await action(request)
            if !info.isLongRunning { request.answered(code: verb == "create" ? 201 : 200) }
            return result
        } catch {
            request.refused(error)
            throw error
        }
    }

    private func target(_ resource: ResourceType, _ namespace: String?, _ name: String) throws(Status) -> Target {
        let kind = try registry.kind(of: resource)
        guard !name.isEmpty else { throw .badRequest("resource name may not be empty") }
        return Target(kind: kind, namespace: namespace, name: name)
    }

    private func settings(_ options: WriteOptions = WriteOptions()) -> WriteSettings {
        WriteSettings(
            isDryRun: options.isDryRun, fieldValidation: options.fieldValidation, caller: user,
            fieldManager: options.fieldManager ?? Self.manager(of: user.name), isForced: options.isForced)
    }

    /// The program behind a user of the system, as it would call itself: `kubelet`, `kube-controller-manager`.
    static func manager(of user: String) -> String {
        guard user.hasPrefix("system:") else { return user }
        let name = user.dropFirst("system:".count)
        return name.hasPrefix("node:") ? "kubelet" : String(name)
    }

    func get(_ resource: ResourceType, namespace: String?, name: String) async throws(Status) -> KubeObject {
        try await perform("get", resource, namespace, name) { _ throws(Status) in
            let target = try target(resource, namespace, name)
            if target.kind.isComputed { return try await registry.computedObject(target) }
            return try await registry.get(target).object
        }
    }

    func list(_ resource: ResourceType, namespace: String?, options: ListOptions) async throws(Status) -> ObjectList {
        try await perform("list", resource, namespace) { _ throws(Status) in
            let kind = try registry.kind(of: resource)
            let query = ListQuery(
                selection: try Selection(
                    kind, labelSelector: options.labelSelector, fieldSelector: options.fieldSelector),
                limit: options.limit, continueToken: options.continueToken,
                resourceVersion: options.resourceVersion)
            let page =
                kind.isComputed
                ? try await registry.computedList(kind, namespace: namespace, query.selection)
                : try await registry.list(kind, namespace: namespace, query)
            return ObjectList(
                items: page.items.map(\.object), resourceVersion: "\(page.revision.rawValue)",
                continueToken: page.continueToken)
        }
    }

    func watch(
        _ resource: ResourceType, namespace: String?, options: WatchOptions
    ) async throws(Status) -> AsyncThrowingStream<WatchEvent, any Error> {
        try await perform("watch", resource, namespace) { request throws(Status) in
            let kind = try registry.kind(of: resource)
            let query = WatchQuery(
                selection: try Selection(
                    kind, labelSelector: options.labelSelector, fieldSelector: options.fieldSelector),
                resourceVersion: options.resourceVersion, allowsBookmarks: options.allowsBookmarks)
            let stream = WatchFeed.stream(
                try await WatchCursor(registry, kind, namespace: namespace, query), owning: request)
            request.streaming(code: 200)
            return stream
        }
    }

    func create(
        _ resource: ResourceType, _ object: KubeObject, options: WriteOptions
    ) async throws(Status) -> KubeObject {
        try await perform("create", resource, object.namespace) { _ throws(Status) in
            try await registry.create(
                registry.kind(of: resource), namespace: object.namespace, body: object.value, settings(options)
            ).object
        }
    }

    func update(
        _ resource: ResourceType, _ object: KubeObject, subresource: String?, options: WriteOptions
    ) async throws(Status) -> KubeObject {
        try await perform("update", resource, object.namespace, object.name, subresource) { _ throws(Status) in
            let target = try target(resource, object.namespace, object.name)
            if subresource == "scale" {
                return KubeObject(try await registry.updateScale(target, object.value, settings(options)))
            }
            try registry.checkChangeable(target.kind, subresource)
            return try await registry.update(
                target, body: object.value, subresource: subresource, settings(options)
            ).object
        }
    }

    func patch(
        _ resource: ResourceType, namespace: String?, name: String, _ patch: ObjectPatch, subresource: String?,
        options: WriteOptions
    ) async throws(Status) -> KubeObject {
        try await perform("patch", resource, namespace, name, subresource) { _ throws(Status) in
            let target = try target(resource, namespace, name)
            if subresource == "scale" {
                return KubeObject(try await registry.patchScale(target, patch, settings(options)))
            }
            try registry.checkChangeable(target.kind, subresource)
            return try await registry.patch(target, patch, subresource: subresource, settings(options)).object
        }
    }

    @discardableResult
    func delete(
        _ resource: ResourceType, namespace: String?, name: String, options: DeleteOptions
    ) async throws(Status) -> KubeObject {
        try await perform("delete", resource, namespace, name) { _ throws(Status) in
            let settings = WriteSettings(options, isDryRun: false, caller: user)
            return try await registry.delete(target(resource, namespace, name), options, settings).object
        }
    }

    /// The verbs of methods on a sub-resource.
    private static let verbs = ["POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"]

    func call(
        _ method: String, _ resource: ResourceType, namespace: String?, name: String, subresource: String,
        body: JSONValue?
    ) async throws(Status) -> JSONValue {
        try await perform(Self.verbs[method] ?? "get", resource, namespace, name, subresource) { _ throws(Status) in
            try await registry.call(
                method, target(resource, namespace, name), subresource, body: body, settings()
            ).value
        }
    }

    func logs(
        namespace: String, pod: String, options: LogOptions
    ) async throws(Status) -> AsyncThrowingStream<[UInt8], any Error> {
        try await perform("get", .pods, namespace, pod, "log") { request throws(Status) in
            let stream = try await registry.logs(target(.pods, namespace, pod), options: options)
            request.answered(code: 200)
            return stream
        }
    }

    func exec(
        namespace: String, pod: String, _ request: ExecRequest, timeout: Duration
    ) async throws(Status) -> ExecResult {
        try await perform("create", .pods, namespace, pod, "exec") { open throws(Status) in
            let result = try await registry.exec(target(.pods, namespace, pod), request, timeout: timeout)
            open.answered(code: 200)
            return result
        }
    }
}

import KubeClient
import KubeModel
import ObjectStore

/// The cluster seen from inside the process: straight into the registry, with the same checks as over the network.
struct InProcessClient: ClusterClient {
    let registry: Registry
    let user: String

    private func kind(_ resource: ResourceType) async throws(Status) -> KindSchema {
        try await registry.prepare()
        return try registry.kind(of: resource)
    }

    private func target(
        _ resource: ResourceType, _ namespace: String?, _ name: String
    ) async throws(Status) -> Target {
        let kind = try await kind(resource)
        guard !name.isEmpty else { throw .badRequest("resource name may not be empty") }
        return Target(kind: kind, namespace: namespace, name: name)
    }

    func get(_ resource: ResourceType, namespace: String?, name: String) async throws(Status) -> KubeObject {
        try registry.get(await target(resource, namespace, name)).object
    }

    func list(_ resource: ResourceType, namespace: String?, options: ListOptions) async throws(Status) -> ObjectList {
        let kind = try await kind(resource)
        let query = ListQuery(
            selection: try Selection(
                kind, labelSelector: options.labelSelector, fieldSelector: options.fieldSelector),
            limit: options.limit, continueToken: options.continueToken, resourceVersion: options.resourceVersion)
        let page = try registry.list(kind, namespace: namespace, query)
        return ObjectList(
            items: page.items.map(\.object), resourceVersion: "\(page.revision.rawValue)",
            continueToken: page.continueToken)
    }

    func watch(
        _ resource: ResourceType, namespace: String?, options: WatchOptions
    ) async throws(Status) -> AsyncThrowingStream<WatchEvent, any Error> {
        let kind = try await kind(resource)
        let query = WatchQuery(
            selection: try Selection(
                kind, labelSelector: options.labelSelector, fieldSelector: options.fieldSelector),
            resourceVersion: options.resourceVersion, allowsBookmarks: options.allowsBookmarks)
        return WatchFeed.stream(try WatchCursor(registry, kind, namespace: namespace, query))
    }

    func create(
        _ resource: ResourceType, _ object: KubeObject, options: WriteOptions
    ) async throws(Status) -> KubeObject {
        let kind = try await kind(resource)
        return try await registry.create(
            kind, namespace: object.namespace, body: object.value, settings(options)
        ).object
    }

    func update(
        _ resource: ResourceType, _ object: KubeObject, subresource: String?, options: WriteOptions
    ) async throws(Status) -> KubeObject {
        let target = try await target(resource, object.namespace, object.name)
        let settings = settings(options)
        if subresource == "scale" {
            return KubeObject(try await registry.updateScale(target, object.value, settings))
        }
        try registry.checkChangeable(target.kind, subresource)
        return try await registry.update(target, body: object.value, subresource: subresource, settings).object
    }

    func patch(
        _ resource: ResourceType, namespace: String?, name: String, _ patch: ObjectPatch, subresource: String?,
        options: WriteOptions
    ) async throws(Status) -> KubeObject {
        let target = try await target(resource, namespace, name)
        let settings = settings(options)
        if subresource == "scale" {
            return KubeObject(try await registry.patchScale(target, patch, settings))
        }
        try registry.checkChangeable(target.kind, subresource)
        return try await registry.patch(target, patch, subresource: subresource, settings).object
    }

    @discardableResult
    func delete(
        _ resource: ResourceType, namespace: String?, name: String, options: DeleteOptions
    ) async throws(Status) -> KubeObject {
        try await registry.delete(await target(resource, namespace, name), options).object
    }

    func call(
        _ method: String, _ resource: ResourceType, namespace: String?, name: String, subresource: String,
        body: JSONValue?
    ) async throws(Status) -> JSONValue {
        let target = try await target(resource, namespace, name)
        return try await registry.call(method, target, subresource, body: body, settings(WriteOptions())).value
    }

    func logs(
        namespace: String, pod: String, options: LogOptions
    ) async throws(Status) -> AsyncThrowingStream<[UInt8], any Error> {
        try await registry.logs(await target(.pods, namespace, pod), options: options)
    }
}

extension InProcessClient {
    private func settings(_ options: WriteOptions) -> WriteSettings {
        WriteSettings(
            isDryRun: options.isDryRun, fieldValidation: options.fieldValidation,
            fieldManager: options.fieldManager ?? Self.manager(of: user), isForced: options.isForced)
    }

    /// The program behind a user of the system, as it would call itself: `kubelet`, `kube-controller-manager`.
    static func manager(of user: String) -> String {
        guard user.hasPrefix("system:") else { return user }
        let name = user.dropFirst("system:".count)
        return name.hasPrefix("node:") ? "kubelet" : String(name)
    }
}

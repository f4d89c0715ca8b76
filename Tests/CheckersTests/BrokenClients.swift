import KubeClient
import KubeModel

/// A server that is away.
struct UnreachableCluster: ClusterClient {
    private var away: Status { Status(code: 0, reason: "Unreachable", message: "the server is not there") }

    func get(_ resource: ResourceType, namespace: String?, name: String) async throws(Status) -> KubeObject {
        throw away
    }
    func list(_ resource: ResourceType, namespace: String?, options: ListOptions) async throws(Status) -> ObjectList {
        throw away
    }
    func watch(
        _ resource: ResourceType, namespace: String?, options: WatchOptions
    ) async throws(Status) -> AsyncThrowingStream<WatchEvent, any Error> { throw away }
    func create(_ resource: ResourceType, _ object: KubeObject, options: WriteOptions) async throws(Status)
        -> KubeObject
    {
        throw away
    }
    func update(
        _ resource: ResourceType, _ object: KubeObject, subresource: String?, options: WriteOptions
    ) async throws(Status) -> KubeObject { throw away }
    func patch(
        _ resource: ResourceType, namespace: String?, name: String, _ patch: ObjectPatch, subresource: String?,
        options: WriteOptions
    ) async throws(Status) -> KubeObject { throw away }
    func delete(
        _ resource: ResourceType, namespace: String?, name: String, options: DeleteOptions
    ) async throws(Status) -> KubeObject { throw away }
    func call(
        _ method: String, _ resource: ResourceType, namespace: String?, name: String, subresource: String,
        body: JSONValue?
    ) async throws(Status) -> JSONValue { throw away }
    func logs(
        namespace: String, pod: String, options: LogOptions
    ) async throws(Status) -> AsyncThrowingStream<[UInt8], any Error> { throw away }
    func exec(
        namespace: String, pod: String, _ request: ExecRequest, timeout: Duration
    ) async throws(Status) -> ExecResult { throw away }
}

/// A cluster in which a quota allows no further pod.
struct RefusingPods: ClusterClient {
    let base: any ClusterClient

    func create(_ resource: ResourceType, _ object: KubeObject, options: WriteOptions) async throws(Status)
        -> KubeObject
    {
        if resource == .pods { throw Status(code: 403, reason: "Forbidden", message: "exceeded quota") }
        return try await base.create(resource, object, options: options)
    }
    func get(_ resource: ResourceType, namespace: String?, name: String) async throws(Status) -> KubeObject {
        try await base.get(resource, namespace: namespace, name: name)
    }
    func list(_ resource: ResourceType, namespace: String?, options: ListOptions) async throws(Status) -> ObjectList {
        try await base.list(resource, namespace: namespace, options: options)
    }
    func watch(
        _ resource: ResourceType, namespace: String?, options: WatchOptions
    ) async throws(Status) -> AsyncThrowingStream<WatchEvent, any Error> {
        try await base.watch(resource, namespace: namespace, options: options)
    }
    func update(
        _ resource: ResourceType, _ object: KubeObject, subresource: String?, options: WriteOptions
    ) async throws(Status) -> KubeObject {
        try await base.update(resource, object, subresource: subresource, options: options)
    }
    func patch(
        _ resource: ResourceType, namespace: String?, name: String, _ patch: ObjectPatch, subresource: String?,
        options: WriteOptions
    ) async throws(Status) -> KubeObject {
        try await base.patch(
            resource, namespace: namespace, name: name, patch, subresource: subresource, options: options)
    }
    func delete(
        _ resource: ResourceType, namespace: String?, name: String, options: DeleteOptions
    ) async throws(Status) -> KubeObject {
        try await base.delete(resource, namespace: namespace, name: name, options: options)
    }
    func call(
        _ method: String, _ resource: ResourceType, namespace: String?, name: String, subresource: String,
        body: JSONValue?
    ) async throws(Status) -> JSONValue {
        try await base.call(
            method, resource, namespace: namespace, name: name, subresource: subresource, body: body)
    }
    func logs(
        namespace: String, pod: String, options: LogOptions
    ) async throws(Status) -> AsyncThrowingStream<[UInt8], any Error> {
        try await base.logs(namespace: namespace, pod: pod, options: options)
    }
    func exec(
        namespace: String, pod: String, _ request: ExecRequest, timeout: Duration
    ) async throws(Status) -> ExecResult {
        try await base.exec(namespace: namespace, pod: pod, request, timeout: timeout)
    }
}

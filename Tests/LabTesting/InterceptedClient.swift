public import KubeClient
public import KubeModel
import Synchronization

/// A client that goes wrong when told to: requests can be refused, and watches can be cut.
public final class InterceptedClient: ClusterClient {
    /// What is about to be asked of the cluster.
    public struct Request: Sendable {
        public var verb: Verb
        public var resource: ResourceType
    }
    public enum Verb: Sendable { case get, list, watch, create, update, patch, delete, call, logs }

    private typealias Cut = AsyncThrowingStream<WatchEvent, any Error>.Continuation

    private let base: any ClusterClient
    private let intercept: @Sendable (Request) async throws(Status) -> Void
    private let watches = Mutex<[Cut]>([])

    /// `intercept` is called before each request; what it throws is the answer.
    public init(
        _ base: any ClusterClient, intercept: @escaping @Sendable (Request) async throws(Status) -> Void = { _ in }
    ) {
        self.base = base
        self.intercept = intercept
    }

    /// Ends all present watches with an answer of the server; events that nobody has taken yet are lost.
    public func cutWatches(_ status: Status) {
        let cuts = watches.withLock { watches in
            defer { watches = [] }
            return watches
        }
        for cut in cuts { cut.finish(throwing: status) }
    }

    public func get(_ resource: ResourceType, namespace: String?, name: String) async throws(Status) -> KubeObject {
        try await intercept(Request(verb: .get, resource: resource))
        return try await base.get(resource, namespace: namespace, name: name)
    }

    public func list(
        _ resource: ResourceType, namespace: String?, options: ListOptions
    ) async throws(Status) -> ObjectList {
        try await intercept(Request(verb: .list, resource: resource))
        return try await base.list(resource, namespace: namespace, options: options)
    }

    public func watch(
        _ resource: ResourceType, namespace: String?, options: WatchOptions
    ) async throws(Status) -> AsyncThrowingStream<WatchEvent, any Error> {
        try await intercept(Request(verb: .watch, resource: resource))
        let events = try await base.watch(resource, namespace: namespace, options: options)
        let (stream, continuation) = AsyncThrowingStream<WatchEvent, any Error>.makeStream()
        // A stream has no task group of its own to pass events on from.
        let relay = Task {
            do {
                for try await event in events { continuation.yield(event) }
                continuation.finish()
            } catch { continuation.finish(throwing: error) }
        }
        continuation.onTermination = { _ in relay.cancel() }
        watches.withLock { $0.append(continuation) }
        return stream
    }

    public func create(
        _ resource: ResourceType, _ object: KubeObject, options: WriteOptions
    ) async throws(Status) -> KubeObject {
        try await intercept(Request(verb: .create, resource: resource))
        return try await base.create(resource, object, options: options)
    }

    public func update(
        _ resource: ResourceType, _ object: KubeObject, subresource: String?, options: WriteOptions
    ) async throws(Status) -> KubeObject {
        try await intercept(Request(verb: .update, resource: resource))
        return try await base.update(resource, object, subresource: subresource, options: options)
    }

    public func patch(
        _ resource: ResourceType, namespace: String?, name: String, _ patch: ObjectPatch, subresource: String?,
        options: WriteOptions
    ) async throws(Status) -> KubeObject {
        try await intercept(Request(verb: .patch, resource: resource))
        return try await base.patch(
            resource, namespace: namespace, name: name, patch, subresource: subresource, options: options)
    }

    @discardableResult
    public func delete(
        _ resource: ResourceType, namespace: String?, name: String, options: DeleteOptions
    ) async throws(Status) -> KubeObject {
        try await intercept(Request(verb: .delete, resource: resource))
        return try await base.delete(resource, namespace: namespace, name: name, options: options)
    }

    public func call(
        _ method: String, _ resource: ResourceType, namespace: String?, name: String, subresource: String,
        body: JSONValue?
    ) async throws(Status) -> JSONValue {
        try await intercept(Request(verb: .call, resource: resource))
        return try await base.call(
            method, resource, namespace: namespace, name: name, subresource: subresource, body: body)
    }

    public func logs(
        namespace: String, pod: String, options: LogOptions
    ) async throws(Status) -> AsyncThrowingStream<[UInt8], any Error> {
        try await intercept(Request(verb: .logs, resource: .pods))
        return try await base.logs(namespace: namespace, pod: pod, options: options)
    }

    public func exec(
        namespace: String, pod: String, _ request: ExecRequest, timeout: Duration
    ) async throws(Status) -> ExecResult {
        try await intercept(Request(verb: .call, resource: .pods))
        return try await base.exec(namespace: namespace, pod: pod, request, timeout: timeout)
    }
}

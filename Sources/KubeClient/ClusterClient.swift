public import KubeModel

/// The one door to a cluster: typed verbs of the Kubernetes API.
///
/// Two implementations exist: in process (`APIServer`, straight into the request pipeline, with the same admission and
/// validation) and over HTTPS with a kubeconfig (`HTTPSClient`). Controllers, scheduler, kubelet, network, screens and
/// checkers use nothing else, so none of them can tell an embedded cluster from a real one.
///
/// Every verb throws `Status`. A cluster that cannot be reached at all throws a `Status` with code 0 and reason `Unreachable`.
public protocol ClusterClient: Sendable {
    func get(_ resource: ResourceType, namespace: String?, name: String) async throws(Status) -> KubeObject

    /// Lists objects of one kind; `namespace` nil means all namespaces.
    func list(_ resource: ResourceType, namespace: String?, options: ListOptions) async throws(Status) -> ObjectList

    /// Changes after `options.resourceVersion`, until the caller stops iterating or the server ends the stream.
    ///
    /// The sequence throws `Status`; `isExpired` means: list again. It ends normally when the server's time-out for watches is over.
    func watch(
        _ resource: ResourceType, namespace: String?, options: WatchOptions
    ) async throws(Status) -> AsyncThrowingStream<WatchEvent, any Error>

    func create(_ resource: ResourceType, _ object: KubeObject, options: WriteOptions) async throws(Status)
        -> KubeObject

    /// Replaces an object, or one of its sub-resources (`status`, `scale`). A `resourceVersion` in the object is a precondition.
    func update(
        _ resource: ResourceType, _ object: KubeObject, subresource: String?, options: WriteOptions
    ) async throws(Status) -> KubeObject

    func patch(
        _ resource: ResourceType, namespace: String?, name: String, _ patch: ObjectPatch, subresource: String?,
        options: WriteOptions
    ) async throws(Status) -> KubeObject

    /// Deletes an object and returns its last state.
    @discardableResult
    func delete(
        _ resource: ResourceType, namespace: String?, name: String, options: DeleteOptions
    ) async throws(Status) -> KubeObject

    /// Calls a sub-resource that is not an object of its kind: POST `pods/NAME/binding`, GET `deployments/NAME/scale`.
    func call(
        _ method: String, _ resource: ResourceType, namespace: String?, name: String, subresource: String,
        body: JSONValue?
    ) async throws(Status) -> JSONValue

    /// The log of a container, as it was written; with `options.isFollowing` it goes on until the container ends.
    func logs(
        namespace: String, pod: String, options: LogOptions
    ) async throws(Status) -> AsyncThrowingStream<[UInt8], any Error>

    /// Runs a command in a container to its end, without input.
    ///
    /// Throws also when it has not ended after `timeout`; what it started may go on then.
    func exec(
        namespace: String, pod: String, _ request: ExecRequest, timeout: Duration
    ) async throws(Status) -> ExecResult
}

/// What a command in a container wrote, and how it ended.
public struct ExecResult: Sendable, Hashable {
    public var output: [UInt8]
    public var errorOutput: [UInt8]
    /// The exit code, or 128 plus the signal that ended it.
    public var exitCode: Int

    public init(output: [UInt8], errorOutput: [UInt8], exitCode: Int) {
        self.output = output
        self.errorOutput = errorOutput
        self.exitCode = exitCode
    }
}

/// What to list (API concepts, "Retrieving large results sets in chunks").
public struct ListOptions: Sendable, Hashable {
    public var labelSelector: String?
    public var fieldSelector: String?
    public var limit: Int?
    public var continueToken: String?
    public var resourceVersion: String?

    public init(
        labelSelector: String? = nil, fieldSelector: String? = nil, limit: Int? = nil, continueToken: String? = nil,
        resourceVersion: String? = nil
    ) {
        self.labelSelector = labelSelector
        self.fieldSelector = fieldSelector
        self.limit = limit
        self.continueToken = continueToken
        self.resourceVersion = resourceVersion
    }
}

/// What to watch, and from when.
public struct WatchOptions: Sendable, Hashable {
    public var labelSelector: String?
    public var fieldSelector: String?
    /// The revision after which events are wanted: that of the list before it.
    ///
    /// Nil starts with the present objects as `added`.
    public var resourceVersion: String?
    public var allowsBookmarks: Bool

    public init(
        labelSelector: String? = nil, fieldSelector: String? = nil, resourceVersion: String? = nil,
        allowsBookmarks: Bool = true
    ) {
        self.labelSelector = labelSelector
        self.fieldSelector = fieldSelector
        self.resourceVersion = resourceVersion
        self.allowsBookmarks = allowsBookmarks
    }
}

/// How to write.
public struct WriteOptions: Sendable, Hashable {
    public var isDryRun: Bool
    public var fieldManager: String?
    public var fieldValidation: FieldValidation
    /// Takes over fields of other managers in server-side apply.
    public var isForced: Bool

    public init(
        isDryRun: Bool = false, fieldManager: String? = nil, fieldValidation: FieldValidation = .warn,
        isForced: Bool = false
    ) {
        self.isDryRun = isDryRun
        self.fieldManager = fieldManager
        self.fieldValidation = fieldValidation
        self.isForced = isForced
    }
}

/// What happens to unknown and duplicate fields in a body.
public enum FieldValidation: String, Sendable {
    case strict = "Strict"
    case warn = "Warn"
    case ignore = "Ignore"
}

/// How to delete.
public struct DeleteOptions: Sendable, Hashable {
    public var gracePeriodSeconds: Int?
    public var propagation: Propagation?
    /// The older way to say `orphan` (true) or `background` (false).
    public var orphanDependents: Bool?
    public var uid: String?
    public var resourceVersion: String?

    public enum Propagation: String, Sendable {
        case background = "Background"
        case foreground = "Foreground"
        case orphan = "Orphan"
    }

    public init(
        gracePeriodSeconds: Int? = nil, propagation: Propagation? = nil, uid: String? = nil,
        resourceVersion: String? = nil
    ) {
        self.gracePeriodSeconds = gracePeriodSeconds
        self.propagation = propagation
        self.uid = uid
        self.resourceVersion = resourceVersion
    }
}

/// A body of PATCH and the media type that says how to read it.
public struct ObjectPatch: Sendable, Hashable {
    public enum Kind: String, Sendable {
        case json = "application/json-patch+json"
        case merge = "application/merge-patch+json"
        case strategic = "application/strategic-merge-patch+json"
        case apply = "application/apply-patch+yaml"
    }
    public var kind: Kind
    public var body: JSONValue

    public init(_ kind: Kind, _ body: JSONValue) {
        self.kind = kind
        self.body = body
    }

    public static func merge(_ body: JSONValue) -> ObjectPatch { ObjectPatch(.merge, body) }
}

/// Which part of a container's log is wanted.
public struct LogOptions: Sendable, Hashable {
    /// Nil means the only container of the pod.
    public var container: String?
    public var isFollowing: Bool
    public var isPrevious: Bool
    public var tailLines: Int?
    public var limitBytes: Int?
    public var sinceSeconds: Int?
    public var sinceTime: Timestamp?
    public var hasTimestamps: Bool

    public init(
        container: String? = nil, isFollowing: Bool = false, isPrevious: Bool = false, tailLines: Int? = nil,
        limitBytes: Int? = nil, sinceSeconds: Int? = nil, sinceTime: Timestamp? = nil, hasTimestamps: Bool = false
    ) {
        self.container = container
        self.isFollowing = isFollowing
        self.isPrevious = isPrevious
        self.tailLines = tailLines
        self.limitBytes = limitBytes
        self.sinceSeconds = sinceSeconds
        self.sinceTime = sinceTime
        self.hasTimestamps = hasTimestamps
    }
}

/// The objects of one list call, and the revision at which they were read.
public struct ObjectList: Sendable {
    public var items: [KubeObject]
    public var resourceVersion: String
    /// Set when there are more: pass it on as `ListOptions.continueToken`.
    public var continueToken: String?

    public init(items: [KubeObject], resourceVersion: String, continueToken: String? = nil) {
        self.items = items
        self.resourceVersion = resourceVersion
        self.continueToken = continueToken
    }
}

/// One change, as a watch reports it (API concepts, "Efficient detection of changes").
public enum WatchEvent: Sendable, Hashable {
    case added(KubeObject)
    case modified(KubeObject)
    /// The object as it was when it went, with the revision of its deletion.
    case deleted(KubeObject)
    /// Nothing changed up to this revision.
    case bookmark(resourceVersion: String)

    public var object: KubeObject? {
        switch self {
        case .added(let object), .modified(let object), .deleted(let object): object
        case .bookmark: nil
        }
    }
}

extension ClusterClient {
    public func get(_ resource: ResourceType, _ name: String, in namespace: String? = nil) async throws(Status)
        -> KubeObject
    {
        try await get(resource, namespace: namespace, name: name)
    }

    public func list(_ resource: ResourceType, in namespace: String? = nil) async throws(Status) -> ObjectList {
        try await list(resource, namespace: namespace, options: ListOptions())
    }

    public func create(_ resource: ResourceType, _ object: KubeObject) async throws(Status) -> KubeObject {
        try await create(resource, object, options: WriteOptions())
    }

    public func updateStatus(_ resource: ResourceType, _ object: KubeObject) async throws(Status) -> KubeObject {
        try await update(resource, object, subresource: "status", options: WriteOptions())
    }

    /// Deletes an object; one that is gone already is fine.
    public func deleteIfPresent(
        _ resource: ResourceType, _ name: String, in namespace: String?, options: DeleteOptions = DeleteOptions()
    ) async throws(Status) {
        do {
            try await delete(resource, namespace: namespace, name: name, options: options)
        } catch {
            guard error.isNotFound else { throw error }
        }
    }
}

public import KubeModel
import NIOHTTP1

extension HTTPSClient {
    public func get(_ resource: ResourceType, namespace: String?, name: String) async throws(Status) -> KubeObject {
        KubeObject(try await json(.GET, resource.path(namespace: namespace, name: name)))
    }

    public func list(
        _ resource: ResourceType, namespace: String?, options: ListOptions
    ) async throws(Status) -> ObjectList {
        var query: [(String, String)] = []
        query.add("labelSelector", options.labelSelector)
        query.add("fieldSelector", options.fieldSelector)
        query.add("limit", options.limit.map(String.init))
        query.add("continue", options.continueToken)
        query.add("resourceVersion", options.resourceVersion)
        let value = try await json(.GET, resource.path(namespace: namespace), query: query)
        let items = (value["items"]?.array ?? []).map { item in
            var object = KubeObject(item)
            // Items of a list leave out what the list says once.
            if object.kind.isEmpty {
                object.value["apiVersion"] = .string(resource.apiVersion)
                object.value["kind"] = .string(resource.kind)
            }
            return object
        }
        return ObjectList(
            items: items, resourceVersion: value[["metadata", "resourceVersion"]]?.string ?? "",
            continueToken: value[["metadata", "continue"]]?.string.flatMap { $0.isEmpty ? nil : $0 })
    }

    public func watch(
        _ resource: ResourceType, namespace: String?, options: WatchOptions
    ) async throws(Status) -> AsyncThrowingStream<WatchEvent, any Error> {
        var query: [(String, String)] = [("watch", "true")]
        query.add("labelSelector", options.labelSelector)
        query.add("fieldSelector", options.fieldSelector)
        query.add("resourceVersion", options.resourceVersion)
        if options.allowsBookmarks { query.add("allowWatchBookmarks", "true") }
        let response = try await send(.GET, resource.path(namespace: namespace), query: query)
        guard response.status == 200 else {
            _ = try await Self.value(of: response)
            throw Status(code: response.status, reason: "Unknown", message: "The watch was not accepted.")
        }
        let (events, continuation) = AsyncThrowingStream<WatchEvent, any Error>.makeStream()
        // The stream's own task: it ends with the response, or when the caller drops the stream.
        let reader = Task {
            do {
                var lines = LineSplitter()
                for try await chunk in response.body {
                    for line in lines.add(chunk) {
                        if let event = try Self.event(line) { continuation.yield(event) }
                    }
                }
                continuation.finish()
            } catch let error as Status {
                continuation.finish(throwing: error)
            } catch let error as JSONError {
                let message = "The watch sent something that is not JSON: \(error)."
                continuation.finish(throwing: Status(code: 500, reason: "Unknown", message: message))
            } catch {
                let message = "The watch broke off: \(error)."
                continuation.finish(throwing: Status(code: 0, reason: "Unreachable", message: message))
            }
        }
        continuation.onTermination = { _ in reader.cancel() }
        return events
    }

    /// Reads one line of a watch; nil for an event of a type that is not known.
    private static func event(_ line: [UInt8]) throws -> WatchEvent? {
        let value = try JSONValue(parsing: line)
        guard let object = value["object"] else { return nil }
        switch value["type"]?.string {
        case "ADDED": return .added(KubeObject(object))
        case "MODIFIED": return .modified(KubeObject(object))
        case "DELETED": return .deleted(KubeObject(object))
        case "BOOKMARK": return .bookmark(resourceVersion: KubeObject(object).resourceVersion)
        case "ERROR": throw Status(object) ?? Status(code: 500, reason: "Unknown", message: object.text)
        default: return nil
        }
    }

    public func create(
        _ resource: ResourceType, _ object: KubeObject, options: WriteOptions
    ) async throws(Status) -> KubeObject {
        let path = resource.path(namespace: object.namespace ?? (resource.isNamespaced ? "default" : nil))
        return KubeObject(try await json(.POST, path, query: options.query, body: object.value))
    }

    public func update(
        _ resource: ResourceType, _ object: KubeObject, subresource: String?, options: WriteOptions
    ) async throws(Status) -> KubeObject {
        let path = resource.path(namespace: object.namespace, name: object.name, subresource: subresource)
        return KubeObject(try await json(.PUT, path, query: options.query, body: object.value))
    }

    public func patch(
        _ resource: ResourceType, namespace: String?, name: String, _ patch: ObjectPatch, subresource: String?,
        options: WriteOptions
    ) async throws(Status) -> KubeObject {
        var query = options.query
        if options.isForced { query.add("force", "true") }
        let path = resource.path(namespace: namespace, name: name, subresource: subresource)
        return KubeObject(
            try await json(.PATCH, path, query: query, contentType: patch.kind.rawValue, body: patch.body))
    }

    @discardableResult
    public func delete(
        _ resource: ResourceType, namespace: String?, name: String, options: DeleteOptions
    ) async throws(Status) -> KubeObject {
        var body: JSONValue = ["apiVersion": "v1", "kind": "DeleteOptions"]
        if let seconds = options.gracePeriodSeconds { body["gracePeriodSeconds"] = JSONValue(seconds) }
        if let propagation = options.propagation { body["propagationPolicy"] = .string(propagation.rawValue) }
        if let uid = options.uid { body[["preconditions", "uid"]] = .string(uid) }
        if let revision = options.resourceVersion { body[["preconditions", "resourceVersion"]] = .string(revision) }
        return KubeObject(try await json(.DELETE, resource.path(namespace: namespace, name: name), body: body))
    }

    public func call(
        _ method: String, _ resource: ResourceType, namespace: String?, name: String, subresource: String,
        body: JSONValue?
    ) async throws(Status) -> JSONValue {
        let path = resource.path(namespace: namespace, name: name, subresource: subresource)
        return try await json(HTTPMethod(rawValue: method), path, body: body)
    }

    public func logs(
        namespace: String, pod: String, options: LogOptions
    ) async throws(Status) -> AsyncThrowingStream<[UInt8], any Error> {
        var query: [(String, String)] = []
        query.add("container", options.container)
        if options.isFollowing { query.add("follow", "true") }
        if options.isPrevious { query.add("previous", "true") }
        if options.hasTimestamps { query.add("timestamps", "true") }
        query.add("tailLines", options.tailLines.map(String.init))
        query.add("limitBytes", options.limitBytes.map(String.init))
        query.add("sinceSeconds", options.sinceSeconds.map(String.init))
        query.add("sinceTime", options.sinceTime?.text)
        let path = ResourceType.pods.path(namespace: namespace, name: pod, subresource: "log")
        let response = try await send(.GET, path, query: query)
        if response.status != 200 { _ = try await Self.value(of: response) }
        return response.body
    }
}

extension WriteOptions {
    fileprivate var query: [(String, String)] {
        var query: [(String, String)] = []
        if isDryRun { query.add("dryRun", "All") }
        query.add("fieldManager", fieldManager)
        query.add("fieldValidation", fieldValidation.rawValue)
        return query
    }
}

extension [(String, String)] {
    fileprivate mutating func add(_ name: String, _ value: String?) { if let value { append((name, value)) } }
}

/// Cuts chunks at line feeds; what follows the last one waits for the next chunk.
private struct LineSplitter {
    private var rest: [UInt8] = []

    mutating func add(_ chunk: [UInt8]) -> [[UInt8]] {
        rest += chunk
        guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        let lines = rest[..<end].split(separator: UInt8(ascii: "\n")).map(Array.init)
        rest.removeFirst(end + 1)
        return lines
    }
}

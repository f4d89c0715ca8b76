public import KubeModel

/// An object as it is kept: the value for code, the bytes for the wire.
///
/// Encoded once, when it was written.
public struct StoredObject: Sendable {
    public let key: StoreKey
    /// With `metadata.resourceVersion` set.
    public let object: KubeObject
    /// The object as compact JSON.
    public let bytes: [UInt8]
    public let revision: Revision
    /// The revision at which the object was created.
    public let createRevision: Revision

    /// The same place in history with the object in another form; the revision stays in its metadata.
    public func converted(to object: KubeObject) -> StoredObject {
        StoredObject(
            key: key, object: object, bytes: object.value.encoded, revision: revision, createRevision: createRevision)
    }
}

/// One change.
public struct StoreEvent: Sendable {
    public enum Kind: Int, Sendable {
        case added = 0
        case modified = 1
        case deleted = 2
    }

    public let kind: Kind
    /// After the change; for a deletion the last state, with the revision of the deletion.
    public let object: StoredObject
    /// Before the change; nil for the first write of a key.
    public let previous: StoredObject?

    public var revision: Revision { object.revision }

    /// The same change of objects in another form.
    public func mapping(_ convert: (StoredObject) -> StoredObject) -> StoreEvent {
        StoreEvent(kind: kind, object: convert(object), previous: previous.map(convert))
    }
}

/// What must hold for a write to happen.
public enum Precondition: Sendable, Hashable {
    case none
    /// There is no object of that key.
    case absent
    /// The object is as it was at its revision.
    case revision(Revision)
}

/// Why the store did not do something.
public enum StoreError: Error, Sendable, Hashable {
    case exists(StoreKey)
    case notFound(StoreKey)
    /// The object has changed since the revision of the precondition.
    case conflict(StoreKey, current: Revision)
    /// The history begins after this revision: list again. Carries the oldest revision that can be asked for.
    case compacted(Revision)
    /// There is no such revision yet. Carries the newest one.
    case future(Revision)
    case cancelled
    /// The disk refused; the sentence says why.
    case io(String)
}

/// An object encoded but for its revision, which is known only when the write has its turn.
struct EncodedObject {
    private let object: KubeObject
    private let head: [UInt8]
    private let tail: [UInt8]

    init(_ object: KubeObject) {
        self.object = object
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        var split = 0
        for (key, value) in object.value.object ?? [:] where key != "metadata" || value.object == nil {
            Self.append(key, value, to: &bytes)
        }
        JSONValue.string("metadata").encode(into: &bytes)
        bytes.append(contentsOf: ":{".utf8)
        for (key, value) in object.value["metadata"]?.object ?? [:] where key != "resourceVersion" {
            Self.append(key, value, to: &bytes)
        }
        bytes.append(contentsOf: "\"resourceVersion\":\"".utf8)
        split = bytes.count
        bytes.append(contentsOf: "\"}}".utf8)
        head = Array(bytes[..<split])
        tail = Array(bytes[split...])
    }

    private static func append(_ key: String, _ value: JSONValue, to bytes: inout [UInt8]) {
        JSONValue.string(key).encode(into: &bytes)
        bytes.append(UInt8(ascii: ":"))
        value.encode(into: &bytes)
        bytes.append(UInt8(ascii: ","))
    }

    func stored(_ key: StoreKey, _ revision: Revision, created: Revision) -> StoredObject {
        var object = object
        object.resourceVersion = revision.description
        return StoredObject(
            key: key, object: object, bytes: head + Array(revision.description.utf8) + tail, revision: revision,
            createRevision: created)
    }
}

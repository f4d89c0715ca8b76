public import KubeModel
import Synchronization

/// An object as it is kept: the value for code, the bytes for the wire.
///
/// Encoded once, when it was written. A class, because thousands of watchers and lists share it: handing it on costs one count.
public final class StoredObject: Sendable {
    public let key: StoreKey
    /// The value; nil when only the history still needs the object.
    private let value: Mutex<KubeObject?>
    /// The object as compact JSON: `kind`, `apiVersion` and `metadata` come first.
    public let bytes: [UInt8]
    public let revision: Revision
    /// The revision at which the object was created.
    public let createRevision: Revision
    /// `metadata.labels`, which selectors look at again and again.
    public let labels: JSONObject?
    /// Where in `bytes` the members after `kind` and `apiVersion` begin.
    public let typeEnd: Int
    /// Where in `bytes` the value of `metadata` lies.
    public let metadata: Range<Int>

    init(
        key: StoreKey, object: KubeObject, bytes: [UInt8], revision: Revision, createRevision: Revision, typeEnd: Int,
        metadata: Range<Int>
    ) {
        self.key = key
        value = Mutex(object)
        labels = object.value["metadata"]?["labels"]?.object
        self.bytes = bytes
        self.revision = revision
        self.createRevision = createRevision
        self.typeEnd = typeEnd
        self.metadata = metadata
    }

    /// With `metadata.resourceVersion` set; read from the bytes each time once the object has been replaced for a while.
    public var object: KubeObject {
        if let known = value.withLock({ $0 }) { return known }
        guard let read = try? JSONValue(parsing: bytes) else {
            preconditionFailure("the object '\(key)' at revision \(revision) was encoded here and cannot be read")
        }
        return KubeObject(read)
    }

    /// Keeps the bytes only: a value takes several times their room.
    func forgetValue() {
        let last = value.withLock { value in
            defer { value = nil }
            return value
        }
        // Taken apart here, after the lock.
        withExtendedLifetime(last) {}
    }

    /// An object that is in no store, for readers who want one as if it were.
    public static func unstored(_ object: KubeObject, key: StoreKey, revision: Revision) -> StoredObject {
        EncodedObject(object).stored(key, revision, created: revision)
    }

    /// The same place in history with the object in another form; the revision stays in its metadata.
    public func converted(to object: KubeObject) -> StoredObject {
        EncodedObject(object).stored(key, revision, created: createRevision)
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
struct EncodedObject: Sendable {
    private let object: KubeObject
    /// Up to the value of `metadata.resourceVersion`.
    private let head: [UInt8]
    /// What follows that value.
    private let tail: [UInt8]
    private let typeEnd: Int
    private let metadataStart: Int

    init(_ object: KubeObject) {
        self.object = object
        var head: [UInt8] = [UInt8(ascii: "{")]
        head.reserveCapacity(1024)
        for key in ["kind", "apiVersion"] {
            if let value = object.value[key] { Self.append(key, value, to: &head) }
        }
        typeEnd = head.count
        head.append(contentsOf: "\"metadata\":".utf8)
        metadataStart = head.count
        head.append(UInt8(ascii: "{"))
        for (key, value) in object.value["metadata"]?.object ?? [:] where key != "resourceVersion" {
            Self.append(key, value, to: &head)
        }
        head.append(contentsOf: "\"resourceVersion\":\"".utf8)
        var tail: [UInt8] = []
        tail.reserveCapacity(1024)
        tail.append(contentsOf: "\"}".utf8)
        for (key, value) in object.value.object ?? [:] where !["kind", "apiVersion", "metadata"].contains(key) {
            tail.append(UInt8(ascii: ","))
            Self.append(key, value, to: &tail)
            tail.removeLast()
        }
        tail.append(UInt8(ascii: "}"))
        self.head = head
        self.tail = tail
    }

    private static func append(_ key: String, _ value: JSONValue, to bytes: inout [UInt8]) {
        JSONValue.string(key).encode(into: &bytes)
        bytes.append(UInt8(ascii: ":"))
        value.encode(into: &bytes)
        bytes.append(UInt8(ascii: ","))
    }

    func stored(_ key: StoreKey, _ revision: Revision, created: Revision) -> StoredObject {
        var object = object
        let text = revision.description
        object.resourceVersion = text
        var bytes: [UInt8] = []
        bytes.reserveCapacity(head.count + text.utf8.count + tail.count)
        bytes.append(contentsOf: head)
        bytes.append(contentsOf: text.utf8)
        // The tail begins with the quotation mark and the brace that end the metadata.
        let metadataEnd = bytes.count + 2
        bytes.append(contentsOf: tail)
        return StoredObject(
            key: key, object: object, bytes: bytes, revision: revision, createRevision: created, typeEnd: typeEnd,
            metadata: metadataStart..<metadataEnd)
    }
}

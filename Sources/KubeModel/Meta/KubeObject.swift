/// A Kubernetes object: a JSON value with accessors for what every object has.
///
/// Kind-specific views (`Pod`, `Deployment` …) wrap one of these.
public struct KubeObject: Sendable, Hashable {
    public var value: JSONValue

    public init(_ value: JSONValue) { self.value = value }

    /// An object with its type and name set, to be filled in.
    public init(_ resource: ResourceType, namespace: String? = nil, name: String) {
        value = ["apiVersion": .string(resource.apiVersion), "kind": .string(resource.kind), "metadata": [:]]
        if let namespace { self.namespace = namespace }
        self.name = name
    }

    public var apiVersion: String { value["apiVersion"]?.string ?? "" }
    public var kind: String { value["kind"]?.string ?? "" }

    public var name: String {
        get { value["metadata"]?["name"]?.string ?? "" }
        set { value[["metadata", "name"]] = .string(newValue) }
    }

    public var generateName: String? { value["metadata"]?["generateName"]?.string }

    /// The namespace; nil for objects that belong to the cluster.
    public var namespace: String? {
        get { value["metadata"]?["namespace"]?.string }
        set { value[["metadata", "namespace"]] = newValue.map(JSONValue.string) }
    }

    public var uid: String {
        get { value["metadata"]?["uid"]?.string ?? "" }
        set { value[["metadata", "uid"]] = .string(newValue) }
    }

    /// The revision of the last change, opaque to clients; empty before the first write.
    public var resourceVersion: String {
        get { value["metadata"]?["resourceVersion"]?.string ?? "" }
        set { value[["metadata", "resourceVersion"]] = .string(newValue) }
    }

    public var generation: Int {
        get { value["metadata"]?["generation"]?.int ?? 0 }
        set { value[["metadata", "generation"]] = JSONValue(newValue) }
    }

    public var labels: [String: String] {
        get { Self.strings(value["metadata"]?["labels"]) }
        set { value[["metadata", "labels"]] = newValue.isEmpty ? nil : JSONValue(newValue) }
    }

    public var annotations: [String: String] {
        get { Self.strings(value["metadata"]?["annotations"]) }
        set { value[["metadata", "annotations"]] = newValue.isEmpty ? nil : JSONValue(newValue) }
    }

    public var finalizers: [String] {
        get { value["metadata"]?["finalizers"]?.array?.compactMap(\.string) ?? [] }
        set { value[["metadata", "finalizers"]] = newValue.isEmpty ? nil : .array(newValue.map(JSONValue.string)) }
    }

    public var creationTimestamp: Timestamp? {
        value["metadata"]?["creationTimestamp"]?.string.flatMap(Timestamp.init(parsing:))
    }

    public var deletionTimestamp: Timestamp? {
        value["metadata"]?["deletionTimestamp"]?.string.flatMap(Timestamp.init(parsing:))
    }

    public var deletionGracePeriodSeconds: Int? { value["metadata"]?["deletionGracePeriodSeconds"]?.int }

    public var isBeingDeleted: Bool { value["metadata"]?["deletionTimestamp"]?.string != nil }

    public var ownerReferences: [OwnerReference] {
        get { value["metadata"]?["ownerReferences"]?.array?.map(OwnerReference.init) ?? [] }
        set {
            value[["metadata", "ownerReferences"]] = newValue.isEmpty ? nil : .array(newValue.map(\.value))
        }
    }

    /// The one owner that manages this object, if any.
    public var controllerOwner: OwnerReference? { ownerReferences.first(where: \.isController) }

    static func strings(_ value: JSONValue?) -> [String: String] {
        guard let members = value?.object else { return [:] }
        var strings: [String: String] = [:]
        for (key, value) in members { strings[key] = value.string }
        return strings
    }
}

/// A reference from an object to one that owns it (`metadata.ownerReferences`).
public struct OwnerReference: Sendable, Hashable {
    public var apiVersion: String
    public var kind: String
    public var name: String
    public var uid: String
    public var isController: Bool
    public var blocksOwnerDeletion: Bool

    /// A reference that makes `owner` the controller of the object that carries it.
    public init(controller owner: KubeObject) {
        apiVersion = owner.apiVersion
        kind = owner.kind
        name = owner.name
        uid = owner.uid
        isController = true
        blocksOwnerDeletion = true
    }

    public init(_ value: JSONValue) {
        apiVersion = value["apiVersion"]?.string ?? ""
        kind = value["kind"]?.string ?? ""
        name = value["name"]?.string ?? ""
        uid = value["uid"]?.string ?? ""
        isController = value["controller"]?.bool ?? false
        blocksOwnerDeletion = value["blockOwnerDeletion"]?.bool ?? false
    }

    public var value: JSONValue {
        var value: JSONValue = [
            "apiVersion": .string(apiVersion), "kind": .string(kind), "name": .string(name), "uid": .string(uid),
        ]
        if isController { value["controller"] = true }
        if blocksOwnerDeletion { value["blockOwnerDeletion"] = true }
        return value
    }
}

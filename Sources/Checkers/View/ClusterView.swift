import KubeModel

/// One object before and after a change; nil where it was not there.
struct ObjectChange: Sendable {
    let resource: ResourceType
    let old: KubeObject?
    let new: KubeObject?
}

/// What a witness knows of the cluster: the objects of the watched kinds as a value, kept up to date by watch events.
struct ClusterView: Sendable {
    private var objects: [ResourceType: [ObjectKey: KubeObject]] = [:]
    /// Kinds that cannot be watched, and why.
    private(set) var failures: [ResourceType: Status] = [:]

    /// Whether the present objects of a kind are known.
    func isSynced(_ resource: ResourceType) -> Bool { objects[resource] != nil }

    func get(_ resource: ResourceType, _ name: String, in namespace: String?) -> KubeObject? {
        objects[resource]?[ObjectKey(namespace: resource.isNamespaced ? namespace : nil, name: name)]
    }

    /// The objects of a kind, by namespace and name.
    func list(_ resource: ResourceType, in namespace: String? = nil) -> [KubeObject] {
        let found = (objects[resource] ?? [:]).values.filter { namespace == nil || $0.namespace == namespace }
        return found.sorted { ObjectKey($0) < ObjectKey($1) }
    }

    mutating func fail(_ resource: ResourceType, _ status: Status) { failures[resource] = status }

    /// Takes over a fresh list; the changes are the difference to what was known before, none for the first list.
    mutating func replace(_ resource: ResourceType, with list: [KubeObject]) -> [ObjectChange] {
        failures[resource] = nil
        var fresh: [ObjectKey: KubeObject] = [:]
        for object in list { fresh[ObjectKey(object)] = object }
        defer { objects[resource] = fresh }
        guard let known = objects[resource] else { return [] }
        let gone = known.filter { fresh[$0.key] == nil }.sorted { $0.key < $1.key }
            .map { ObjectChange(resource: resource, old: $0.value, new: nil) }
        let changed = fresh.filter { known[$0.key] != $0.value }.sorted { $0.key < $1.key }
            .map { ObjectChange(resource: resource, old: known[$0.key], new: $0.value) }
        return gone + changed
    }

    mutating func apply(_ resource: ResourceType, _ event: WatchChange) -> ObjectChange? {
        let key = ObjectKey(event.object)
        let old = objects[resource, default: [:]][key]
        if event.isDeletion {
            objects[resource, default: [:]][key] = nil
            return ObjectChange(resource: resource, old: old ?? event.object, new: nil)
        }
        objects[resource, default: [:]][key] = event.object
        return ObjectChange(resource: resource, old: old, new: event.object)
    }
}

/// A watch event that is about an object.
struct WatchChange: Sendable {
    let object: KubeObject
    let isDeletion: Bool
}

/// The kinds that a server serves.
public struct KindCatalog: Sendable {
    /// In the order of declaration, which is the order of discovery within a group.
    public private(set) var kinds: [KindSchema]
    private var byPlural: [String: Int] = [:]
    private var byKind: [String: Int] = [:]

    public init(_ kinds: [KindSchema]) {
        self.kinds = []
        for kind in kinds { add(kind) }
    }

    /// Adds a kind, or replaces the one of the same group, version and plural (custom resources change at run time).
    public mutating func add(_ kind: KindSchema) {
        let resource = kind.resource
        let key = Self.key(resource.group, resource.version, resource.plural)
        if let index = byPlural[key] {
            byKind["\(kinds[index].resource.apiVersion)/\(kinds[index].resource.kind)"] = nil
            kinds[index] = kind
            byKind["\(resource.apiVersion)/\(resource.kind)"] = index
        } else {
            byPlural[key] = kinds.count
            byKind["\(resource.apiVersion)/\(resource.kind)"] = kinds.count
            kinds.append(kind)
        }
    }

    /// Removes a kind; does nothing if there is none.
    public mutating func remove(group: String, version: String, plural: String) {
        let remaining = kinds.filter {
            ($0.resource.group, $0.resource.version, $0.resource.plural) != (group, version, plural)
        }
        self = KindCatalog(remaining)
    }

    /// The kind at a place in the API, for example `apps`, `v1`, `deployments`; the core group is empty.
    public func kind(group: String, version: String, plural: String) -> KindSchema? {
        byPlural[Self.key(group, version, plural)].map { kinds[$0] }
    }

    /// The kind of an object, for example `apps/v1`, `Deployment`.
    public func kind(apiVersion: String, kind: String) -> KindSchema? {
        byKind["\(apiVersion)/\(kind)"].map { kinds[$0] }
    }

    public func kind(_ resource: ResourceType) -> KindSchema? {
        kind(group: resource.group, version: resource.version, plural: resource.plural)
    }

    /// The kinds whose objects are in the store under their own name: each object once, whatever its versions.
    public var storedKinds: [KindSchema] { kinds.filter { $0.isStored && !$0.isComputed } }

    private static func key(_ group: String, _ version: String, _ plural: String) -> String {
        "\(group)/\(version)/\(plural)"
    }
}

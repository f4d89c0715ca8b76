/// How the objects of a kind are kept, where the store's form is not the one in which the kind is served.
///
/// One stored object can be served in several versions (`autoscaling/v1` and `v2`), or under two groups (events): what is read
/// is converted to the kind that was asked for, what is written is converted back before it is stored.
public struct StoredForm: Sendable {
    /// The type of the objects in the store.
    public let resource: ResourceType
    /// The kind by whose rules an object is judged in its stored form; nil judges it in the served form.
    private let judgingKind: (@Sendable () -> KindSchema)?
    let toStored: @Sendable (_ object: inout KubeObject) -> Void
    let toServed: @Sendable (_ object: inout KubeObject) -> Void

    public init(
        _ resource: ResourceType, judgedAs judgingKind: (@Sendable () -> KindSchema)? = nil,
        toStored: @escaping @Sendable (inout KubeObject) -> Void,
        toServed: @escaping @Sendable (inout KubeObject) -> Void
    ) {
        self.resource = resource
        self.judgingKind = judgingKind
        self.toStored = toStored
        self.toServed = toServed
    }

    var judge: KindSchema? { judgingKind?() }
}

extension KindSchema {
    /// The name under which the store keeps the objects, for example `events` for both kinds of events.
    public var storeName: String { (storedForm?.resource ?? resource).qualifiedPlural }

    /// Whether the store's form is this kind's own.
    public var isStored: Bool { storedForm.map { $0.resource == resource } ?? true }

    /// Whether the objects are made when they are asked for, and are nowhere in the store.
    public var isComputed: Bool { !verbs.contains("create") && !verbs.contains("watch") }

    /// An object of this kind as the store keeps it.
    public func stored(_ object: KubeObject) -> KubeObject {
        guard let storedForm else { return object }
        var object = object
        storedForm.toStored(&object)
        return object
    }

    /// An object of the store as this kind serves it.
    public func served(_ object: KubeObject) -> KubeObject {
        guard let storedForm else { return object }
        var object = object
        storedForm.toServed(&object)
        return object
    }
}

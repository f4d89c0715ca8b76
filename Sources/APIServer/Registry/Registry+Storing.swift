import KubeModel
import ObjectStore

extension KindSchema {
    /// An object of the store as this kind serves it.
    func served(_ stored: StoredObject) -> StoredObject {
        guard storedForm != nil else { return stored }
        let object = served(stored.object)
        return object == stored.object ? stored : stored.converted(to: object)
    }

    func served(_ items: [StoredObject]) -> [StoredObject] { storedForm == nil ? items : items.map(served) }

    func served(_ event: StoreEvent) -> StoreEvent { storedForm == nil ? event : event.mapping(served) }
}

/// The only ways in which objects get into the store; they are in the form in which they are kept.
extension Registry {
    /// - Parameter form: The object as `stored(_:as:)` has made it.
    func put(
        _ target: Target, _ form: KubeObject, _ precondition: Precondition
    ) async throws(StoreError) -> StoredObject {
        let stored = try await store.put(target.key, form, precondition)
        await react(toWriteOf: target)
        return stored
    }

    /// Takes an object away and returns its last state.
    func remove(
        _ target: Target, _ precondition: Precondition, final form: KubeObject
    ) async throws(StoreError) -> StoredObject {
        let stored = try await store.delete(target.key, precondition, final: form)
        await react(toWriteOf: target)
        return stored
    }

    private func react(toWriteOf target: Target) async {
        webhooks.react(toWriteOf: target.resource)
        aggregator.react(toWriteOf: target.resource)
        await customResources.react(toWriteOf: target, in: self)
        await policies.react(toWriteOf: target, in: self)
    }
}

/// Objects between the form in which they are kept and the one in which a kind serves them.
extension Registry {
    func stored(_ object: KubeObject, as kind: KindSchema) async throws(Status) -> KubeObject {
        guard let webhook = kind.custom?.conversion, let version = kind.storedForm?.resource.apiVersion else {
            return kind.stored(object)
        }
        return try await convert([object], to: version, webhook)[0]
    }

    func served(_ object: KubeObject, as kind: KindSchema) async throws(Status) -> KubeObject {
        guard let webhook = kind.custom?.conversion else { return kind.served(object) }
        return try await convert([object], to: kind, webhook)[0]
    }

    func served(_ stored: StoredObject, as kind: KindSchema) async throws(Status) -> StoredObject {
        guard kind.custom?.conversion != nil else { return kind.served(stored) }
        return try await served([stored], as: kind)[0]
    }

    func served(_ items: [StoredObject], as kind: KindSchema) async throws(Status) -> [StoredObject] {
        guard let webhook = kind.custom?.conversion else { return kind.served(items) }
        let converted = try await convert(items.map(\.object), to: kind, webhook)
        return zip(items, converted).map { $0.object == $1 ? $0 : $0.converted(to: $1) }
    }

    func served(_ events: [StoreEvent], as kind: KindSchema) async throws(Status) -> [StoreEvent] {
        guard kind.custom?.conversion != nil else { return events.map(kind.served) }
        let objects = events.flatMap { [$0.object] + ($0.previous.map { [$0] } ?? []) }
        var converted = try await served(objects, as: kind)[...]
        return events.map { event in event.mapping { converted.popFirst() ?? $0 } }
    }
}

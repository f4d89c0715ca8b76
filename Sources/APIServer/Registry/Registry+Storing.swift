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

/// The only ways in which objects get into the store: in the form in which they are kept.
extension Registry {
    /// Writes an object of the target's kind and returns it as that kind serves it.
    func put(
        _ target: Target, _ object: KubeObject, _ precondition: Precondition
    ) async throws(StoreError) -> StoredObject {
        let stored = try await store.put(target.key, target.kind.stored(object), precondition)
        await customResources.react(toWriteOf: target, in: self)
        await policies.react(toWriteOf: target, in: self)
        return target.kind.served(stored)
    }

    /// Takes an object away and returns its last state.
    func remove(
        _ target: Target, _ precondition: Precondition, final: KubeObject
    ) async throws(StoreError) -> StoredObject {
        let stored = try await store.delete(target.key, precondition, final: target.kind.stored(final))
        await customResources.react(toWriteOf: target, in: self)
        await policies.react(toWriteOf: target, in: self)
        return target.kind.served(stored)
    }
}

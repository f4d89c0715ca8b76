import KubeClient
import KubeModel
import ObjectStore
import Synchronization

/// Serves what CustomResourceDefinitions define, and writes their status.
///
/// Everything happens within the write that causes it: when a definition has been answered, its objects can be created.
final class CustomResources: Sendable {
    private struct Made {
        let revision: Revision
        let kinds: [KindSchema]
    }

    /// The kinds of each definition, by its name, so that a change of one does not read all others again.
    private let made = Mutex<[String: Made]>([:])

    private static let definitions = ResourceType.customResourceDefinitions.qualifiedPlural

    static func key(_ name: String) -> StoreKey { StoreKey(resource: definitions, namespace: nil, name: name) }

    /// Called after an object was written or taken away.
    func react(toWriteOf target: Target, in registry: Registry) async {
        if target.resource == .customResourceDefinitions {
            await settle(registry)
            if let stored = registry.store.get(Self.key(target.name)), stored.object.isBeingDeleted {
                await finish(CustomResourceDefinition(stored.object), registry)
            }
        } else if target.kind.custom != nil, let stored = registry.store.get(Self.key(target.resource.qualifiedPlural)),
            stored.object.isBeingDeleted
        {
            await complete(CustomResourceDefinition(stored.object), registry)
        }
    }

    /// Brings the catalog in line with the definitions in the store.
    func refresh(_ registry: Registry) {
        registry.liveCatalog.change { catalog in
            guard let page = try? registry.store.list(.all(resource: Self.definitions)) else { return }
            let fresh = made.withLock { made in
                var next: [String: Made] = [:]
                for item in page.items {
                    if let known = made[item.key.name], known.revision == item.revision {
                        next[item.key.name] = known
                    } else {
                        let kinds = CustomResourceDefinition(item.object).kinds
                        next[item.key.name] = Made(revision: item.revision, kinds: kinds)
                    }
                }
                made = next
                return page.items.flatMap { next[$0.key.name]?.kinds ?? [] }
            }
            catalog.replaceCustomKinds(by: fresh)
        }
    }

    // MARK: Status

    /// Decides about names until nothing changes any more: a name that one definition frees another may take.
    private func settle(_ registry: Registry) async {
        refresh(registry)
        var isSettled = false
        while !isSettled {
            isSettled = true
            guard let page = try? registry.store.list(.all(resource: Self.definitions)) else { return }
            for item in page.items {
                let others = page.items.filter { $0.key != item.key }.map { CustomResourceDefinition($0.object) }
                let verdict = NamesVerdict(CustomResourceDefinition(item.object), others: others, now: registry.now())
                guard let status = verdict.status else { continue }
                var object = item.object
                object.value["status"] = status
                _ = try? await registry.store.put(item.key, object, .revision(item.revision))
                isSettled = false
                break
            }
        }
        refresh(registry)
        await registry.registerAPIServices()
    }

    // MARK: Deletion

    /// 403 for a new object of a kind whose definition is going.
    func admit(_ object: KubeObject, _ kind: KindSchema, in registry: Registry) throws(Status) {
        guard kind.custom != nil, let definition = registry.store.get(Self.key(kind.resource.qualifiedPlural)),
            definition.object.isBeingDeleted
        else { return }
        throw .forbidden(
            kind.resource, object.name, "create not allowed while custom resource definition is terminating")
    }

    /// What the first deletion of a definition leaves in it.
    static func beginDeletion(_ object: inout KubeObject, now: Timestamp) {
        guard !object.isBeingDeleted else { return }
        let finalizer = CustomResourceDefinition.cleanupFinalizer
        if !object.finalizers.contains(finalizer) { object.finalizers.append(finalizer) }
        object.setCondition(
            "Terminating", "True", "InstanceDeletionPending",
            "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon", now: now)
    }

    /// Deletes all objects of a definition that is going, then lets it go.
    private func finish(_ definition: CustomResourceDefinition, _ registry: Registry) async {
        guard definition.object.finalizers.contains(CustomResourceDefinition.cleanupFinalizer) else { return }
        if let kind = definition.kinds.first(where: \.isStored) ?? definition.kinds.first,
            let page = try? registry.store.list(.all(resource: kind.storeName))
        {
            for item in page.items {
                let target = Target(kind: kind, namespace: item.object.namespace, name: item.object.name)
                _ = try? await registry.delete(target, DeleteOptions())
            }
        }
        await complete(definition, registry)
    }

    /// Takes the finalizer away once there is no object left.
    private func complete(_ definition: CustomResourceDefinition, _ registry: Registry) async {
        let key = Self.key(definition.object.name)
        let name = "\(definition.acceptedNames.plural).\(definition.group)"
        while let stored = registry.store.get(key), stored.object.isBeingDeleted,
            stored.object.finalizers.contains(CustomResourceDefinition.cleanupFinalizer)
        {
            let left = try? registry.store.list(.all(resource: name), limit: 1)
            guard left?.items.isEmpty ?? false else { return }
            var object = stored.object
            object.finalizers.removeAll { $0 == CustomResourceDefinition.cleanupFinalizer }
            object.setCondition(
                "Terminating", "False", "InstanceDeletionCompleted", "removed all instances", now: registry.now())
            do throws(StoreError) {
                if object.finalizers.isEmpty {
                    try await registry.store.delete(key, .revision(stored.revision), final: object)
                } else {
                    try await registry.store.put(key, object, .revision(stored.revision))
                }
            } catch {
                guard case .conflict = error else { break }
            }
        }
        await settle(registry)
    }
}

extension KindCatalog {
    /// Serves other custom kinds than before; a kind that is built in is never replaced.
    fileprivate mutating func replaceCustomKinds(by kinds: [KindSchema]) {
        var next = KindCatalog(self.kinds.filter { $0.custom == nil })
        for kind in kinds where next.kind(kind.resource) == nil { next.add(kind) }
        self = next
    }
}

extension KubeObject {
    /// Sets a condition; its time moves only when the status changes.
    mutating func setCondition(
        _ type: String, _ status: String, _ reason: String, _ message: String, now: Timestamp
    ) {
        var conditions = value[["status", "conditions"]]?.array ?? []
        let index = conditions.firstIndex { $0["type"]?.string == type }
        let old = index.map { conditions[$0] }
        let time = old?["status"]?.string == status ? old?["lastTransitionTime"] : nil
        let condition: JSONValue = [
            "lastTransitionTime": time ?? .string(now.text), "message": .string(message), "reason": .string(reason),
            "status": .string(status), "type": .string(type),
        ]
        if let index { conditions[index] = condition } else { conditions.append(condition) }
        value[["status", "conditions"]] = .array(conditions)
    }
}

import ControllerKit
import KubeClient
import KubeModel

/// Removes objects of one kind whose owners are gone, and sees owners of that kind through a foreground or orphaning deletion.
///
/// Source: Kubernetes docs, "Garbage Collection".
struct GarbageCollector: Reconciler {
    static let foreground = "foregroundDeletion"
    static let orphan = "orphan"

    let client: any ClusterClient
    let informer: Informer
    /// All kinds that can own or be owned.
    let followed: FollowedKinds
    let events: EventRecorder
    /// A custom kind whose definition is gone: none of its objects is left.
    var endedKind: ResourceType?

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        guard let object = try await client.find(informer.resource, key) else { return .settled }
        if object.isBeingDeleted {
            if object.finalizers.contains(Self.orphan) { try await releaseDependents(of: object) }
            if object.finalizers.contains(Self.foreground) { return try await deleteDependents(of: object) }
            return .settled
        }
        try await collect(object, informer.resource)
        return .settled
    }

    /// What an object's owners are to it.
    private struct Owners {
        /// There, and staying.
        var solid: [OwnerReference] = []
        /// There, and waiting until the object is gone.
        var waiting: [OwnerReference] = []
        var goneCount = 0
    }

    private func owners(of object: KubeObject) async throws -> Owners {
        var owners = Owners()
        for owner in object.ownerReferences {
            let informer = followed.kind(of: owner)
            if let endedKind, informer?.resource == endedKind {
                owners.goneCount += 1
                continue
            }
            guard let type = followed.resource(of: owner) else {
                owners.solid.append(owner)  // A kind that is not served: never guess that it is gone.
                continue
            }
            if type.isNamespaced, object.namespace == nil {
                // No namespace to look in: such an owner can be neither found nor missed.
                await reportForeignOwner(owner, of: object)
                owners.solid.append(owner)
                continue
            }
            let key = ObjectKey(namespace: type.isNamespaced ? object.namespace : nil, name: owner.name)
            // One that is known to be there needs no question; whoever goes is told of.
            if let known = informer?.get(key), known.uid == owner.uid, !known.isBeingDeleted {
                owners.solid.append(owner)
                continue
            }
            guard let found = try await client.find(type, key), found.uid == owner.uid else {
                if type.isNamespaced, informer?.list().contains(where: { $0.uid == owner.uid }) ?? false {
                    await reportForeignOwner(owner, of: object)
                }
                owners.goneCount += 1
                continue
            }
            let isWaiting = found.isBeingDeleted && found.finalizers.contains(Self.foreground)
            if isWaiting { owners.waiting.append(owner) } else { owners.solid.append(owner) }
        }
        return owners
    }

    /// Tells people that an owner is in another namespace, where it does not count.
    private func reportForeignOwner(_ owner: OwnerReference, of object: KubeObject) async {
        let namespace = object.namespace ?? ""
        await events.record(
            object, .warning, reason: "OwnerRefInvalidNamespace",
            message: "ownerRef [\(owner.apiVersion)/\(owner.kind), namespace: \(namespace), name: \(owner.name), "
                + "uid: \(owner.uid)] does not exist in namespace \(GoText.quote(namespace))")
    }

    /// Deletes the object when none of its owners stays, or takes away the references to those that do not.
    private func collect(_ object: KubeObject, _ resource: ResourceType) async throws {
        guard !object.ownerReferences.isEmpty else { return }
        let owners = try await owners(of: object)
        if owners.solid.isEmpty {
            if !owners.waiting.isEmpty { try await unblockCircle(of: object, resource) }
            let propagation: DeleteOptions.Propagation = owners.waiting.isEmpty ? .background : .foreground
            try await client.deleteIfPresent(
                resource, object.name, in: object.namespace,
                options: DeleteOptions(propagation: propagation, uid: object.uid))
        } else if owners.goneCount > 0 || !owners.waiting.isEmpty {
            try await setOwners(owners.solid, of: object, resource)
        }
    }

    /// Lets the owners of an object go before it does when one of its own dependents already waits in the same way:
    /// in a circle of owners everyone would wait for the next for ever.
    private func unblockCircle(of object: KubeObject, _ resource: ResourceType) async throws {
        let isCircle = dependents(of: object).contains { _, dependent in
            dependent.isBeingDeleted && dependent.finalizers.contains(Self.foreground)
        }
        guard isCircle, object.ownerReferences.contains(where: \.blocksOwnerDeletion) else { return }
        try await setOwners(
            object.ownerReferences.map { owner in
                var owner = owner
                owner.blocksOwnerDeletion = false
                return owner
            }, of: object, resource)
    }

    private func dependents(of owner: KubeObject) -> [(ResourceType, KubeObject)] {
        followed.all.flatMap { informer in
            informer.list(ownedBy: owner.uid).map { (informer.resource, $0) }
        }
    }

    private func deleteDependents(of owner: KubeObject) async throws -> Outcome {
        let dependents = dependents(of: owner)
        for (resource, dependent) in dependents where !dependent.isBeingDeleted {
            try await collect(dependent, resource)
        }
        let isBlocked = dependents.contains { _, dependent in
            dependent.ownerReferences.contains { $0.uid == owner.uid && $0.blocksOwnerDeletion }
        }
        if !isBlocked { try await removeFinalizer(Self.foreground, from: owner) }
        return .settled
    }

    private func releaseDependents(of owner: KubeObject) async throws {
        for (resource, dependent) in dependents(of: owner) {
            try await setOwners(dependent.ownerReferences.filter { $0.uid != owner.uid }, of: dependent, resource)
        }
        try await removeFinalizer(Self.orphan, from: owner)
    }

    private func removeFinalizer(_ finalizer: String, from object: KubeObject) async throws {
        guard var fresh = try await client.find(informer.resource, ObjectKey(object)) else { return }
        fresh.finalizers.removeAll { $0 == finalizer }
        do throws(Status) {
            _ = try await client.update(informer.resource, fresh, subresource: nil, options: WriteOptions())
        } catch {
            guard error.isNotFound else { throw error }
        }
    }

    private func setOwners(_ owners: [OwnerReference], of object: KubeObject, _ resource: ResourceType) async throws {
        let patch = ObjectPatch.merge([
            "metadata": [
                "uid": .string(object.uid), "ownerReferences": owners.isEmpty ? .null : .array(owners.map(\.value)),
            ]
        ])
        do throws(Status) {
            _ = try await client.patch(
                resource, namespace: object.namespace, name: object.name, patch, subresource: nil,
                options: WriteOptions())
        } catch {
            guard error.isNotFound else { throw error }
        }
    }

    // MARK: Loops

    /// A loop for one kind: its own changes, owners that go, and dependents that go.
    static func loop(_ informer: Informer, others: [Informer], followed: FollowedKinds, client: any ClusterClient)
        -> ControllerLoop
    {
        let own = ControllerLoop.Source(informer) { change in
            guard let new = change.new, !new.ownerReferences.isEmpty || new.isBeingDeleted else { return [] }
            // Only what can change a decision: a new object, other owners, a deletion that began.
            let isOld = change.old.map {
                $0.ownerReferences == new.ownerReferences && $0.isBeingDeleted == new.isBeingDeleted
            }
            return isOld == true && !new.isBeingDeleted ? [] : [ObjectKey(new)]
        }
        let collector = GarbageCollector(informer, followed: followed, client: client)
        return ControllerLoop(collector, sources: [own] + others.map { related($0, to: informer) })
    }

    /// A loop for what changes of another kind mean for one kind.
    static func loop(_ informer: Informer, after other: Informer, followed: FollowedKinds, client: any ClusterClient)
        -> ControllerLoop
    {
        ControllerLoop(
            GarbageCollector(informer, followed: followed, client: client), sources: [related(other, to: informer)])
    }

    init(_ informer: Informer, followed: FollowedKinds, client: any ClusterClient) {
        self.client = client
        self.informer = informer
        self.followed = followed
        events = EventRecorder(client: client, component: "garbage-collector-controller")
    }

    private static func related(_ other: Informer, to informer: Informer) -> ControllerLoop.Source {
        ControllerLoop.Source(other) { change in
            var keys: [ObjectKey] = []
            // An owner that is gone, or waits for its dependents: those of this kind are looked at.
            if change.new?.isBeingDeleted ?? true, !(change.old?.isBeingDeleted ?? false) || change.new == nil {
                keys += informer.list(ownedBy: change.object.uid).map(ObjectKey.init)
            }
            // A dependent that is gone, has left its owner or does not hold it up any more: that one, of this kind, may go on. Most
            // changes are of something else.
            let owners = ["metadata", "ownerReferences"]
            if let old = change.old, let new = change.new, old.value[owners] == new.value[owners] { return keys }
            let left = (change.old?.ownerReferences ?? []).filter { owner in
                guard let now = change.new?.ownerReferences.first(where: { $0.uid == owner.uid }) else { return true }
                return owner.blocksOwnerDeletion && !now.blocksOwnerDeletion
            }
            keys += left.filter { $0.kind == informer.resource.kind }.map { owner in
                ObjectKey(
                    namespace: informer.resource.isNamespaced ? change.object.namespace : nil, name: owner.name)
            }
            return keys
        }
    }
}

import ControllerKit
import KubeClient
import KubeModel
import ServiceLifecycle

/// Lets garbage collection follow custom kinds, as owners and as dependents, for as long as they are defined; quotas too.
///
/// Until there is a definition, this is one watch that nothing comes from.
struct CustomKindCollection: Service {
    let client: any ClusterClient
    let followed: FollowedKinds
    /// Keeps the quotas of a kind's namespaces right.
    let quotaLoop: @Sendable (Informer) -> ControllerLoop

    /// A kind that is followed at the moment; the stream's value says whether its definition is gone.
    private struct Following {
        let resource: ResourceType
        let stop: AsyncStream<Bool>.Continuation
    }

    func run() async throws { await cancelWhenGracefulShutdown { await followDefinitions() } }

    private func followDefinitions() async {
        let definitions = Informer(client: client, resource: .customResourceDefinitions)
        await withDiscardingTaskGroup { group in
            group.addTask { try? await definitions.run() }
            var present: [ObjectKey: Following] = [:]
            for await change in definitions.changes() {
                let key = ObjectKey(change.object)
                let wanted = change.new.flatMap(Self.storedKind)
                guard wanted != present[key]?.resource else { continue }
                if let old = present.removeValue(forKey: key) {
                    old.stop.yield(change.new == nil)
                    old.stop.finish()
                }
                guard let wanted else { continue }
                let (stream, stop) = AsyncStream<Bool>.makeStream()
                present[key] = Following(resource: wanted, stop: stop)
                group.addTask { await follow(wanted, until: stream) }
            }
            group.cancelAll()
        }
    }

    /// The version in which the objects of a definition are kept: each object once.
    private static func storedKind(_ definition: KubeObject) -> ResourceType? {
        let kinds = CustomResourceDefinition(definition).kinds
        return (kinds.first(where: \.isStored) ?? kinds.first)?.resource
    }

    private func follow(_ resource: ResourceType, until stop: AsyncStream<Bool>) async {
        let informer = Informer(client: client, resource: resource)
        let others = followed.add(informer)
        defer { followed.remove(informer) }
        let loops =
            [GarbageCollector.loop(informer, others: others + [informer], followed: followed, client: client)]
            + (resource.isNamespaced ? [quotaLoop(informer)] : [])
            + others.map { GarbageCollector.loop($0, after: informer, followed: followed, client: client) }
        let isGone = await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                try? await informer.run()
                return false
            }
            for loop in loops {
                group.addTask {
                    try? await loop.run()
                    return false
                }
            }
            group.addTask {
                // Owners that went before anybody looked: their dependents were not told.
                await informer.waitUntilSynced()
                await collectDependents(of: resource)
                return await stop.first { _ in true } ?? false
            }
            let first = await group.next() ?? false
            group.cancelAll()
            return first
        }
        // Objects go with their definition, and what was theirs after them, even if nobody saw them go.
        if isGone { await collectDependents(of: resource, isEnded: true) }
    }

    /// Looks at everything that belongs to an object of the kind.
    private func collectDependents(of resource: ResourceType, isEnded: Bool = false) async {
        for informer in followed.all where !isEnded || informer.resource != resource {
            var collector = GarbageCollector(informer, followed: followed, client: client)
            if isEnded { collector.endedKind = resource }
            for object in informer.list() where object.ownerReferences.contains(where: { isOf(resource, $0) }) {
                var backoff = Backoff()
                while !Task.isCancelled {
                    do {
                        _ = try await collector.reconcile(ObjectKey(object))
                        break
                    } catch {
                        try? await ContinuousClock().sleep(for: backoff.next())
                    }
                }
            }
        }
    }

    private func isOf(_ resource: ResourceType, _ owner: OwnerReference) -> Bool {
        followed.kind(of: owner)?.resource == resource
    }
}

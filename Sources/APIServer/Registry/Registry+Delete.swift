import KubeClient
import KubeModel
import ObjectStore

/// What a DELETE has led to.
struct Deleted: Sendable {
    let object: KubeObject
    /// False: the object is marked, and goes when nothing holds it back.
    let isGone: Bool
}

extension Registry {
    func delete(_ target: Target, _ options: DeleteOptions, isDryRun: Bool = false) async throws(Status) -> Deleted {
        let resource = target.resource
        try NamespaceAdmission.admitDeletion(resource, target.name)
        var attempt = 0
        while true {
            attempt += 1
            let current = try get(target)
            try check(options, current.object, resource)
            var object = current.object
            if resource == .customResourceDefinitions { CustomResources.beginDeletion(&object, now: now()) }
            do throws(StoreError) {
                switch Deletion.plan(object, resource, options, now: now()) {
                case .keep: return Deleted(object: current.object, isGone: false)
                case .remove(let final):
                    if isDryRun { return Deleted(object: final, isGone: true) }
                    let last = try await remove(target, .revision(current.revision), final: final)
                    services.release(current.object, resource)
                    await settle(resource)
                    return Deleted(object: last.object, isGone: true)
                case .mark(let marked):
                    if isDryRun { return Deleted(object: marked, isGone: false) }
                    let stored = try await put(target, marked, .revision(current.revision))
                    return Deleted(object: stored.object, isGone: false)
                }
            } catch .conflict where attempt < Self.attemptsMax {
                continue
            } catch {
                throw .answer(to: error, resource, name: target.name)
            }
        }
    }

    private func check(_ options: DeleteOptions, _ object: KubeObject, _ resource: ResourceType) throws(Status) {
        // These two messages call the kind by its name rather than its plural.
        let kind = ResourceType(
            group: resource.group, version: resource.version, kind: resource.kind, plural: resource.kind)
        if let uid = options.uid, uid != object.uid {
            throw .conflict(
                kind, object.name,
                "the UID in the precondition (\(uid)) does not match the UID in record (\(object.uid)). "
                    + "The object might have been deleted and then recreated")
        }
        if let revision = options.resourceVersion, revision != object.resourceVersion {
            throw .conflict(
                kind, object.name,
                "the ResourceVersion in the precondition (\(revision)) does not match the ResourceVersion in record "
                    + "(\(object.resourceVersion)). The object might have been modified")
        }
    }

    /// Deletes what a list would give; objects that go in the meantime are fine.
    func deleteCollection(
        _ kind: KindSchema, namespace: String?, _ query: ListQuery, _ options: DeleteOptions, isDryRun: Bool
    ) async throws(Status) -> ListPage {
        let page = try list(kind, namespace: namespace, query)
        for item in page.items {
            let target = Target(kind: kind, namespace: item.object.namespace, name: item.object.name)
            do throws(Status) {
                _ = try await delete(target, options, isDryRun: isDryRun)
            } catch {
                guard error.isNotFound else { throw error }
            }
        }
        return page
    }
}

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
    /// - Parameter name: As the request names the object: empty for one of a collection.
    func delete(
        _ target: Target, _ options: DeleteOptions, _ settings: WriteSettings = WriteSettings(), name: String? = nil
    ) async throws(Status) -> Deleted {
        let resource = target.resource
        try NamespaceAdmission.admitDeletion(resource, target.name)
        var attempt = 0
        while true {
            attempt += 1
            let current = try await get(target)
            try check(options, current.object, resource)
            var object = current.object
            if resource == .customResourceDefinitions { CustomResources.beginDeletion(&object, now: now()) }
            let plan = Deletion.plan(object, resource, options, now: now())
            guard let outcome = plan.outcome else { return Deleted(object: current.object, isGone: false) }
            try await admitDeletion(current.object, target, name: name ?? target.name, settings)
            if settings.isDryRun { return Deleted(object: outcome, isGone: plan.isFinal) }
            let form = try await stored(outcome, as: target.kind)
            let stored: StoredObject
            do throws(StoreError) {
                if plan.isFinal {
                    stored = try await remove(target, .revision(current.revision), final: form)
                    services.release(current.object, resource)
                    await settle(resource)
                } else {
                    stored = try await put(target, form, .revision(current.revision))
                }
            } catch .conflict where attempt < Self.attemptsMax {
                continue
            } catch {
                throw .answer(to: error, resource, name: target.name)
            }
            return Deleted(object: try await served(stored, as: target.kind).object, isGone: plan.isFinal)
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
        _ kind: KindSchema, namespace: String?, _ query: ListQuery, _ options: DeleteOptions,
        _ settings: WriteSettings
    ) async throws(Status) -> ListPage {
        let page = try await list(kind, namespace: namespace, query)
        for item in page.items {
            let target = Target(kind: kind, namespace: item.object.namespace, name: item.object.name)
            do throws(Status) {
                _ = try await delete(target, options, settings, name: "")
            } catch {
                guard error.isNotFound else { throw error }
            }
        }
        return page
    }
}

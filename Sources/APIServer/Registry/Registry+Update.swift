import KubeModel
import ObjectStore

extension Registry {
    /// How often a change is tried again on the newest state, when others write the same object at the same time.
    static let attemptsMax = 5

    /// Replaces an object, or its status (PUT).
    func update(
        _ target: Target, body: JSONValue, subresource: String?, _ settings: WriteSettings
    ) async throws(Status) -> Written {
        let decoded = try decode(target.kind, body, settings)
        var object = decoded.object
        try checkIdentity(&object, target)
        if target.kind.needsRevisionToUpdate, object.resourceVersion.isEmpty {
            throw .invalid(
                target.resource, name: target.name,
                [
                    FieldError(
                        .invalid, FieldPath("metadata", "resourceVersion"), shownValue: "0x0",
                        "must be specified for an update")
                ])
        }
        var written = try await change(target, subresource: subresource, settings) { _ in object }
        written.warnings = decoded.warnings + target.kind.warnings(about: written.object, old: nil)
        return written
    }

    /// The object must be the one that the URL names.
    func checkIdentity(_ object: inout KubeObject, _ target: Target) throws(Status) {
        guard object.name == target.name else {
            throw .badRequest(
                "the name of the object (\(object.name)) does not match the name on the URL (\(target.name))")
        }
        try settleNamespace(&object, target.kind, requested: target.namespace)
    }

    /// Writes what `make` makes of the present state.
    ///
    /// A `resourceVersion` in the new object that differs from the present one is a conflict. Without one, or with the
    /// present one, the change is made again when somebody else was faster, because then nobody asked for a certain state.
    func change(
        _ target: Target, subresource: String?, _ settings: WriteSettings,
        make: (KubeObject) throws(Status) -> KubeObject
    ) async throws(Status) -> Written {
        var attempt = 0
        while true {
            attempt += 1
            let current = try get(target)
            let wanted = try make(current.object)
            let precondition = wanted.resourceVersion
            guard precondition.isEmpty || precondition == current.object.resourceVersion else {
                throw .modified(target.resource, target.name)
            }
            switch try await replace(current, by: wanted, target, subresource: subresource, settings) {
            case .success(let written): return written
            case .failure(.conflict) where attempt < Self.attemptsMax: continue
            case .failure(let error): throw .answer(to: error, target.resource, name: target.name)
            }
        }
    }

    /// One attempt; the store's refusals are values, so that the caller can try again.
    private func replace(
        _ current: StoredObject, by wanted: KubeObject, _ target: Target, subresource: String?,
        _ settings: WriteSettings
    ) async throws(Status) -> Result<Written, StoreError> {
        let kind = target.kind
        let old = current.object
        var object = wanted
        if !object.uid.isEmpty, object.uid != old.uid {
            throw .conflict(
                target.resource, target.name,
                "Precondition failed: UID in precondition: \(object.uid), UID in object meta: \(old.uid)")
        }
        object.value[["metadata", "resourceVersion"]] = old.value[["metadata", "resourceVersion"]]
        kind.applyDefaults(&object)
        kind.prepareForUpdate(&object, old: old, subresource: subresource)
        object.uid = old.uid
        let claim = subresource == nil ? try services.admit(&object, old: old, target.resource) : nil
        let errors = kind.validate(object) + kind.validateUpdate(object, old: old, subresource: subresource)
        guard errors.isEmpty else {
            services.cancel(claim)
            throw .invalid(target.resource, name: target.name, errors)
        }
        if settings.isDryRun || object == old {
            services.cancel(claim)
            return .success(object == old ? Written(current) : Written(unstored: object))
        }
        do throws(StoreError) {
            let stored: StoredObject
            if Deletion.isComplete(object, target.resource) {
                stored = try await remove(target, .revision(current.revision), final: object)
                services.release(old, target.resource)
            } else {
                stored = try await put(target, object, .revision(current.revision))
            }
            services.confirm(claim)
            return .success(Written(stored))
        } catch {
            services.cancel(claim)
            return .failure(error)
        }
    }
}

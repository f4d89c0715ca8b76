import KubeModel
import ObjectStore

extension Registry {
    /// How often a change is tried again on the newest state, when others write the same object at the same time.
    static let attemptsMax = 5

    /// Kinds of which a PUT makes an object that is not there.
    private static let createdByUpdate: Set<ResourceType> = [
        .services, .endpoints, .events, .limitRanges, .leases, .roles, .roleBindings, .clusterRoles,
        .clusterRoleBindings,
    ]

    /// Kinds of which nothing is replaced unless the writer says which state it has seen; so are all custom resources.
    private static let replacedKnowingly: Set<ResourceType> = [
        .leases, .podDisruptionBudgets, .customResourceDefinitions,
    ]

    private static func needsResourceVersion(_ kind: KindSchema) -> Bool {
        replacedKnowingly.contains(kind.resource) || kind.custom != nil
    }

    /// Replaces an object, or its status (PUT).
    func update(
        _ target: Target, body: JSONValue, subresource: String?, _ settings: WriteSettings
    ) async throws(Status) -> Written {
        let decoded = try decode(target.kind, body, settings)
        var object = decoded.object
        try checkIdentity(&object, target)
        if subresource == nil, Self.createdByUpdate.contains(target.resource), store.get(target.key) == nil {
            guard object.uid.isEmpty else { throw .uidPrecondition(target, wanted: object.uid, found: "") }
            object.value[["metadata", "resourceVersion"]] = nil
            var written = try await create(target.kind, namespace: target.namespace, body: object.value, settings)
            written.warnings = decoded.warnings
            return written
        }
        var written = try await change(target, subresource: subresource, settings) { _ in object }
        written.warnings = decoded.warnings + written.warnings + target.kind.warnings(about: written.object, old: nil)
        return written
    }

    /// The object must be the one that the URL names.
    func checkIdentity(_ object: inout KubeObject, _ target: Target) throws(Status) {
        guard !object.name.isEmpty else {
            throw .badRequest(
                "the name of the object (\(target.name) based on URL) was undeterminable: name must be provided")
        }
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
        make: (KubeObject) async throws(Status) -> KubeObject
    ) async throws(Status) -> Written {
        var attempt = 0
        while true {
            attempt += 1
            let current = try await get(target)
            let wanted = try await make(current.object)
            // 0 is what a client sends that has none.
            let precondition = wanted.resourceVersion == "0" ? "" : wanted.resourceVersion
            if precondition.isEmpty, Self.needsResourceVersion(target.kind) {
                throw .withoutResourceVersion(target.resource, target.name)
            }
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
        if !settings.isPatch, !object.uid.isEmpty, object.uid != old.uid {
            throw .uidPrecondition(target, wanted: object.uid, found: old.uid)
        }
        let uid = object.uid
        object.value[["metadata", "resourceVersion"]] = old.value[["metadata", "resourceVersion"]]
        kind.applyDefaults(&object)
        if !settings.hasOwners {
            kind.recordWrite(of: &object, over: old, by: settings.writer(kind, subresource), at: now())
        }
        let request = AdmissionRequest(kind, object, old: old, subresource: subresource, settings)
        try await mutate(&object, request)
        kind.prepareForUpdate(&object, old: old, subresource: subresource)
        object.uid = uid.isEmpty ? old.uid : uid
        if object.isSameBesidesTimes(as: old) { object = old }
        let claim = subresource == nil ? try services.admit(&object, old: old, target.resource) : nil
        var tolerated: [FieldError] = []
        let errors =
            kind.validate(object, old: old, tolerated: &tolerated)
            + kind.validateUpdate(object, old: old, subresource: subresource)
        for error in tolerated { settings.open?.warn(error.description) }
        guard errors.isEmpty else {
            services.cancel(claim)
            throw .invalid(target.resource, name: target.name, errors)
        }
        let admission: Admission
        do throws(Status) { admission = try await admit(object, request) } catch {
            services.cancel(claim)
            throw error
        }
        if settings.isDryRun || object == old {
            services.cancel(claim)
            await revoke(admission)
            var written = object == old ? Written(current) : Written(unstored: object)
            written.warnings = admission.warnings
            return .success(written)
        }
        let form: KubeObject
        do throws(Status) { form = try await stored(object, as: kind) } catch {
            services.cancel(claim)
            await revoke(admission)
            throw error
        }
        let stored: StoredObject
        do throws(StoreError) {
            if Deletion.isComplete(object, target.resource) {
                stored = try await remove(target, .revision(current.revision), final: form)
                services.release(old, target.resource)
            } else {
                stored = try await put(target, form, .revision(current.revision))
            }
        } catch {
            services.cancel(claim)
            await revoke(admission)
            return .failure(error)
        }
        services.confirm(claim)
        await settle(target.resource)
        var written = Written(try await served(stored, as: kind))
        written.warnings = admission.warnings
        return .success(written)
    }
}

extension KubeObject {
    /// Whether two states differ in nothing but when managers are said to have written.
    fileprivate func isSameBesidesTimes(as other: KubeObject) -> Bool {
        let path = ["metadata", "managedFields"]
        guard let mine = value[path]?.array, let theirs = other.value[path]?.array, mine.count == theirs.count,
            mine != theirs
        else { return false }
        func timeless(_ entries: [JSONValue]) -> Set<JSONValue> {
            Set(
                entries.map { entry in
                    var entry = entry
                    entry["time"] = nil
                    return entry
                })
        }
        guard timeless(mine) == timeless(theirs) else { return false }
        var (left, right) = (value, other.value)
        left[path] = nil
        right[path] = nil
        return left == right
    }
}

extension Status {
    /// 422: nobody may replace this blindly.
    static func withoutResourceVersion(_ resource: ResourceType, _ name: String) -> Status {
        let kind = ResourceType(
            group: resource.group, version: resource.version, kind: resource.plural, plural: resource.plural)
        return .invalid(
            kind, name: name,
            [
                FieldError(
                    .invalid, FieldPath("metadata", "resourceVersion"), shownValue: "0x0",
                    "must be specified for an update")
            ])
    }

    /// 409: the object is not the one that the writer means.
    static func uidPrecondition(_ target: Target, wanted: String, found: String) -> Status {
        let key = ["/registry", target.resource.plural, target.namespace, target.name].compactMap { $0 }
        return conflict(
            target.resource, target.name,
            "StorageError: invalid object, Code: 4, Key: \(key.joined(separator: "/")), ResourceVersion: 0, "
                + "AdditionalErrorMsg: Precondition failed: UID in precondition: \(wanted), UID in object meta: \(found)"
        )
    }
}

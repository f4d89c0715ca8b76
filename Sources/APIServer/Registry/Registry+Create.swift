import KubeModel
import ObjectStore

extension Registry {
    /// Creates an object: decode, defaults, admission, validation, store.
    ///
    /// `namespace` is that of the request; nil for objects of the cluster.
    func create(
        _ kind: KindSchema, namespace: String?, body: JSONValue, _ settings: WriteSettings
    ) async throws(Status) -> Written {
        let decoded = try decode(kind, body, settings)
        var object = decoded.object
        try settleNamespace(&object, kind, requested: namespace)
        guard ["", "0"].contains(object.resourceVersion) else {
            throw Status(
                code: 500, reason: "", message: "resourceVersion should not be set on objects to be created")
        }
        object.value[["metadata", "resourceVersion"]] = nil
        let isNameGenerated = object.name.isEmpty && object.generateName?.isEmpty == false
        var attempt = 0
        while true {
            do throws(Status) {
                var written = try await createOnce(kind, object, settings)
                written.warnings =
                    decoded.warnings + written.warnings + kind.warnings(about: written.object, old: nil)
                return written
            } catch {
                attempt += 1
                guard error.isAlreadyExists else { throw error }
                if !isNameGenerated || attempt == 8 { throw Self.collision(error, of: object) }
            }
        }
    }

    private func createOnce(
        _ kind: KindSchema, _ object: KubeObject, _ settings: WriteSettings
    ) async throws(Status) -> Written {
        var object = object
        let resource = kind.resource
        kind.applyDefaults(&object)
        if !settings.hasOwners { kind.recordWrite(of: &object, over: nil, by: settings.writer(kind), at: now()) }
        try NamespaceAdmission.admit(object, resource, namespace: object.namespace.flatMap(namespaceObject))
        try customResources.admit(object, kind, in: self)
        var request = AdmissionRequest(kind, object, settings)
        try await mutate(&object, request)
        // Plugins see a new object before it has a name of the server's making.
        ObjectMetadata.fill(&object, now: now())
        request.name = object.name
        kind.prepareForCreate(&object)
        let claim = try services.admit(&object, old: nil, resource)
        let errors = kind.validateCreate(object)
        guard errors.isEmpty else {
            services.cancel(claim)
            throw .invalid(resource, name: object.name, errors)
        }
        let admission: Admission
        do throws(Status) { admission = try await admit(object, request) } catch {
            services.cancel(claim)
            throw error
        }
        let target = Target(kind: kind, namespace: object.namespace, name: object.name)
        if settings.isDryRun {
            services.cancel(claim)
            if let present = store.get(target.key)?.object { throw .alreadyExists(resource, present) }
            var written = Written(unstored: object)
            written.warnings = admission.warnings
            written.isCreated = true
            return written
        }
        let stored: StoredObject
        do throws(Status) {
            stored = try await putNew(object, target)
        } catch {
            services.cancel(claim)
            await revoke(admission)
            throw error
        }
        services.confirm(claim)
        await settle(resource)
        if kind.storeName == ResourceType.events.qualifiedPlural { await expireEvents() }
        var written = Written(try await served(stored, as: kind))
        written.isCreated = true
        written.warnings = admission.warnings
        return written
    }

    private func putNew(_ object: KubeObject, _ target: Target) async throws(Status) -> StoredObject {
        let form = try await stored(object, as: target.kind)
        do throws(StoreError) {
            return try await put(target, form, .absent)
        } catch {
            if case .exists = error, let present = store.get(target.key)?.object {
                throw .alreadyExists(target.resource, present)
            }
            throw .answer(to: error, target.resource, name: object.name)
        }
    }

    /// The refusal of a name that is taken, when the server itself has made it.
    private static func collision(_ status: Status, of object: KubeObject) -> Status {
        guard object.generateName?.isEmpty == false else { return status }
        var status = status
        status.message += ", the server was not able to generate a unique name for the object"
        status.details?["retryAfterSeconds"] = 1
        return status
    }

    private func namespaceObject(_ name: String) -> KubeObject? {
        store.get(StoreKey(resource: "namespaces", namespace: nil, name: name))?.object
    }

    /// Puts the namespace of the request into the object; 400 when the object names another.
    func settleNamespace(_ object: inout KubeObject, _ kind: KindSchema, requested: String?) throws(Status) {
        guard kind.resource.isNamespaced else {
            if object.namespace != nil { object.namespace = nil }
            return
        }
        guard let requested, !requested.isEmpty else {
            throw .badRequest("an empty namespace may not be set during creation")
        }
        let own = object.namespace ?? ""
        guard own.isEmpty || own == requested else {
            throw .badRequest(
                "the namespace of the provided object does not match the namespace sent on the request")
        }
        object.namespace = requested
    }
}

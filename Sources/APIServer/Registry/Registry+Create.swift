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
        guard object.resourceVersion.isEmpty else {
            throw Status(
                code: 500, reason: "", message: "resourceVersion should not be set on objects to be created")
        }
        let isNameGenerated = object.name.isEmpty && object.generateName?.isEmpty == false
        var attempt = 0
        while true {
            do throws(Status) {
                var written = try await createOnce(kind, object, settings)
                written.warnings = decoded.warnings + kind.warnings(about: written.object, old: nil)
                return written
            } catch {
                attempt += 1
                guard error.isAlreadyExists, isNameGenerated, attempt < 8 else { throw error }
            }
        }
    }

    private func createOnce(
        _ kind: KindSchema, _ object: KubeObject, _ settings: WriteSettings
    ) async throws(Status) -> Written {
        var object = object
        let resource = kind.resource
        kind.applyDefaults(&object)
        ObjectMetadata.fill(&object, now: now())
        try NamespaceAdmission.admit(object, resource, namespace: object.namespace.flatMap(namespaceObject))
        try customResources.admit(object, kind, in: self)
        kind.prepareForCreate(&object)
        let claim = try services.admit(&object, old: nil, resource)
        let errors = kind.validate(object) + kind.validateNew(object)
        guard errors.isEmpty else {
            services.cancel(claim)
            throw .invalid(resource, name: object.name, errors)
        }
        let target = Target(kind: kind, namespace: object.namespace, name: object.name)
        if settings.isDryRun {
            services.cancel(claim)
            if store.get(target.key) != nil { throw .alreadyExists(resource, object.name) }
            var written = Written(unstored: object)
            written.isCreated = true
            return written
        }
        do throws(StoreError) {
            var written = Written(try await put(target, object, .absent))
            services.confirm(claim)
            written.isCreated = true
            if kind.storeName == ResourceType.events.qualifiedPlural { await expireEvents() }
            return written
        } catch {
            services.cancel(claim)
            throw .answer(to: error, resource, name: object.name)
        }
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

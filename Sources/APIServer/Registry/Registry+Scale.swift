import KubeClient
import KubeModel
import ObjectStore

/// The `scale` sub-resource: one view of everything that has a number of replicas.
extension Registry {
    func scale(_ target: Target) async throws(Status) -> JSONValue {
        guard let paths = target.kind.scale else { throw .unknownResource }
        return Self.scale(of: try await get(target).object, paths)
    }

    /// Replaces the `Scale`: only `spec.replicas` is taken from it.
    func updateScale(_ target: Target, _ body: JSONValue, _ settings: WriteSettings) async throws(Status) -> JSONValue {
        let decoded = try decode(ScaleKind.schema, body, settings)
        return try await changeScale(target, settings) { _ in decoded.object }
    }

    func patchScale(_ target: Target, _ patch: ObjectPatch, _ settings: WriteSettings) async throws(Status) -> JSONValue
    {
        var settings = settings
        settings.isPatch = true
        if patch.kind == .apply {
            try checkType(patch.body, ScaleKind.schema)
            settings.hasOwners = true
            let writer = settings.writer(ScaleKind.schema, "scale")
            let isForced = settings.isForced
            return try await changeScale(target, settings) { scale throws(Status) in
                try outcome { () throws(ApplyError) in
                    try ScaleKind.schema.apply(patch.body, to: scale, by: writer, isForced: isForced, at: now())
                }
            }
        }
        return try await changeScale(target, settings) { scale throws(Status) in
            let value = try Self.patched(scale.value, patch, ScaleKind.schema)
            return try decodePatched(value, patch, ScaleKind.schema, settings).object
        }
    }

    private func changeScale(
        _ target: Target, _ settings: WriteSettings, make: (KubeObject) throws(Status) -> KubeObject
    ) async throws(Status) -> JSONValue {
        guard let paths = target.kind.scale else { throw .unknownResource }
        var given = settings
        given.hasOwners = true
        // They are asked about the Scale instead.
        given.callsWebhooks = false
        let written = try await change(target, subresource: "scale", given) { current throws(Status) in
            let owners = ManagedFields(stored: current.value[["metadata", "managedFields"]])
            var before = KubeObject(Self.scale(of: current, paths))
            before.value[["metadata", "managedFields"]] = owners.forScale(replicasAt: paths.specReplicas).value
            var scale = try make(before)
            if !settings.hasOwners {
                ScaleKind.schema.recordWrite(
                    of: &scale, over: before, by: settings.writer(ScaleKind.schema, "scale"), at: now())
            }
            scale.value = try await admitBody(
                .update, scale.value, ScaleKind.resource, of: target, "scale", old: before, settings)
            return try Self.scaled(current, scale, owners, target)
        }
        return Self.scale(of: written.object, paths)
    }

    /// The object with the number that its `Scale` says.
    private static func scaled(
        _ current: KubeObject, _ scale: KubeObject, _ owners: ManagedFields, _ target: Target
    ) throws(Status) -> KubeObject {
        guard let paths = target.kind.scale else { throw .unknownResource }
        var object = current
        object.value[paths.specReplicas] = JSONValue(try replicas(of: scale, target))
        object.resourceVersion = scale.resourceVersion
        if !scale.uid.isEmpty, scale.uid != current.uid {
            throw .uidPrecondition(target, wanted: scale.uid, found: current.uid)
        }
        if !owners.isEmpty,
            object.value[paths.specReplicas] != current.value[paths.specReplicas]
                || scale.value[["metadata", "managedFields"]] != nil
        {
            let number = ManagedFields(stored: scale.value[["metadata", "managedFields"]])
            let left = owners.takingOver(
                scale: number, replicasAt: paths.specReplicas, apiVersion: target.resource.apiVersion)
            object.value[["metadata", "managedFields"]] = left.value
        }
        return object
    }

    private static func replicas(of scale: KubeObject, _ target: Target) throws(Status) -> Int {
        guard scale.name == target.name else {
            throw .badRequest(
                "the name of the object (\(scale.name)) does not match the name on the URL (\(target.name))")
        }
        guard let count = scale.value[["spec", "replicas"]]?.int else { return 0 }
        if count < 0 {
            let path = FieldPath("spec", "replicas")
            throw .invalid(
                ScaleKind.resource, name: scale.name,
                [.invalid(path, JSONValue(count), "must be greater than or equal to 0")])
        }
        return count
    }

    private static func scale(of object: KubeObject, _ paths: KindSchema.ScalePaths) -> JSONValue {
        var metadata: JSONValue = ["name": .string(object.name)]
        for member in ["namespace", "uid", "resourceVersion", "creationTimestamp"] {
            metadata[member] = object.value[["metadata", member]]
        }
        var status: JSONValue = ["replicas": object.value[paths.statusReplicas] ?? 0]
        // Custom resources keep the selector as text.
        let text = paths.selector.flatMap { object.value[$0]?.string }
        if let selector = text ?? paths.labelSelector(of: object)?.text, !selector.isEmpty {
            status["selector"] = .string(selector)
        }
        return [
            "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata,
            "spec": ["replicas": object.value[paths.specReplicas] ?? 0], "status": status,
        ]
    }
}

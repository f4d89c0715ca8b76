import KubeClient
import KubeModel
import ObjectStore

/// The `scale` sub-resource: one view of everything that has a number of replicas.
extension Registry {
    private static let scaleType = ResourceType(
        group: "autoscaling", version: "v1", kind: "Scale", plural: "scales")

    func scale(_ target: Target) throws(Status) -> JSONValue {
        guard let paths = target.kind.scale else { throw .unknownResource }
        return Self.scale(of: try get(target).object, paths)
    }

    /// Replaces the `Scale`: only `spec.replicas` is taken from it.
    func updateScale(_ target: Target, _ body: JSONValue, _ settings: WriteSettings) async throws(Status) -> JSONValue {
        try await changeScale(target, settings) { _ in body }
    }

    func patchScale(_ target: Target, _ patch: ObjectPatch, _ settings: WriteSettings) async throws(Status) -> JSONValue
    {
        try await changeScale(target, settings) { scale throws(Status) in
            guard patch.kind == .json else { return scale.applyingMergePatch(patch.body) }
            do throws(PatchError) {
                return try scale.applyingJSONPatch(patch.body)
            } catch {
                throw .unprocessable
            }
        }
    }

    private func changeScale(
        _ target: Target, _ settings: WriteSettings, make: (JSONValue) throws(Status) -> JSONValue
    ) async throws(Status) -> JSONValue {
        guard let paths = target.kind.scale else { throw .unknownResource }
        let written = try await change(target, subresource: "scale", settings) { current throws(Status) in
            let scale = try make(Self.scale(of: current, paths))
            let replicas = try Self.replicas(of: scale, target)
            var object = current
            object.value[paths.specReplicas] = JSONValue(replicas)
            object.resourceVersion = KubeObject(scale).resourceVersion
            return object
        }
        return Self.scale(of: written.object, paths)
    }

    private static func replicas(of scale: JSONValue, _ target: Target) throws(Status) -> Int {
        let name = KubeObject(scale).name
        guard name == target.name else {
            throw .badRequest(
                "the name of the object (\(name)) does not match the name on the URL (\(target.name))")
        }
        switch scale[["spec", "replicas"]] {
        case nil, .null: return 0
        case .int(let count) where count < 0:
            let path = FieldPath("spec", "replicas")
            throw .invalid(
                scaleType, name: name, [.invalid(path, .int(count), "must be greater than or equal to 0")])
        case .int(let count) where count <= Int64(Int32.max): return Int(count)
        case let other?:
            throw .cannotHandle(
                scaleType,
                because:
                    "json: cannot unmarshal \(other.text) into Go struct field ScaleSpec.spec.replicas of type int32")
        }
    }

    private static func scale(of object: KubeObject, _ paths: KindSchema.ScalePaths) -> JSONValue {
        var metadata: JSONValue = ["name": .string(object.name)]
        for member in ["namespace", "uid", "resourceVersion", "creationTimestamp"] {
            metadata[member] = object.value[["metadata", member]]
        }
        var status: JSONValue = ["replicas": object.value[paths.statusReplicas] ?? 0]
        if let path = paths.selector {
            // Custom resources keep the selector as text.
            let text = object.value[path]?.string ?? LabelSelector(object.value[path]).text
            if !text.isEmpty { status["selector"] = .string(text) }
        }
        return [
            "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata,
            "spec": ["replicas": object.value[paths.specReplicas] ?? 0], "status": status,
        ]
    }
}

import KubeClient
import KubeModel
import ObjectStore

extension Registry {
    /// Changes an object by a patch, made again on the newest state when somebody else was faster.
    ///
    /// Server-side apply (`.apply`) creates or merges. Who owns which field is not recorded: it never conflicts, and
    /// leaving a field out does not remove it.
    func patch(
        _ target: Target, _ patch: ObjectPatch, subresource: String?, _ settings: WriteSettings
    ) async throws(Status) -> Written {
        if patch.kind == .apply, subresource == nil, store.get(target.key) == nil {
            do throws(Status) {
                return try await create(
                    target.kind, namespace: target.namespace, body: try named(patch.body, target), settings)
            } catch {
                // Somebody else created it in the meantime: merge.
                guard error.isAlreadyExists else { throw error }
            }
        }
        var warnings: [String] = []
        var written = try await change(target, subresource: subresource, settings) { current throws(Status) in
            let value = try apply(patch, to: current.value, target.kind)
            let decoded = try decode(target.kind, value, settings)
            warnings = decoded.warnings
            var object = decoded.object
            try checkIdentity(&object, target)
            return object
        }
        written.warnings = warnings + target.kind.warnings(about: written.object, old: nil)
        return written
    }

    private func apply(_ patch: ObjectPatch, to value: JSONValue, _ kind: KindSchema) throws(Status) -> JSONValue {
        switch patch.kind {
        case .merge: return value.applyingMergePatch(patch.body)
        case .json:
            do throws(PatchError) {
                return try value.applyingJSONPatch(patch.body)
            } catch {
                throw .unprocessable
            }
        case .strategic, .apply:
            do throws(PatchError) {
                return try value.applyingStrategicMergePatch(patch.body, structure: kind.root)
            } catch {
                throw .badRequest(error.message)
            }
        }
    }

    /// The configuration of an apply that creates, with the name that the URL gives.
    private func named(_ body: JSONValue, _ target: Target) throws(Status) -> JSONValue {
        var object = KubeObject(body)
        if object.name.isEmpty { object.name = target.name }
        guard object.name == target.name else {
            throw .badRequest(
                "the name of the object (\(object.name)) does not match the name on the URL (\(target.name))")
        }
        return object.value
    }
}

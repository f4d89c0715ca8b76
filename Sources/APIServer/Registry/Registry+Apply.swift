import KubeClient
import KubeModel
import ObjectStore

/// Server-side apply: a configuration says what its writer wants, and who else owns what decides what becomes of it.
extension Registry {
    func apply(
        _ target: Target, _ config: JSONValue, subresource: String?, _ settings: WriteSettings
    ) async throws(Status) -> Written {
        try checkType(config, target.kind)
        var settings = settings
        settings.hasOwners = true
        settings.isPatch = true
        let writer = settings.writer(target.kind, subresource)
        let isForced = settings.isForced
        let duplicates = Status.fieldComplaints(unknownFields: [], duplicateFields: settings.duplicateFields)
        if store.get(target.key) == nil {
            guard subresource == nil else { throw .notFound(target.resource, target.name) }
            do throws(Status) {
                var object = try outcome { () throws(ApplyError) in
                    try target.kind.apply(config, to: nil, by: writer, isForced: isForced, at: now())
                }
                try checkDuplicates(duplicates, settings)
                try checkIdentity(&object, target)
                if !object.uid.isEmpty {
                    throw .conflict(
                        target.resource, target.name,
                        "uid mismatch: the provided object specified uid \(object.uid), and no existing object was found"
                    )
                }
                object.value[["metadata", "resourceVersion"]] = nil
                var written = try await create(
                    target.kind, namespace: target.namespace, body: object.value, settings)
                if settings.fieldValidation == .warn { written.warnings += duplicates }
                return written
            } catch {
                // Somebody else created it in the meantime: merge.
                guard error.isAlreadyExists else { throw error }
            }
        }
        var written = try await change(target, subresource: subresource, settings) { current throws(Status) in
            let merged = try outcome { () throws(ApplyError) in
                try target.kind.apply(config, to: current, by: writer, isForced: isForced, at: now())
            }
            try checkDuplicates(duplicates, settings)
            var object: KubeObject
            do throws(DecodeError) {
                object = try target.kind.decode(merged.value).object
            } catch {
                throw .plainError("failed to convert new typed object to object: \(error.message)")
            }
            try checkIdentity(&object, target)
            return object
        }
        if settings.fieldValidation == .warn { written.warnings += duplicates }
        return written
    }

    func outcome(_ apply: () throws(ApplyError) -> AppliedObject) throws(Status) -> KubeObject {
        do throws(ApplyError) {
            return try apply().object
        } catch {
            switch error {
            case .conflicts(let conflicts): throw .applyConflict(conflicts)
            case .untyped(let message): throw .plainError(message)
            case .badRequest(let message): throw .badRequest(message)
            }
        }
    }

    private func checkDuplicates(_ complaints: [String], _ settings: WriteSettings) throws(Status) {
        guard settings.fieldValidation == .strict, !complaints.isEmpty else { return }
        throw .badRequest("error strict decoding patch: \(complaints.joined(separator: ", "))")
    }

    func checkType(_ config: JSONValue, _ kind: KindSchema) throws(Status) {
        let resource = kind.resource
        let apiVersion = config["apiVersion"]?.string ?? ""
        let kindName = config["kind"]?.string ?? ""
        guard apiVersion == resource.apiVersion, kindName == resource.kind else {
            let parts = apiVersion.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            let group = parts.count > 1 ? parts[0] : ""
            throw .badRequest("invalid object type: \(group)/\(parts.last ?? ""), Kind=\(kindName)")
        }
    }
}

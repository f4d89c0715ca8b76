import KubeClient
import KubeModel
import ObjectStore

extension Registry {
    /// Changes an object by a patch, made again on the newest state when somebody else was faster.
    func patch(
        _ target: Target, _ patch: ObjectPatch, subresource: String?, _ settings: WriteSettings
    ) async throws(Status) -> Written {
        if patch.kind == .apply { return try await apply(target, patch.body, subresource: subresource, settings) }
        var warnings: [String] = []
        var settings = settings
        settings.isPatch = true
        var written = try await change(target, subresource: subresource, settings) { current throws(Status) in
            let value = try Self.patched(current.value, patch, target.kind)
            let decoded = try decodePatched(value, patch, target.kind, settings)
            warnings = decoded.warnings
            var object = decoded.object
            try checkIdentity(&object, target)
            return object
        }
        written.warnings = warnings + written.warnings + target.kind.warnings(about: written.object, old: nil)
        return written
    }

    static func patched(_ value: JSONValue, _ patch: ObjectPatch, _ kind: KindSchema?) throws(Status) -> JSONValue {
        switch patch.kind {
        case .merge: return value.applyingMergePatch(patch.body)
        case .json:
            if let count = patch.body.array?.count, count > JSONValue.patchOperationsMax {
                throw .tooManyOperations(count)
            }
            do throws(PatchError) {
                return try value.applyingJSONPatch(patch.body)
            } catch {
                throw .unprocessable
            }
        case .strategic, .apply:
            do throws(PatchError) {
                return try value.applyingStrategicMergePatch(patch.body, structure: kind?.root)
            } catch {
                switch error.fault {
                case .request: throw .badRequest(error.message)
                case .unprocessable: throw .unprocessable
                case .server: throw .plainError(error.message)
                }
            }
        }
    }

    /// Reads what a patch has made of an object; what does not fit is the patch's fault (422).
    func decodePatched(
        _ value: JSONValue, _ patch: ObjectPatch, _ kind: KindSchema, _ settings: WriteSettings
    ) throws(Status) -> (object: KubeObject, warnings: [String]) {
        let resource = kind.resource
        // What the message shows of a patch: the outcome, or for a strategic patch the patch itself.
        let shown = patch.kind == .strategic ? GoText.plain(patch.body) : value.text
        func refuse(_ why: String) -> Status {
            .invalid(
                ResourceType(group: "", version: "", kind: "", plural: ""), name: "",
                [.invalid(FieldPath("patch"), .string(shown), why)])
        }
        var value = value
        if patch.kind == .strategic || value["apiVersion"] == nil { value["apiVersion"] = .string(resource.apiVersion) }
        if patch.kind == .strategic || value["kind"] == nil { value["kind"] = .string(resource.kind) }
        guard value["apiVersion"]?.string == resource.apiVersion, value["kind"]?.string == resource.kind else {
            let scheme = "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"
            throw refuse(
                "no kind \(GoText.quote(value["kind"]?.string ?? "")) is registered for version "
                    + "\(GoText.quote(value["apiVersion"]?.string ?? "")) in scheme \(GoText.quote(scheme))")
        }
        let decoded: (object: KubeObject, unknownFields: [String])
        do throws(DecodeError) {
            decoded = try kind.decode(value)
        } catch {
            throw refuse(error.message)
        }
        let prefix = patch.kind == .json ? "json patch " : ""
        let complaints =
            Status.fieldComplaints(unknownFields: [], duplicateFields: settings.duplicateFields).map { prefix + $0 }
            + Status.fieldComplaints(unknownFields: decoded.unknownFields)
        guard !complaints.isEmpty, settings.fieldValidation != .ignore else { return (decoded.object, []) }
        guard settings.fieldValidation != .strict else {
            throw refuse("strict decoding error: \(complaints.joined(separator: ", "))")
        }
        return (decoded.object, complaints)
    }
}

extension Status {
    static func tooManyOperations(_ count: Int) -> Status {
        let allowed = JSONValue.patchOperationsMax
        return Status(
            code: 413, reason: "RequestEntityTooLarge",
            message:
                "Request entity too large: The allowed maximum operations in a JSON patch is \(allowed), got \(count)")
    }

    /// 500 with no reason: what went wrong inside, in its own words.
    static func plainError(_ message: String) -> Status { Status(code: 500, reason: "", message: message) }
}

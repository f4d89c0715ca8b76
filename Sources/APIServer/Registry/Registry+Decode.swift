import KubeClient
import KubeModel

extension Registry {
    /// Reads a body as an object of a kind, as strictly as the request wants it.
    ///
    /// - Returns: The object without members that the kind does not know, and warnings about those.
    func decode(
        _ kind: KindSchema, _ body: JSONValue, _ settings: WriteSettings
    ) throws(Status) -> (object: KubeObject, warnings: [String]) {
        let body = try typed(kind, body)
        let decoded: (object: KubeObject, unknownFields: [String])
        do throws(DecodeError) {
            decoded = try kind.decode(body)
        } catch {
            throw error.status(kind.resource)
        }
        let hasComplaints = !decoded.unknownFields.isEmpty || !settings.duplicateFields.isEmpty
        guard hasComplaints, settings.fieldValidation != .ignore else { return (decoded.object, []) }
        if settings.fieldValidation == .strict {
            throw .strictDecoding(
                kind.resource, unknownFields: decoded.unknownFields, duplicateFields: settings.duplicateFields)
        }
        let warnings = Status.fieldComplaints(
            unknownFields: decoded.unknownFields, duplicateFields: settings.duplicateFields)
        return (decoded.object, warnings)
    }

    /// The body with its type filled in if it was left out, and without what this server does not keep.
    private func typed(_ kind: KindSchema, _ body: JSONValue) throws(Status) -> JSONValue {
        let resource = kind.resource
        guard case .object = body else {
            throw .badRequest(
                "the object provided is unrecognized (must be of type \(resource.kind)): couldn't get version/kind; "
                    + "json parse error: json: cannot unmarshal into Go value of type struct")
        }
        var body = body
        let apiVersion = body["apiVersion"]?.string ?? ""
        let kindName = body["kind"]?.string ?? ""
        if apiVersion.isEmpty { body["apiVersion"] = .string(resource.apiVersion) }
        if kindName.isEmpty { body["kind"] = .string(resource.kind) }
        guard apiVersion.isEmpty || apiVersion == resource.apiVersion else {
            throw .badRequest(
                "the API version in the data (\(apiVersion)) does not match the expected API version "
                    + "(\(resource.apiVersion))")
        }
        guard kindName.isEmpty || kindName == resource.kind else {
            let group = resource.group.isEmpty ? "core" : String(resource.group.prefix { $0 != "." })
            throw Status.badRequest(
                "\(kindName) in version \"\(resource.version)\" cannot be handled as a \(resource.kind): "
                    + "converting (\(resource.version).\(kindName)) to (\(group).\(resource.kind)): unknown conversion")
        }
        return body
    }
}

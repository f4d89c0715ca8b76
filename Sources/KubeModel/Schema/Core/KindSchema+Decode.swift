extension KindSchema {
    /// Holds a JSON value against the kind.
    ///
    /// - Returns: The object without members that the kind does not know, in the order given, and the paths of those members
    ///   (`spec.replicaz`). Whether they are an error is the caller's decision (`fieldValidation`).
    /// - Throws: `DecodeError` when a member has the wrong type. Members that are given twice are the parser's to report.
    public func decode(_ value: JSONValue) throws(DecodeError) -> (object: KubeObject, unknownFields: [String]) {
        if let custom { return try custom.decode(value) }
        var decoder = SchemaDecoder()
        try decoder.check(value, root)
        let kept = decoder.needsPruning ? decoder.pruned(value, root) : value
        return (KubeObject(kept), decoder.unknownFields)
    }

    /// Fills in what the manifest left out, as the API documents it.
    public func applyDefaults(_ object: inout KubeObject) {
        if object.value["metadata"] == nil { object.value["metadata"] = [:] }
        if let custom { return custom.applyDefaults(&object.value) }
        root.applyDefaults(&object.value)
    }
}

extension DecodeError {
    /// The answer to a body of the wrong type: 400.
    public func status(_ resource: ResourceType) -> Status {
        Status.cannotHandle(resource, because: message)
    }
}

extension Status {
    /// 400: the body cannot be handled as an object of the kind.
    public static func cannotHandle(_ resource: ResourceType, because reason: String) -> Status {
        Status(
            code: 400, reason: "BadRequest",
            message: "\(resource.kind) in version \"\(resource.version)\" cannot be handled as a \(resource.kind): "
                + reason)
    }

    /// 400 for strict field validation: members that the kind does not know, or that are given twice.
    public static func strictDecoding(
        _ resource: ResourceType, unknownFields: [String], duplicateFields: [String] = []
    ) -> Status {
        let complaints = Self.fieldComplaints(unknownFields: unknownFields, duplicateFields: duplicateFields)
        return cannotHandle(resource, because: "strict decoding error: \(complaints.joined(separator: ", "))")
    }

    /// `unknown field "spec.replicaz"`, `duplicate field "spec.replicas"`: also the texts of warnings.
    public static func fieldComplaints(unknownFields: [String], duplicateFields: [String] = []) -> [String] {
        unknownFields.map { "unknown field \"\($0)\"" } + duplicateFields.map { "duplicate field \"\($0)\"" }
    }
}

extension JSONSchema {
    /// The same types for everything that reads kinds: patches, server-side apply.
    ///
    /// Only what somebody applies is held against it; objects are pruned, defaulted and validated by the schema itself.
    ///
    /// - Parameter keepsAll: An outer schema keeps what it does not know, and with it everything inside.
    func types(keepsAll: Bool) -> Schema {
        let keepsAll = keepsAll || keepsUnknownFields
        var traits = SchemaTraits()
        traits.doc = source["description"]?.string ?? ""
        traits.isNullable = true
        switch listType {
        case .atomic: break
        case .set: traits.isSet = true
        case .map(let keys): traits.listMapKeys = keys
        }
        if isIntOrString { return Schema(.intOrString, traits) }
        switch type {
        case "array": return Schema(.array(items?.types(keepsAll: keepsAll) ?? .any), traits)
        case "string": return Schema(.string, traits)
        case "integer": return Schema(.int64, traits)
        case "number": return Schema(.number, traits)
        case "boolean": return Schema(.bool, traits)
        case "object" where isAtomicMap: return Schema(.any, traits)
        case "object" where !properties.isEmpty || isEmbeddedResource:
            traits.keepsUnknownFields = keepsAll
            return Schema(.object(memberTypes(keepsAll: keepsAll)), traits)
        case "object":
            if case .each(let schema) = rest { return Schema(.map(schema.types(keepsAll: keepsAll)), traits) }
            return Schema(.map(.any), traits)
        default: return Schema(.any, traits)
        }
    }

    private func memberTypes(keepsAll: Bool) -> [SchemaField] {
        let declared: [SchemaField] = properties.map { name, schema in
            .field(name, schema.types(keepsAll: keepsAll), doc: schema.source["description"]?.string ?? "")
        }
        guard isEmbeddedResource else { return declared }
        return declared.filter { !Self.envelopeNames.contains($0.name) } + [
            .field("apiVersion", .string, doc: ""), .field("kind", .string, doc: ""),
            .field("metadata", MetadataSchemas.metadata, doc: ""),
        ]
    }

    private static let envelopeNames: Set<String> = ["apiVersion", "kind", "metadata"]

    /// The type of a whole object: the envelope, then what the schema says.
    func rootTypes(definition: String, kind: String) -> Schema {
        let doc = source["description"]?.string ?? "An object of the custom kind \(kind)."
        let own = memberTypes(keepsAll: keepsUnknownFields).filter { !Self.envelopeNames.contains($0.name) }
        return MetadataSchemas.kind(definition, doc: doc, own).with { $0.keepsUnknownFields = keepsUnknownFields }
    }
}

extension JSONSchema {
    /// The same types for everything that reads kinds: patches, server-side apply.
    ///
    /// Nothing is checked by it: objects are pruned, defaulted and validated by the schema itself.
    var types: Schema {
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
        case "array": return Schema(.array(items?.types ?? .any), traits)
        case "string": return Schema(.string, traits)
        case "integer": return Schema(.int64, traits)
        case "number": return Schema(.number, traits)
        case "boolean": return Schema(.bool, traits)
        case "object" where isAtomicMap: return Schema(.any, traits)
        case "object" where !properties.isEmpty || isEmbeddedResource:
            traits.keepsUnknownFields = true
            return Schema(.object(memberTypes), traits)
        case "object":
            if case .each(let schema) = rest { return Schema(.map(schema.types), traits) }
            return Schema(.map(.any), traits)
        default: return Schema(.any, traits)
        }
    }

    private var memberTypes: [SchemaField] {
        properties.map { name, schema in
            .field(name, schema.types, doc: schema.source["description"]?.string ?? "")
        }
    }

    /// The type of a whole object: the envelope, then what the schema says.
    func rootTypes(definition: String, kind: String) -> Schema {
        let doc = source["description"]?.string ?? "An object of the custom kind \(kind)."
        let own = memberTypes.filter { !["apiVersion", "kind", "metadata"].contains($0.name) }
        return MetadataSchemas.kind(definition, doc: doc, own).with { $0.keepsUnknownFields = true }
    }
}

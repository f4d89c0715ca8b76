public import CEL

extension KindSchema {
    /// What expressions can know of the objects of the kind, for the check of a policy's types.
    public var declaration: Declaration {
        if let custom {
            guard let known = SchemaDeclaration(custom.schema, isResource: true, name: resource.kind),
                case .object(let type) = known.declaration.type
            else { return Declaration(.dyn) }
            var fields = type.fields
            fields["metadata"] = MetadataSchemas.metadata.declaration(name: "\(resource.kind).metadata")
            return Declaration(.object(ObjectType(resource.kind, fields)))
        }
        return root.declaration(name: resource.kind) ?? Declaration(.dyn)
    }
}

extension Schema {
    /// What expressions can know of a value; nil for values that they cannot see.
    fileprivate func declaration(name: String) -> Declaration? {
        switch shape {
        case .object(let fields):
            var known: [String: Declaration] = [:]
            for field in fields {
                guard let escaped = ExpressionName.escape(field.name) else { continue }
                known[escaped] = field.schema.declaration(name: "\(name).\(field.name)")
            }
            return Declaration(.object(ObjectType(name, known)))
        case .map(let element):
            return element.declaration(name: "\(name).@elem").map {
                Declaration(.map(.string, $0.type), element: $0)
            }
        case .array(let element):
            return element.declaration(name: "\(name).@idx").map { Declaration(.list($0.type), element: $0) }
        case .string, .quantity: return Declaration(.string)
        case .int32, .int64: return Declaration(.int)
        case .bool: return Declaration(.bool)
        case .number: return Declaration(.double)
        case .intOrString, .any: return Declaration(.dyn)
        // Types that hold themselves would never end.
        case .lazy: return Declaration(.dyn)
        case .time, .microTime: return Declaration(.timestamp)
        case .bytes: return Declaration(.bytes)
        }
    }
}

import CEL

/// What expressions know of the values of a schema: their types, and how large they can be.
///
/// Source: Kubernetes, `apiserver/pkg/cel/common/schemas.go` and `limits.go`.
struct SchemaDeclaration {
    let declaration: Declaration
    /// The fewest bytes that a value takes in JSON; bounds how many can be in one request.
    let bytesMin: Int
    let fields: [String: SchemaDeclaration]
    /// Of elements, or of the values of a map.
    let element: [SchemaDeclaration]

    private init(
        _ declaration: Declaration, bytesMin: Int, fields: [String: SchemaDeclaration] = [:],
        element: SchemaDeclaration? = nil
    ) {
        self.declaration = declaration
        self.bytesMin = bytesMin
        self.fields = fields
        self.element = element.map { [$0] } ?? []
    }

    /// The largest request that the server takes.
    static let requestBytesMax = 3 * 1024 * 1024

    /// How many values of the schema fit into one request.
    var countMax: UInt64 { UInt64(Self.requestBytesMax / (bytesMin + 1)) }

    /// Nil for schemas whose values expressions cannot see.
    init?(_ schema: JSONSchema, isResource: Bool, name: String) {
        if schema.isIntOrString {
            let size = schema.lengths.max.map { max(0, $0) * 4 } ?? Self.requestBytesMax - 2
            self.init(Declaration(.dyn, sizeMax: UInt64(size)), bytesMin: 1)
            return
        }
        switch schema.type {
        case "array":
            guard let items = schema.items,
                let element = SchemaDeclaration(
                    items, isResource: items.isEmbeddedResource, name: "\(name).@idx")
            else { return nil }
            let count = schema.counts.max.map { max(0, $0) } ?? (Self.requestBytesMax - 2) / (element.bytesMin + 1)
            self.init(
                Declaration(
                    .list(element.declaration.type), sizeMax: UInt64(count), element: element.declaration),
                bytesMin: 2, element: element)
        case "object":
            if case .each(let rest) = schema.rest {
                self.init(mapOf: rest, schema, name: name)
            } else {
                self.init(fieldsOf: schema, isResource: isResource, name: name)
            }
        case "string": self.init(text: schema)
        case "boolean": self.init(Declaration(.bool), bytesMin: 4)
        case "number": self.init(Declaration(.double), bytesMin: 1)
        case "integer": self.init(Declaration(.int), bytesMin: 1)
        default: return nil
        }
    }

    private init?(mapOf rest: JSONSchema, _ schema: JSONSchema, name: String) {
        guard
            let element = SchemaDeclaration(rest, isResource: rest.isEmbeddedResource, name: "\(name).@elem")
        else { return nil }
        let count =
            schema.propertyCounts.max.map { max(0, $0) } ?? (Self.requestBytesMax - 2) / (element.bytesMin + 6)
        self.init(
            Declaration(
                .map(.string, element.declaration.type), sizeMax: UInt64(count), element: element.declaration),
            bytesMin: 2, element: element)
    }

    private static let anyText = SchemaDeclaration(
        Declaration(.string, sizeMax: UInt64(requestBytesMax - 2)), bytesMin: 2)

    private init(fieldsOf schema: JSONSchema, isResource: Bool, name: String) {
        var fields: [String: SchemaDeclaration] = [:]
        var bytesMin = 2
        for (property, own) in schema.properties where !(isResource && Self.envelope.contains(property)) {
            guard
                let field = SchemaDeclaration(
                    own, isResource: own.isEmbeddedResource, name: "\(name).\(property)")
            else { continue }
            if let escaped = ExpressionName.escape(property) { fields[escaped] = field }
            if schema.required.contains(property), own.defaultValue == nil {
                bytesMin += property.utf8.count + field.bytesMin + 4
            }
        }
        if isResource {
            fields["apiVersion"] = Self.anyText
            fields["kind"] = Self.anyText
            let metadata = ObjectType(
                "\(name).metadata",
                ["name": Self.anyText.declaration, "generateName": Self.anyText.declaration])
            fields["metadata"] = SchemaDeclaration(Declaration(.object(metadata)), bytesMin: 2)
        }
        let type = ObjectType(name, fields.mapValues(\.declaration))
        self.init(Declaration(.object(type)), bytesMin: bytesMin, fields: fields)
    }

    private static let envelope: Set<String> = ["apiVersion", "kind", "metadata"]

    private init(text schema: JSONSchema) {
        let length = schema.lengths.max.map { max(0, $0) }
        switch schema.format {
        case "byte":
            self.init(Declaration(.bytes, sizeMax: UInt64(length ?? Self.requestBytesMax - 2)), bytesMin: 2)
        case "duration": self.init(Declaration(.duration, sizeMax: 32), bytesMin: 3)
        case "date": self.init(Declaration(.timestamp, sizeMax: 12), bytesMin: 12)
        case "date-time": self.init(Declaration(.timestamp, sizeMax: 32), bytesMin: 21)
        default:
            // A sign takes up to four bytes.
            let longest = schema.values.compactMap { $0.string?.utf8.count }.max()
            let size = length.map { $0 * 4 } ?? longest ?? Self.requestBytesMax - 2
            self.init(Declaration(.string, sizeMax: UInt64(size)), bytesMin: 2)
        }
    }
}

/// The named types of a document, collected from the schemas of its kinds.
struct OpenAPIComponents {
    private var schemas: [String: JSONValue] = [:]

    static let reference = "#/components/schemas/"

    /// By name, so that the document is the same in every run.
    var sorted: JSONValue { .object(JSONObject(schemas.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })) }

    /// Adds a type that operations speak of, though no kind contains it.
    mutating func add(_ schema: Schema) { _ = describe(schema) }

    mutating func add(_ kind: KindSchema) {
        let name = Self.name(of: kind)
        if let custom = kind.custom {
            schemas[name] = describe(custom, kind)
        } else {
            _ = describe(kind.root, as: name)
        }
        let resource = kind.resource
        schemas[name]?["x-kubernetes-group-version-kind"] = [
            ["group": .string(resource.group), "kind": .string(resource.kind), "version": .string(resource.version)]
        ]
        if kind.scale != nil { add(ScaleKind.schema.root) }
        guard kind.verbs.contains("list") else { return }
        let listName = name + "List"
        let listMetadata = describe(MetadataSchemas.listMetadata)
        schemas[listName] = [
            "description": .string("A list of \(resource.kind) objects."), "type": "object", "required": ["items"],
            "properties": [
                "apiVersion": [
                    "description": "The version of the API in which this list is written.", "type": "string",
                ],
                "items": [
                    "description": "The objects.", "type": "array",
                    "items": ["allOf": [["$ref": .string(Self.reference + name)]], "default": [:]],
                ],
                "kind": ["description": "What this list is.", "type": "string"],
                "metadata": [
                    "allOf": [listMetadata], "default": [:], "description": "Where the list stands in history.",
                ],
            ],
            "x-kubernetes-group-version-kind": [
                [
                    "group": .string(resource.group), "kind": .string(kind.listKind),
                    "version": .string(resource.version),
                ]
            ],
        ]
    }

    static func name(of kind: KindSchema) -> String {
        kind.root.traits.definition
            ?? (kind.resource.group.split(separator: ".").reversed() + [
                kind.resource.version[...], kind.resource.kind[...],
            ])
            .joined(separator: ".")
    }

    /// The schema of a custom kind as its definition gives it, with what every object has.
    private mutating func describe(_ custom: CustomResourceType, _ kind: KindSchema) -> JSONValue {
        var value = custom.schema.source
        for name in ["apiVersion", "kind", "metadata"] {
            guard let field = kind.root.field(name) else { continue }
            value[["properties", name]] = describe(field)
        }
        return value
    }

    /// The description of a type; named types are put among the components and referred to.
    private mutating func describe(_ schema: Schema, as name: String? = nil) -> JSONValue {
        let schema = schema.resolved
        guard let name = name ?? schema.traits.definition ?? Self.sharedName(schema) else { return body(schema) }
        if schemas[name] == nil {
            schemas[name] = [:]  // Ends recursion: a type that holds itself finds its name taken.
            schemas[name] = body(schema)
        }
        return ["$ref": .string(Self.reference + name)]
    }

    private static func sharedName(_ schema: Schema) -> String? {
        switch schema.shape {
        case .quantity: "io.k8s.apimachinery.pkg.api.resource.Quantity"
        case .intOrString: "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
        case .time: "io.k8s.apimachinery.pkg.apis.meta.v1.Time"
        case .microTime: "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime"
        default: nil
        }
    }

    private mutating func body(_ schema: Schema) -> JSONValue {
        var value: JSONValue = [:]
        if !schema.traits.doc.isEmpty { value["description"] = .string(schema.traits.doc) }
        switch schema.shape {
        case .object(let fields): addMembers(fields, to: &value)
        case .map(let element):
            value["type"] = "object"
            value["additionalProperties"] = describe(element)
        case .array(let element):
            value["type"] = "array"
            value["items"] = describe(element)
        case .quantity:
            value["description"] = "An amount with a unit, for example 250m or 64Mi."
            value["oneOf"] = [["type": "string"], ["type": "number"]]
        case .intOrString:
            value["description"] = "A number or a text."
            value["format"] = "int-or-string"
            value["oneOf"] = [["type": "integer"], ["type": "string"]]
        // A named type that may be anything has no type, not even that of an object.
        case .any where schema.traits.definition != nil: break
        default: Self.addScalar(schema, to: &value)
        }
        Self.addExtensions(schema.traits, to: &value)
        return value
    }

    private mutating func addMembers(_ fields: [SchemaField], to value: inout JSONValue) {
        value["type"] = "object"
        guard !fields.isEmpty else { return }
        var properties: JSONObject = [:]
        for field in fields { properties.updateValue(describe(field), forKey: field.name) }
        value["properties"] = .object(properties)
        let required = fields.filter(\.isRequired).map { JSONValue.string($0.name) }
        if !required.isEmpty { value["required"] = .array(required) }
    }

    private mutating func describe(_ field: SchemaField) -> JSONValue {
        var value = describe(field.schema)
        if let name = field.schema.traits.definition, field.schema.traits.doc == field.doc {
            schemas[name]?["description"] = nil  // Explain shows both, and would say it twice.
        }
        // A reference may have no neighbours, so what the field adds goes around it.
        if value["$ref"] != nil { value = ["allOf": [value]] }
        value["description"] = .string(field.doc)
        if let constant = field.defaultValue { value["default"] = constant }
        Self.addExtensions(field.schema.traits, to: &value)
        return value
    }

    private static func addScalar(_ schema: Schema, to value: inout JSONValue) {
        switch schema.shape {
        case .string: value["type"] = "string"
        case .int32:
            value["type"] = "integer"
            value["format"] = "int32"
        case .int64:
            value["type"] = "integer"
            value["format"] = "int64"
        case .bool: value["type"] = "boolean"
        case .number: value["type"] = "number"
        case .time, .microTime:
            value["type"] = "string"
            value["format"] = "date-time"
        case .bytes:
            value["type"] = "string"
            value["format"] = "byte"
        default: value["type"] = "object"
        }
        let traits = schema.traits
        if let format = traits.format { value["format"] = .string(format) }
        if let minimum = traits.minimum { value["minimum"] = .int(minimum) }
        if let maximum = traits.maximum { value["maximum"] = .int(maximum) }
        if !traits.enumeration.isEmpty { value["enum"] = .array(traits.enumeration.map(JSONValue.string)) }
    }

    private static func addExtensions(_ traits: SchemaTraits, to value: inout JSONValue) {
        if !traits.listMapKeys.isEmpty {
            value["x-kubernetes-list-map-keys"] = .array(traits.listMapKeys.map(JSONValue.string))
            value["x-kubernetes-list-type"] = "map"
        } else if traits.isSet {
            value["x-kubernetes-list-type"] = "set"
        } else if value["type"] == "array" {
            value["x-kubernetes-list-type"] = "atomic"
        }
        if traits.isAtomic, value["type"] != "array" { value["x-kubernetes-map-type"] = "atomic" }
        if let key = traits.patchMergeKey { value["x-kubernetes-patch-merge-key"] = .string(key) }
        if !traits.patchStrategies.isEmpty {
            value["x-kubernetes-patch-strategy"] = .string(traits.patchStrategies.sorted().joined(separator: ","))
        }
    }
}

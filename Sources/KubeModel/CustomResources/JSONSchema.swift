/// One node of an OpenAPI v3 schema as a CustomResourceDefinition gives it.
///
/// Read once when the definition is accepted; prunes, defaults and validates the objects of its kind from then on.
/// Source: Kubernetes docs, "Extend the Kubernetes API with CustomResourceDefinitions", structural schemas.
public final class JSONSchema: Sendable {
    /// What `additionalProperties` says.
    enum Rest: Sendable {
        case unsaid
        case allowed(Bool)
        case each(JSONSchema)
    }

    /// How often the elements of a list may occur, and what tells them apart (`x-kubernetes-list-type`).
    enum ListType: Sendable, Equatable {
        case atomic
        case set
        case map(keys: [String])
    }

    /// The schema as it was written.
    public let source: JSONValue
    let type: String
    let format: String
    let isNullable: Bool
    let properties: [(name: String, schema: JSONSchema)]
    private let propertiesByName: [String: JSONSchema]
    let items: JSONSchema?
    let rest: Rest
    let required: [String]
    let values: [JSONValue]
    let pattern: Pattern?
    let minimum: Bound?
    let maximum: Bound?
    let multipleOf: Double?
    let lengths: Limits
    let counts: Limits
    let propertyCounts: Limits
    let allOf: [JSONSchema]
    let anyOf: [JSONSchema]
    let oneOf: [JSONSchema]
    let not: JSONSchema?
    let defaultValue: JSONValue?
    let keepsUnknownFields: Bool
    let isIntOrString: Bool
    let isEmbeddedResource: Bool
    let listType: ListType
    let isAtomicMap: Bool
    /// Whether applying defaults at or below this node can change anything.
    let hasDefaults: Bool

    struct Limits: Sendable {
        let min: Int?
        let max: Int?
    }

    struct Bound: Sendable {
        let value: Double
        let isExclusive: Bool
    }

    public init(_ source: JSONValue) {
        func list(_ key: String) -> [JSONSchema] { (source[key]?.array ?? []).map(JSONSchema.init) }
        func bound(_ key: String, exclusive: String) -> Bound? {
            source[key]?.number.map { Bound(value: $0, isExclusive: source[exclusive]?.bool ?? false) }
        }
        func limits(_ what: String) -> Limits {
            Limits(min: source["min\(what)"]?.int, max: source["max\(what)"]?.int)
        }
        self.source = source
        type = source["type"]?.string ?? ""
        format = source["format"]?.string ?? ""
        isNullable = source["nullable"]?.bool ?? false
        properties = (source["properties"]?.object ?? [:]).map { ($0.key, JSONSchema($0.value)) }
        propertiesByName = Dictionary(properties.map { ($0.name, $0.schema) }, uniquingKeysWith: { _, last in last })
        items = source["items"]?.object == nil ? nil : source["items"].map(JSONSchema.init)
        rest =
            switch source["additionalProperties"] {
            case .bool(let isAllowed): .allowed(isAllowed)
            case .object(let members): .each(JSONSchema(.object(members)))
            default: .unsaid
            }
        required = (source["required"]?.array ?? []).compactMap(\.string)
        values = source["enum"]?.array ?? []
        pattern = source["pattern"]?.string.flatMap { $0.isEmpty ? nil : Pattern($0) }
        minimum = bound("minimum", exclusive: "exclusiveMinimum")
        maximum = bound("maximum", exclusive: "exclusiveMaximum")
        multipleOf = source["multipleOf"]?.number
        lengths = limits("Length")
        counts = limits("Items")
        propertyCounts = limits("Properties")
        allOf = list("allOf")
        anyOf = list("anyOf")
        oneOf = list("oneOf")
        not = source["not"].map(JSONSchema.init)
        defaultValue = source["default"].flatMap { $0.isNull ? nil : $0 }
        keepsUnknownFields = source["x-kubernetes-preserve-unknown-fields"]?.bool ?? false
        isIntOrString = source["x-kubernetes-int-or-string"]?.bool ?? false
        isEmbeddedResource = source["x-kubernetes-embedded-resource"]?.bool ?? false
        listType =
            switch source["x-kubernetes-list-type"]?.string {
            case "set": .set
            case "map": .map(keys: (source["x-kubernetes-list-map-keys"]?.array ?? []).compactMap(\.string))
            default: .atomic
            }
        isAtomicMap = source["x-kubernetes-map-type"] == "atomic"
        var below = properties.contains { $0.schema.hasDefaults || $0.schema.defaultValue != nil }
        below = below || items?.hasDefaults ?? false
        if case .each(let schema) = rest { below = below || schema.hasDefaults }
        hasDefaults = below
    }

    func property(_ name: String) -> JSONSchema? { propertiesByName[name] }

    /// The schema of a member that is there: a declared property, or what holds for all others.
    func member(_ name: String) -> JSONSchema? {
        if let schema = propertiesByName[name] { return schema }
        if case .each(let schema) = rest { return schema }
        return nil
    }

    /// The node at a path of property names; nil where there is none.
    public subscript(path: [String]) -> JSONSchema? {
        var current: JSONSchema? = self
        for step in path { current = current?.member(step) }
        return current
    }

    /// Whether a rule in CEL stands anywhere in the schema.
    var hasRules: Bool {
        if source["x-kubernetes-validations"]?.array?.isEmpty == false { return true }
        if properties.contains(where: { $0.schema.hasRules }) || items?.hasRules == true { return true }
        if case .each(let schema) = rest { return schema.hasRules }
        return false
    }
}

extension JSONValue {
    /// The value as a number with fraction, whichever way it is written.
    var number: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }
}

import CEL

/// The rules of a schema and of everything below it, compiled once for each version of a definition.
final class RuleTree: Sendable {
    let schema: JSONSchema
    let isResource: Bool
    let rules: [ValidationRule]
    /// How many values of this node fit into one request, for the estimate of costs.
    let countMax: UInt64
    /// Whether expressions can see values of the node at all.
    let isVisible: Bool
    let properties: [(name: String, tree: RuleTree)]
    let items: RuleTree?
    /// Of members that are not declared.
    let rest: RuleTree?
    private let propertiesByName: [String: RuleTree]

    /// The rules of a whole object; nil where there are none.
    convenience init?(_ schema: JSONSchema) {
        guard schema.hasRules else { return nil }
        self.init(
            schema, isResource: true, SchemaDeclaration(schema, isResource: true, name: "selfType"))
    }

    /// Nil for a node without rules at or below it.
    private init?(_ schema: JSONSchema, isResource: Bool, _ known: SchemaDeclaration?) {
        self.schema = schema
        self.isResource = isResource
        let sources = schema.source["x-kubernetes-validations"]?.array ?? []
        rules = known.map { known in sources.map { ValidationRule($0, known.declaration, schema) } } ?? []
        countMax = known?.countMax ?? 1
        isVisible = known != nil || sources.isEmpty
        var properties: [(name: String, tree: RuleTree)] = []
        for (name, property) in schema.properties where property.hasRules {
            let field = ExpressionName.escape(name).flatMap { known?.fields[$0] }
            let own = SchemaDeclaration(property, isResource: property.isEmbeddedResource, name: "selfType.\(name)")
            if let tree = RuleTree(property, isResource: property.isEmbeddedResource, field ?? own) {
                properties.append((name, tree))
            }
        }
        self.properties = properties
        propertiesByName = Dictionary(properties.map { ($0.name, $0.tree) }, uniquingKeysWith: { _, last in last })
        func below(_ schema: JSONSchema) -> RuleTree? {
            guard schema.hasRules else { return nil }
            let own = SchemaDeclaration(schema, isResource: schema.isEmbeddedResource, name: "selfType")
            return RuleTree(schema, isResource: schema.isEmbeddedResource, known?.element.first ?? own)
        }
        items = schema.items.flatMap(below)
        if case .each(let each) = schema.rest { rest = below(each) } else { rest = nil }
        if sources.isEmpty, properties.isEmpty, items == nil, rest == nil { return nil }
    }

    func property(_ name: String) -> RuleTree? { propertiesByName[name] }
}

/// What is declared about a node besides its shape.
public struct SchemaTraits: Sendable {
    /// What is wrong with a value in the light of more than one field; called after the fields themselves were checked.
    public typealias Rule = @Sendable (_ value: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) -> Void
    /// Fills in what depends on other fields; called after the constant defaults of the node's own fields.
    public typealias Defaulter = @Sendable (_ value: inout JSONValue) -> Void

    /// Shown by `kubectl explain` for the type itself.
    public var doc = ""
    /// The name under which OpenAPI knows the type, for example `io.k8s.api.apps.v1.DeploymentSpec`.
    public var definition: String?
    /// The type's name in error messages about wrong JSON types, where it cannot be derived, for example `v1.ResourceList`.
    public var typeName: String?
    public var format: String?

    /// The values allowed, in the order in which messages list them; empty if free.
    public var enumeration: [String] = []
    public var minimum: Int64?
    public var maximum: Int64?
    public var lengthMax: Int?
    public var lengthMin: Int?
    public var countMax: Int?
    public var countMin: Int?
    public var isNullable = false
    /// Whether members that are not declared are kept (custom resources).
    public var keepsUnknownFields = false
    /// What text is allowed.
    public var syntax: TextSyntax?
    /// What member names of a map are allowed.
    public var keySyntax: TextSyntax?

    /// The members that identify an element of a list (`x-kubernetes-list-map-keys`).
    public var listMapKeys: [String] = []
    /// Whether a list is a set of plain values.
    public var isSet = false
    /// Whether an object or a map has one owner as a whole (`x-kubernetes-map-type: atomic`).
    public var isAtomic = false
    /// The member by which a strategic merge patch matches elements.
    public var patchMergeKey: String?
    /// `merge`, `replace`, `retainKeys`.
    public var patchStrategies: Set<String> = []
    /// The member that must differ between elements; a second use is an error.
    public var uniqueKey: String?

    public var defaulter: Defaulter?
    public var rules: [Rule] = []
    /// Judges the value in place of its members' own declarations, where what is checked depends on what was found.
    public var judge: Rule?

    public init() {}
}

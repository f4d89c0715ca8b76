/// Everything the server needs to know about one kind.
///
/// Never changed, and a class, because it is handed on with every request: as a value it would be copied member by member.
public final class KindSchema: Sendable {
    public let resource: ResourceType
    /// The lower-case singular, for example `pod`.
    public let singular: String
    /// The kind of a list, for example `PodList`.
    public let listKind: String
    public let shortNames: [String]
    public let categories: [String]
    /// The type of the whole object, including `apiVersion`, `kind` and `metadata`.
    public let root: Schema
    /// For example `status`, `scale`, `log`.
    public let subresources: [String]
    /// Columns of `kubectl get`, those of `-o wide` (priority 1) included.
    public let columns: [PrinterColumn]
    public let verbs: [String]
    /// The paths by which field selectors may select, besides `metadata.name` and `metadata.namespace`.
    public let selectableFields: Set<String>
    /// Where the `scale` sub-resource finds its numbers; nil without one.
    public let scale: ScalePaths?
    /// How the objects are kept, where that is not the form in which this kind is served; nil for most kinds.
    public let storedForm: StoredForm?
    /// The type of the objects as their definition gives it; nil for kinds that are built in.
    public let custom: CustomResourceType?
    let behavior: KindBehavior

    /// The paths behind the `scale` sub-resource.
    public struct ScalePaths: Sendable, Hashable {
        public let specReplicas: [String]
        public let statusReplicas: [String]
        /// A label selector as an object, for example `spec.selector`; nil if there is none.
        public let selector: [String]?

        public init(specReplicas: [String], statusReplicas: [String], selector: [String]?) {
            self.specReplicas = specReplicas
            self.statusReplicas = statusReplicas
            self.selector = selector
        }

        /// Which objects are scaled: a selector object, or labels that must match (ReplicationController).
        public func labelSelector(of object: KubeObject) -> LabelSelector? {
            guard let selector, let value = object.value[selector] else { return nil }
            return GoText.isTextMap(value) ? LabelSelector(["matchLabels": value]) : LabelSelector(value)
        }
    }

    public init(
        _ resource: ResourceType, singular: String? = nil, listKind: String? = nil, shortNames: [String] = [],
        categories: [String] = [], root: Schema, subresources: [String] = [],
        columns: [PrinterColumn] = [.name, .age], verbs: [String] = KindSchema.allVerbs,
        selectableFields: Set<String> = [], scale: ScalePaths? = nil, storedForm: StoredForm? = nil,
        custom: CustomResourceType? = nil, behavior: KindBehavior = KindBehavior()
    ) {
        self.resource = resource
        self.singular = singular ?? resource.kind.lowercased()
        self.listKind = listKind ?? "\(resource.kind)List"
        self.shortNames = shortNames
        self.categories = categories
        self.root = root
        self.subresources = subresources
        self.columns = columns
        self.verbs = verbs
        self.selectableFields = selectableFields.union(
            resource.isNamespaced ? ["metadata.name", "metadata.namespace"] : ["metadata.name"])
        self.scale = scale
        self.storedForm = storedForm
        self.custom = custom
        self.behavior = behavior
    }

    public static let allVerbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]

    public var hasStatus: Bool { subresources.contains("status") }

    /// What every request for the kind is told: that it is deprecated.
    public var requestWarning: String? { behavior.requestWarning }

    /// What the client is told about an object that is accepted: texts for `Warning` headers.
    public func warnings(about object: KubeObject, old: KubeObject?) -> [String] { behavior.warnings(object, old) }
}

/// What a kind does at its own discretion, beyond what its schema says.
public struct KindBehavior: Sendable {
    public typealias Check = @Sendable (_ object: KubeObject, _ errors: inout [FieldError]) -> Void
    public typealias UpdateCheck =
        @Sendable (
            _ object: KubeObject, _ old: KubeObject, _ subresource: String?, _ errors: inout [FieldError]
        ) -> Void

    /// What `metadata.name` must look like.
    public var nameSyntax: @Sendable (String) -> [String] = NameSyntax.dnsSubdomain
    /// Whether `metadata.generation` counts changes of the wish.
    public var countsGenerations = false
    /// Whether a change of annotations counts as a change of the wish (Deployment).
    public var countsAnnotations = false
    /// What every request for the kind is told: that it is deprecated.
    public var requestWarning: String?
    /// The status of a new object; nil for none.
    public var initialStatus: JSONValue?
    /// Whether the status given with a new object is kept.
    public var keepsStatusOfNewObjects = false
    /// Changes a new object after its status was dropped.
    public var prepareForCreate: @Sendable (_ object: inout KubeObject) -> Void = { _ in }
    /// Changes an object before it replaces an old one.
    public var prepareForUpdate:
        @Sendable (_ object: inout KubeObject, _ old: KubeObject, _ subresource: String?) -> Void = { _, _, _ in }
    public var validate: Check = { _, _ in }
    /// `validate` looks at the wish only, and what it once let pass it always will: a status that changes says nothing new.
    var judgesWishOnly = false
    /// What only new objects are held to.
    public var validateCreate: Check = { _, _ in }
    public var validateUpdate: UpdateCheck = { _, _, _, _ in }
    /// The cells of all columns, for a kind that is cheaper to look at once than column by column.
    var tableCells: (@Sendable (_ object: KubeObject, _ now: Timestamp) -> [JSONValue])?
    /// What the client is told about an object that is accepted; the old object is nil for a new one.
    public var warnings: @Sendable (_ object: KubeObject, _ old: KubeObject?) -> [String] = { _, _ in [] }

    public init() {}

    public init(_ configure: (inout KindBehavior) -> Void) { configure(&self) }
}

/// One node of the type tree of a kind: what may stand at a place in an object, and everything that follows from it.
///
/// A kind is declared once as a tree of these. Decoding, defaults, validation, patches, OpenAPI and `kubectl explain` all read
/// the same tree. Nodes are immutable and shared: the schema of a container is one object, wherever containers occur.
public final class Schema: Sendable {
    /// What kind of value stands here.
    public enum Shape: Sendable {
        case object([SchemaField])
        /// An object whose member names are free, all with the same type of value.
        case map(Schema)
        case array(Schema)
        case string
        case int32
        case int64
        case bool
        case number
        /// An amount with a unit, for example `250m` or `64Mi`; written as a string or a number.
        case quantity
        case intOrString
        /// RFC 3339, whole seconds.
        case time
        /// RFC 3339 with microseconds.
        case microTime
        /// Base64 text.
        case bytes
        /// Anything, kept as it is.
        case any
        /// A node that is built when it is first needed; makes recursive types possible.
        case lazy(name: String, @Sendable () -> Schema)
    }

    public let shape: Shape
    public let traits: SchemaTraits

    /// The members of an object node by name.
    let fieldsByName: [String: SchemaField]
    /// Members that are there even if nobody sets them, so that nobody owns their existence.
    let impliedFields: [SchemaField]
    /// Whether applying defaults below this node can change anything.
    let hasDefaults: Bool
    /// Whether a member at or below this node may not change.
    let hasImmutables: Bool

    public init(_ shape: Shape, _ traits: SchemaTraits = SchemaTraits()) {
        self.shape = shape
        self.traits = traits
        var isDefaulting = traits.defaulter != nil
        var isFixing = false
        var fieldsByName: [String: SchemaField] = [:]
        switch shape {
        case .object(let fields):
            fieldsByName.reserveCapacity(fields.count)
            for field in fields {
                precondition(fieldsByName[field.name] == nil, "the field \"\(field.name)\" is declared twice")
                fieldsByName[field.name] = field
                isDefaulting = isDefaulting || field.defaultValue != nil || field.schema.hasDefaults
                isFixing = isFixing || field.isImmutable || field.schema.hasImmutables
            }
        case .map(let element), .array(let element):
            isDefaulting = isDefaulting || element.hasDefaults
            isFixing = element.hasImmutables
        case .lazy:
            isDefaulting = true
        default: break
        }
        self.fieldsByName = fieldsByName
        if case .object(let fields) = shape {
            impliedFields = Self.impliedMembers(fields, of: traits.definition)
        } else {
            impliedFields = []
        }
        hasDefaults = isDefaulting
        hasImmutables = isFixing
    }

    /// This node, or the one it stands for when it is lazy.
    public var resolved: Schema {
        if case .lazy(_, let make) = shape { make().resolved } else { self }
    }

    /// The declared members of an object, in their order; empty for everything else.
    public var fields: [SchemaField] {
        if case .object(let fields) = resolved.shape { fields } else { [] }
    }

    public func field(_ name: String) -> SchemaField? { resolved.fieldsByName[name] }

    /// A copy with some traits changed.
    public func with(_ change: (inout SchemaTraits) -> Void) -> Schema {
        var traits = traits
        change(&traits)
        return Schema(shape, traits)
    }
}

/// A declared member of an object.
public struct SchemaField: Sendable {
    public let name: String
    /// The name as field sets spell it.
    let ownershipKey: String
    public let schema: Schema
    /// One or two plain sentences, shown by `kubectl explain`.
    public let doc: String
    /// What the server fills in when the member is absent.
    public let defaultValue: JSONValue?
    /// Whether a zero (0 or "") counts as absent when defaults are applied.
    public let replacesZero: Bool
    /// Whether the member must be there and must not be empty.
    public let isRequired: Bool
    /// Whether an absent number is judged as 0.
    public let countsAbsentAsZero: Bool
    /// Whether the member keeps its value for the life of the object.
    public let isImmutable: Bool
    /// Whether a zero, an empty text or an empty list is the same as no member, and is not kept.
    public let dropsZero: Bool
    /// What the message about a missing member adds.
    public var requiredDetail = ""
}

extension Schema {
    /// The type at a path of member names; nil if there is no such place.
    ///
    /// Follows lists and maps through their elements.
    public subscript(path: [String]) -> Schema? {
        var current: Schema? = self
        for step in path { current = current?.memberSchema(step) }
        return current
    }

    func memberSchema(_ name: String) -> Schema? {
        let node = resolved
        switch node.shape {
        case .object: return node.fieldsByName[name]?.schema
        case .map(let value): return value
        case .array(let element): return element.memberSchema(name)
        default: return nil
        }
    }

    /// The type of the elements of a list; nil for everything else.
    var elementSchema: Schema? { if case .array(let element) = resolved.shape { element } else { nil } }
}

/// The words in which kinds are declared.
extension Schema {
    public static let string = Schema(.string)
    public static let int32 = Schema(.int32)
    public static let int64 = Schema(.int64)
    public static let bool = Schema(.bool)
    public static let number = Schema(.number)
    public static let quantity = Schema(.quantity)
    public static let intOrString = Schema(.intOrString)
    public static let time = Schema(.time)
    public static let microTime = Schema(.microTime)
    public static let bytes = Schema(.bytes)
    public static let any = Schema(.any)
    /// Labels, annotations, node selectors: names to text.
    public static let strings = Schema.map(of: .string)
    public static let stringList = Schema.list(of: .string)
    public static let stringSet = Schema.set(of: .string)
    /// A TCP or UDP port.
    public static let port = Schema.int32.with {
        $0.minimum = 1
        $0.maximum = 65535
    }
    /// A port number or the name of one.
    public static let portOrName = Schema.intOrString.with { $0.syntax = .portOrName }
    public static let resourceAmounts = Schema.map(of: .quantity).with { $0.typeName = "v1.ResourceList" }

    /// An object with declared members.
    ///
    /// `definition` is the name under which OpenAPI knows the type; its last part is also the name in messages.
    public static func object(_ definition: String, doc: String, _ fields: [SchemaField]) -> Schema {
        var traits = SchemaTraits()
        traits.definition = definition
        traits.doc = doc
        traits.isAtomic = atomicTypes.contains(lastPart(definition))
        return Schema(.object(fields), traits)
    }

    /// An object of the core group with declared members.
    static func core(_ name: String, doc: String, _ fields: [SchemaField]) -> Schema {
        .object("io.k8s.api.core.v1.\(name)", doc: doc, fields)
    }

    public static func map(of value: Schema) -> Schema { Schema(.map(value)) }

    /// A list that is replaced as a whole.
    public static func list(of element: Schema) -> Schema { Schema(.array(element)) }

    /// A list of plain values without order, merged by value.
    public static func set(of element: Schema) -> Schema {
        Schema(.array(element)).with {
            $0.isSet = true
            $0.patchStrategies = ["merge"]
        }
    }

    /// A list whose elements are told apart by some of their members.
    ///
    /// `keys` are the members that identify an element for server-side apply, `mergeKey` the one by which strategic merge
    /// patches match (the first key if nil). With `isUnique`, a second element of the same merge key is an error.
    public static func list(
        of element: Schema, keys: [String], mergeKey: String? = nil, isUnique: Bool = false,
        strategies: Set<String> = ["merge"]
    ) -> Schema {
        Schema(.array(element)).with {
            $0.listMapKeys = keys
            $0.patchMergeKey = mergeKey ?? keys.first
            $0.patchStrategies = strategies
            $0.uniqueKey = isUnique ? $0.patchMergeKey : nil
        }
    }

    /// A type that is built when it is first needed.
    public static func lazy(_ name: String, _ make: @escaping @Sendable () -> Schema) -> Schema {
        Schema(.lazy(name: name, make))
    }

    /// Text of which only some values are allowed.
    public static func oneOf(_ values: String...) -> Schema { string.with { $0.enumeration = values } }

    /// Text with a syntax.
    public static func text(_ syntax: TextSyntax) -> Schema { string.with { $0.syntax = syntax } }

    public func defaulting(_ defaulter: @escaping SchemaTraits.Defaulter) -> Schema {
        with { $0.defaulter = defaulter }
    }

    public func checking(_ rule: @escaping SchemaTraits.Rule) -> Schema { with { $0.rules.append(rule) } }

    /// The type whose values are judged by one rule alone, which calls the members' checks where it wants them.
    public func judged(by rule: @escaping SchemaTraits.Rule) -> Schema { with { $0.judge = rule } }

    public func patching(_ strategies: String...) -> Schema { with { $0.patchStrategies = Set(strategies) } }

    /// The type under the name that messages about wrong JSON types give it.
    public func named(_ name: String) -> Schema { with { $0.typeName = name } }
}

extension SchemaField {
    /// One member of an object.
    ///
    /// The server fills in `default` when the member is absent or empty text, and with `replacesZero` also when it is 0.
    /// A `required` member must be there and must not be empty or 0; one that `countsAbsentAsZero` is judged as 0 when it
    /// is absent (ports); an `immutable` one keeps its value for the life of the object. A 0, false or empty text is
    /// dropped where Kubernetes' own type would not write it, unless the member `keepsZero`.
    public static func field(
        _ name: String, _ schema: Schema, default defaultValue: JSONValue? = nil, replacesZero: Bool = false,
        required: Bool = false, requiredDetail: String = "", countsAbsentAsZero: Bool = false,
        immutable: Bool = false, keepsZero: Bool = false, minimum: Int64? = nil, maximum: Int64? = nil,
        oneOf: [String] = [], syntax: TextSyntax? = nil, doc: String
    ) -> SchemaField {
        var schema = schema
        if minimum != nil || maximum != nil || !oneOf.isEmpty || syntax != nil {
            schema = schema.with {
                if let minimum { $0.minimum = minimum }
                if let maximum { $0.maximum = maximum }
                if !oneOf.isEmpty { $0.enumeration = oneOf }
                if let syntax { $0.syntax = syntax }
            }
        }
        // A selector by labels is one wish: Kubernetes has these maps owned as a whole.
        if name == "selector" || name == "nodeSelector", case .map = schema.shape {
            schema = schema.with { $0.isAtomic = true }
        }
        return SchemaField(
            name: name, ownershipKey: PathElement.field(name), schema: schema, doc: doc, defaultValue: defaultValue,
            replacesZero: replacesZero,
            isRequired: required, countsAbsentAsZero: countsAbsentAsZero, isImmutable: immutable,
            dropsZero: !(keepsZero || required || countsAbsentAsZero || (defaultValue != nil && !replacesZero))
                && ZeroValues.isDropped(name, schema),
            requiredDetail: requiredDetail)
    }
}

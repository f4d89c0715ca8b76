/// How objects of one version of a custom kind are read, completed and judged.
public final class CustomResourceType: Sendable {
    /// The schema of one version.
    public let schema: JSONSchema
    /// Who converts between versions; nil when only `apiVersion` changes.
    public let conversion: ConversionWebhook?
    private let rules: RuleTree?
    private let scale: Scale?

    struct Scale: Sendable {
        let specReplicas: String
        let statusReplicas: String
        let selector: String?
    }

    init(_ schema: JSONSchema, scale: Scale?, conversion: ConversionWebhook? = nil) {
        self.schema = schema
        self.conversion = conversion
        rules = RuleTree(schema)
        self.scale = scale
    }

    private static let envelope = Schema.object(
        "io.k8s.apimachinery.pkg.apis.meta.v1.TypeMeta", doc: "",
        [.field("metadata", MetadataSchemas.metadata, doc: "")]
    ).with { $0.keepsUnknownFields = true }

    /// The object without members that the schema does not know, and their paths.
    ///
    /// Only metadata of the wrong type is an error here: everything else is for `validate` to complain about.
    func decode(_ value: JSONValue) throws(DecodeError) -> (object: KubeObject, unknownFields: [String]) {
        var decoder = SchemaDecoder()
        try decoder.check(value, Self.envelope)
        let readable = decoder.needsPruning ? decoder.pruned(value, Self.envelope) : value
        var unknownFields = decoder.unknownFields
        let kept = schema.prune(readable, at: .root, isResource: true, into: &unknownFields)
        return (KubeObject(kept), unknownFields)
    }

    func applyDefaults(_ value: inout JSONValue) {
        let metadata = value["metadata"]
        schema.applyDefaults(&value)
        value["metadata"] = metadata
    }

    /// The object in this version, whatever version it was stored in (conversion strategy `None`).
    func serve(_ object: inout KubeObject, as resource: ResourceType) {
        if object.apiVersion != resource.apiVersion {
            object.value["apiVersion"] = .string(resource.apiVersion)
            var unknownFields: [String] = []
            object.value = schema.prune(object.value, at: .root, isResource: true, into: &unknownFields)
        }
        // What the schema has learned since the object was written is filled in when it is read.
        if schema.hasDefaults { applyDefaults(&object.value) }
    }

    /// What is wrong with an object.
    ///
    /// What was wrong before in `old`, the object that it replaces, and stands there unchanged, is not held against it
    /// (validation ratcheting); where a rule says so, it is in `tolerated`.
    func validate(
        _ value: JSONValue, old: JSONValue?, into errors: inout [FieldError], tolerated: inout [FieldError]
    ) {
        errors += schema.check(value, old: old).errors
        checkScale(value, into: &errors)
        schema.checkLists(value, at: .root, into: &errors)
        guard let rules else { return }
        if errors.contains(where: { Self.blocking.contains($0.kind) }) {
            // Rules may rely on what the schema says.
            let words =
                "some validation rules were not checked because the object was invalid; correct the existing errors to "
                + "complete validation"
            errors.append(.invalid(FieldPath("<nil>"), nil, words))
        } else {
            let check = RuleCheck(value, old: old, rules)
            errors += check.errors
            tolerated += check.tolerated
        }
    }

    private static let blocking: Set<FieldError.Kind> = [.notSupported, .required, .tooLong, .tooMany, .typeInvalid]

    private func checkScale(_ value: JSONValue, into errors: inout [FieldError]) {
        guard let scale else { return }
        for path in [scale.specReplicas, scale.statusReplicas] {
            let steps = path.split(separator: ".").map(String.init)
            switch value[steps] {
            case .int(let count) where count < 0:
                errors.append(.invalid(FieldPath(path), .int(count), "should be a non-negative integer"))
            case .int(let count) where count > Int64(Int32.max):
                errors.append(
                    .invalid(FieldPath(path), .int(count), "should be less than or equal to \(Int32.max)"))
            default: continue
            }
        }
    }
}

/// The type of an OpenAPI v3 schema, as a CustomResourceDefinition holds one.
enum JSONSchemaProps {
    private static let definition = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."
    private static let nested: Schema = Schema.lazy("JSONSchemaProps") { schema }

    /// A value of any type, under the name by which OpenAPI documents know it.
    private static func untyped(_ name: String) -> Schema { Schema.any.with { $0.definition = definition + name } }

    private static let rule = Schema.object(
        definition + "ValidationRule",
        doc: "A rule in the expression language CEL that values must keep.",
        [
            .field("fieldPath", .string, doc: "The field that a complaint names."),
            .field("message", .string, doc: "What is said when the rule is broken."),
            .field("messageExpression", .string, doc: "An expression that makes the message."),
            .field("optionalOldSelf", .bool, doc: "Whether the rule also holds for new objects when it names oldSelf."),
            .field("reason", .string, doc: "The reason given to programs when the rule is broken."),
            .field("rule", .string, doc: "The expression, which must be true; self is the value."),
        ])

    private static let externalDocs = Schema.object(
        definition + "ExternalDocumentation", doc: "Where more is written about it.",
        [
            .field("description", .string, doc: "What is written there."),
            .field("url", .string, doc: "The address."),
        ])

    static let schema: Schema = Schema.object(
        definition + "JSONSchemaProps", doc: "A schema: which values may stand at a place, in the words of OpenAPI v3.",
        [
            .field("$ref", .string, doc: "A reference to another schema; not allowed here."),
            .field("$schema", .string, doc: "The dialect of the schema."),
            .field("additionalItems", untyped("JSONSchemaPropsOrBool"), doc: "Not allowed here."),
            .field(
                "additionalProperties", untyped("JSONSchemaPropsOrBool"),
                doc: "The schema of members that are not declared, for maps."),
            .field("allOf", .list(of: nested), doc: "Schemas that must all hold."),
            .field("anyOf", .list(of: nested), doc: "Schemas of which one must hold."),
            .field("default", untyped("JSON"), doc: "What the server fills in when the member is absent."),
            .field("definitions", .map(of: nested), doc: "Not allowed here."),
            .field("dependencies", .map(of: untyped("JSONSchemaPropsOrStringArray")), doc: "Not allowed here."),
            .field("description", .string, doc: "What the value is; shown by kubectl explain."),
            .field("enum", .list(of: untyped("JSON")), doc: "The values that are allowed."),
            .field("example", untyped("JSON"), doc: "An example of the value."),
            .field("exclusiveMaximum", .bool, doc: "Whether the maximum itself is too much."),
            .field("exclusiveMinimum", .bool, doc: "Whether the minimum itself is too little."),
            .field("externalDocs", externalDocs, doc: "Where more is written about it."),
            .field(
                "format", .string,
                doc: "What text or number it is, for example date-time, int32, ipv4, uuid, email, uri, byte."),
            .field("id", .string, doc: "Not allowed here."),
            .field("items", untyped("JSONSchemaPropsOrArray"), doc: "The schema of the elements of a list."),
            .field("maxItems", .int64, doc: "The most elements of a list."),
            .field("maxLength", .int64, doc: "The most signs of a text."),
            .field("maxProperties", .int64, doc: "The most members of an object."),
            .field("maximum", .number, doc: "The largest number."),
            .field("minItems", .int64, doc: "The fewest elements of a list."),
            .field("minLength", .int64, doc: "The fewest signs of a text."),
            .field("minProperties", .int64, doc: "The fewest members of an object."),
            .field("minimum", .number, doc: "The smallest number."),
            .field("multipleOf", .number, keepsZero: true, doc: "A number that the value must be a multiple of."),
            .field("not", nested, doc: "A schema that must not hold."),
            .field("nullable", .bool, doc: "Whether null is allowed."),
            .field("oneOf", .list(of: nested), doc: "Schemas of which exactly one must hold."),
            .field("pattern", .string, doc: "A regular expression that must occur in the text."),
            .field("patternProperties", .map(of: nested), doc: "Not allowed here."),
            .field("properties", .map(of: nested), doc: "The members of an object and their schemas."),
            .field("required", .stringList, doc: "The members that must be there."),
            .field("title", .string, doc: "A short name for the value."),
            .field("type", .string, doc: "object, array, string, integer, number or boolean."),
            .field("uniqueItems", .bool, doc: "Must be false; use x-kubernetes-list-type set."),
            .field(
                "x-kubernetes-embedded-resource", .bool,
                doc: "Whether the value is a whole object with apiVersion, kind and metadata."),
            .field("x-kubernetes-int-or-string", .bool, doc: "Whether the value is a number or a text."),
            .field(
                "x-kubernetes-list-map-keys", .stringList, doc: "The members that tell elements of a map list apart."),
            .field(
                "x-kubernetes-list-type", .string,
                doc: "atomic is replaced as a whole, set holds each value once, map tells elements apart by keys."),
            .field(
                "x-kubernetes-map-type", .string,
                doc: "granular merges members one by one, atomic replaces the object as a whole."),
            .field(
                "x-kubernetes-preserve-unknown-fields", .bool,
                doc: "Whether members that are not declared are kept instead of pruned."),
            .field(
                "x-kubernetes-validations", .list(of: rule, keys: ["rule"]),
                doc: "Rules in CEL that the value must keep; self is the value, oldSelf the one before."),
        ])
}

/// `/openapi/v2`: all kinds in one document of the older format, which kubectl before 1.27 reads and others still fall back to.
///
/// It is made from the parts of the v3 documents. The answer is large: make it when somebody asks, and keep the bytes.
public enum SwaggerDocument {
    public static func make(_ catalog: KindCatalog) -> JSONValue {
        let (components, paths) = OpenAPIDocument.parts(catalog.kinds.filter { $0.custom == nil })
        var definitions = (components.sorted.object ?? [:]).mapValues { SwaggerSchema.translate($0) }
        var places = (paths.object ?? [:]).mapValues(SwaggerPaths.translate)
        for kind in catalog.kinds where kind.custom != nil { add(kind, &definitions, &places) }
        return [
            "swagger": "2.0", "info": ["title": "Kubernetes", "version": "v1.32.4"], "paths": .object(places),
            "definitions": .object(definitions),
            "securityDefinitions": [
                "BearerToken": [
                    "description": "A bearer token.", "type": "apiKey", "name": "authorization", "in": "header",
                ]
            ],
            "security": [["BearerToken": []]],
        ]
    }

    /// A custom kind: its own schema is published in the form that old clients can stand.
    private static func add(_ kind: KindSchema, _ definitions: inout JSONObject, _ places: inout JSONObject) {
        guard let custom = kind.custom else { return }
        let (components, paths) = OpenAPIDocument.parts([kind])
        let own = OpenAPIComponents.name(of: kind)
        for (name, schema) in components.sorted.object ?? [:] where definitions[name] == nil {
            definitions[name] =
                name == own
                ? SwaggerSchema.translate(custom, as: schema) : SwaggerSchema.translate(schema)
        }
        for (path, item) in paths.object ?? [:] { places[path] = SwaggerPaths.translate(item) }
    }
}

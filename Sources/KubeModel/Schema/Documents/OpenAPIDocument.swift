/// The OpenAPI documents: what `kubectl explain` reads, and what `kubectl apply` looks at before it sends anything.
public enum OpenAPIDocument {
    /// `/openapi/v3`: the list of documents, one for each group and version.
    public static func v3Index(_ catalog: KindCatalog) -> JSONValue {
        var paths: JSONValue = [:]
        for (group, version) in groupVersions(catalog) {
            let path = group.isEmpty ? "api/\(version)" : "apis/\(group)/\(version)"
            let hash = hash(group: group, version: version, catalog: catalog) ?? ""
            paths[path] = ["serverRelativeURL": .string("/openapi/v3/\(path)?hash=\(hash)")]
        }
        return ["paths": paths]
    }

    /// `/openapi/v3/api/v1` or `/openapi/v3/apis/GROUP/VERSION`; nil if nothing is served there.
    ///
    /// The answer is large (hundreds of types for the core group): make it once and keep the bytes.
    public static func v3(group: String, version: String, catalog: KindCatalog) -> JSONValue? {
        let kinds = catalog.kinds.filter { $0.resource.group == group && $0.resource.version == version }
        guard !kinds.isEmpty else { return nil }
        let (components, paths) = parts(kinds)
        return [
            "openapi": "3.0.0", "info": ["title": "Kubernetes", "version": "v1.32.0"], "paths": paths,
            "components": ["schemas": components.sorted],
        ]
    }

    /// The types of some kinds, and what can be done with them.
    static func parts(_ kinds: [KindSchema]) -> (components: OpenAPIComponents, paths: JSONValue) {
        var components = OpenAPIComponents()
        for schema in ExchangeSchemas.all { components.add(schema) }
        var paths: JSONObject = [:]
        for kind in kinds {
            components.add(kind)
            for (path, item) in OpenAPIPaths(kind).items { paths[path] = item }
        }
        return (components, .object(paths))
    }

    private static func groupVersions(_ catalog: KindCatalog) -> [(String, String)] {
        var found: [(String, String)] = []
        for kind in catalog.kinds {
            let pair = (kind.resource.group, kind.resource.version)
            if !found.contains(where: { $0 == pair }) { found.append(pair) }
        }
        return found
    }

    /// Changes when kinds are added or their types change; the same in every run.
    public static func hash(group: String, version: String, catalog: KindCatalog) -> String? {
        let kinds = catalog.kinds.filter { $0.resource.group == group && $0.resource.version == version }
        return kinds.isEmpty ? nil : hash(kinds)
    }

    private static func hash(_ kinds: [KindSchema]) -> String {
        var hash = ContentHash()
        var seen: Set<ObjectIdentifier> = []
        func walk(_ schema: Schema) {
            let schema = schema.resolved
            guard seen.insert(ObjectIdentifier(schema)).inserted else { return }
            hash.mix(schema.typeName)
            for value in schema.traits.enumeration { hash.mix(value) }
            switch schema.shape {
            case .object(let fields):
                for field in fields {
                    hash.mix(field.name)
                    hash.mix(field.doc)
                    if let value = field.defaultValue { hash.mix(value.encoded) }
                    walk(field.schema)
                }
            case .map(let element), .array(let element): walk(element)
            default: break
            }
        }
        for kind in kinds {
            hash.mix(kind.resource.kind)
            for name in kind.subresources + kind.verbs { hash.mix(name) }
            if let custom = kind.custom { hash.mix(custom.schema.source.encoded) } else { walk(kind.root) }
        }
        return hash.text
    }
}

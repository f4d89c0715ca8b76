/// The OpenAPI documents: what `kubectl explain` reads, and what `kubectl apply` looks at before it sends anything.
public enum OpenAPIDocument {
    /// `/openapi/v2`: the smallest document that kubectl can read (a swagger version, in protobuf).
    public static let v2Protobuf: [UInt8] = [0x0A, 0x03, 0x32, 0x2E, 0x30]
    /// The media type of `v2Protobuf`.
    ///
    /// Clients ask for it with an `@`, which a media type cannot hold, and are answered with a dot.
    public static let v2MediaType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

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
        var components = OpenAPIComponents()
        var paths: JSONValue = [:]
        for kind in kinds {
            components.add(kind)
            for (path, item) in OpenAPIPaths(kind).items { paths[path] = item }
        }
        return [
            "openapi": "3.0.0", "info": ["title": "Kubernetes", "version": "v1.32.0"], "paths": paths,
            "components": ["schemas": components.sorted],
        ]
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

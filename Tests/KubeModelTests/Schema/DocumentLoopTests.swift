import KubeModel
import Testing

/// What `kubectl explain KIND --recursive` walks, for every kind there is.
@Suite("Documents of all kinds") struct DocumentLoopTests {
    private static let prefix = "#/components/schemas/"

    /// Each document once: they are large.
    private static let documents: [String: JSONValue] = {
        var documents: [String: JSONValue] = [:]
        for resource in kinds where documents[resource.apiVersion] == nil {
            documents[resource.apiVersion] = OpenAPIDocument.v3(
                group: resource.group, version: resource.version, catalog: .builtIn)
        }
        return documents
    }()

    static let kinds = KindCatalog.builtIn.kinds.map(\.resource)

    /// The type that a schema stands for, through `$ref` and `allOf`.
    private static func resolve(_ schema: JSONValue, in schemas: JSONValue) throws -> (name: String?, schema: JSONValue)
    {
        let reference = schema["$ref"]?.string ?? schema["allOf"]?.array?.first?["$ref"]?.string
        guard let reference else { return (nil, schema) }
        let name = String(reference.dropFirst(prefix.count))
        return (name, try #require(schemas[name], "\(name) is referred to and not there"))
    }

    @Test("every field of every kind has words, and every reference leads somewhere", arguments: kinds)
    func explain(resource: ResourceType) throws {
        let document = try #require(Self.documents[resource.apiVersion])
        let schemas = try #require(document[["components", "schemas"]])
        let root = try #require(
            schemas.object?.values.first { schema in
                (schema["x-kubernetes-group-version-kind"]?.array ?? []).contains {
                    $0["kind"]?.string == resource.kind && $0["version"]?.string == resource.version
                        && $0["group"]?.string ?? "" == resource.group
                }
            }, "explain finds a kind by its group, version and kind")
        var seen: Set<String> = []
        var open: [(path: String, schema: JSONValue)] = [(resource.kind, root)]
        while let (path, schema) = open.popLast() {
            let (name, type) = try Self.resolve(schema, in: schemas)
            if let name, !seen.insert(name).inserted { continue }
            for (key, member) in type["properties"]?.object ?? [:] {
                #expect(member["description"]?.string?.isEmpty == false, "\(path).\(key) has no words")
                open.append(("\(path).\(key)", member))
            }
            for part in ["items", "additionalProperties"] {
                if let inner = type[part], inner.object != nil { open.append((path, inner)) }
            }
        }
    }

    @Test("every operation says its action, its kind and its parameters", arguments: kinds)
    func operations(resource: ResourceType) throws {
        let document = try #require(Self.documents[resource.apiVersion])
        let paths = try #require(document["paths"]?.object)
        let verbs = KindCatalog.builtIn.kind(resource)?.verbs ?? []
        let own = paths.filter { $0.key.hasSuffix("/\(resource.plural)/{name}") }
        if verbs.contains("get") { #expect(!own.isEmpty) }
        for (path, item) in own {
            for (method, operation) in item.object ?? [:] where method != "parameters" {
                #expect(operation["x-kubernetes-action"]?.string != nil, "\(method) \(path)")
                #expect(operation[["x-kubernetes-group-version-kind", "kind"]]?.string != nil, "\(method) \(path)")
            }
            if verbs.contains("patch") {
                let names = (item[["patch", "parameters"]]?.array ?? []).compactMap { $0["name"]?.string }
                #expect(names == ["dryRun", "fieldManager", "fieldValidation", "force"])
            }
        }
    }

    @Test("the hash of a document changes with its kinds and with nothing else")
    func hash() throws {
        var catalog = KindCatalog.builtIn
        let before = OpenAPIDocument.hash(group: "apps", version: "v1", catalog: catalog)
        #expect(before == OpenAPIDocument.hash(group: "apps", version: "v1", catalog: catalog))
        catalog.remove(group: "batch", version: "v1", plural: "jobs")
        #expect(before == OpenAPIDocument.hash(group: "apps", version: "v1", catalog: catalog))
        catalog.remove(group: "apps", version: "v1", plural: "deployments")
        #expect(before != OpenAPIDocument.hash(group: "apps", version: "v1", catalog: catalog))
    }

    @Test("versions come in the order of preference")
    func versions() {
        let sorted = ["v1alpha1", "foo", "v2beta1", "v1", "v10", "v2", "v2beta2", "bar"].sorted(
            by: VersionOrder.isBefore)
        #expect(sorted == ["v10", "v2", "v1", "v2beta2", "v2beta1", "v1alpha1", "bar", "foo"])
    }

    @Test("groups come in the order of Kubernetes, and autoscaling prefers v2")
    func groups() throws {
        let groups = try #require(Discovery.groupList(.builtIn)["groups"]?.array)
        let names = groups.compactMap { $0["name"]?.string }
        #expect(names.prefix(3) == ["apiregistration.k8s.io", "apps", "events.k8s.io"])
        #expect(names.last == "metrics.k8s.io")
        let autoscaling = try #require(groups.first { $0["name"] == "autoscaling" })
        #expect(autoscaling[["preferredVersion", "version"]] == "v2")
        #expect(autoscaling["versions"]?.array?.compactMap { $0["version"] } == ["v2", "v1"])
    }
}

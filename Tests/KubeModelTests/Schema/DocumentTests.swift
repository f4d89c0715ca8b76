import KubeModel
import Testing

@Suite("Discovery and OpenAPI", .timeLimit(.minutes(5))) struct DocumentTests {
    @Test("aggregated discovery lists every kind of the groups once")
    func aggregated() {
        let catalog = KindCatalog.builtIn
        var found: [String] = []
        for isCore in [true, false] {
            let document = Discovery.aggregated(catalog, isCore: isCore)
            for group in document["items"]?.array ?? [] {
                let name = group[["metadata", "name"]]?.string ?? ""
                #expect(name.isEmpty == isCore)
                for version in group["versions"]?.array ?? [] {
                    for resource in version["resources"]?.array ?? [] {
                        found.append(
                            "\(name)/\(version["version"]?.string ?? "")/\(resource["resource"]?.string ?? "")")
                    }
                }
            }
        }
        let expected = catalog.kinds.map { "\($0.resource.group)/\($0.resource.version)/\($0.resource.plural)" }
        #expect(found.sorted() == expected.sorted())
    }

    @Test("a kind is described with its names, verbs and sub-resources")
    func resource() throws {
        let list = try #require(Discovery.resourceList(group: "apps", version: "v1", catalog: .builtIn))
        let resources = list["resources"]?.array ?? []
        #expect(list["groupVersion"] == "apps/v1")
        #expect(
            resources.first { $0["name"] == "deployments" } == [
                "name": "deployments", "singularName": "deployment", "namespaced": true, "kind": "Deployment",
                "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
                "shortNames": ["deploy"], "categories": ["all"],
            ])
        #expect(
            resources.first { $0["name"] == "deployments/scale" } == [
                "name": "deployments/scale", "singularName": "", "namespaced": true, "group": "autoscaling",
                "version": "v1", "kind": "Scale", "verbs": ["get", "patch", "update"],
            ])
        #expect(Discovery.resourceList(group: "apps", version: "v2", catalog: .builtIn) == nil)
    }

    @Test("the group list names groups and versions, not the core group")
    func groups() {
        let names = Discovery.groupList(.builtIn)["groups"]?.array?.compactMap { $0["name"]?.string }
        var expected: [String] = []
        for kind in KindCatalog.builtIn.kinds where !kind.resource.group.isEmpty {
            if !expected.contains(kind.resource.group) { expected.append(kind.resource.group) }
        }
        #expect(expected.contains("networking.k8s.io") && expected.contains("policy"))
        // In the order of discovery, which is that of a real server and not that of the catalog.
        #expect(names?.sorted() == expected.sorted())
        #expect(Discovery.group("apps", catalog: .builtIn)?[["preferredVersion", "groupVersion"]] == "apps/v1")
        #expect(Discovery.group("nosuch", catalog: .builtIn) == nil)
    }

    @Test(
        "every reference in an OpenAPI document leads somewhere",
        arguments: [("", "v1"), ("apps", "v1"), ("batch", "v1")])
    func references(group: String, version: String) throws {
        let document = try #require(OpenAPIDocument.v3(group: group, version: version, catalog: .builtIn))
        let schemas = try #require(document[["components", "schemas"]]?.object)
        var references: Set<String> = []
        func walk(_ value: JSONValue) {
            if let reference = value["$ref"]?.string { references.insert(reference) }
            value.object?.values.forEach(walk)
            value.array?.forEach(walk)
        }
        walk(document)
        let prefix = "#/components/schemas/"
        #expect(references.count > 50)
        for reference in references {
            #expect(reference.hasPrefix(prefix))
            #expect(schemas[String(reference.dropFirst(prefix.count))] != nil, "\(reference)")
        }
    }

    @Test("the patch of a kind says that the server validates fields, and of which kind it is")
    func patch() throws {
        let document = try #require(OpenAPIDocument.v3(group: "apps", version: "v1", catalog: .builtIn))
        let operation = document[["paths", "/apis/apps/v1/namespaces/{namespace}/deployments/{name}", "patch"]]
        let parameters = operation?["parameters"]?.array ?? []
        #expect(parameters.contains { $0["name"] == "fieldValidation" && $0["in"] == "query" })
        #expect(
            operation?["x-kubernetes-group-version-kind"] == ["group": "apps", "version": "v1", "kind": "Deployment"])
    }

    @Test("a type carries what explain and patches need")
    func schema() throws {
        let document = try #require(OpenAPIDocument.v3(group: "apps", version: "v1", catalog: .builtIn))
        let schemas = document[["components", "schemas"]]
        let spec = schemas?["io.k8s.api.apps.v1.DeploymentSpec"]
        #expect(spec?[["properties", "replicas", "type"]] == "integer")
        #expect(spec?[["properties", "replicas", "default"]] == 1)
        #expect(spec?["required"] == ["selector"])
        #expect(
            spec?[["properties", "template", "allOf"]]
                == [["$ref": "#/components/schemas/io.k8s.api.core.v1.PodTemplateSpec"]])
        let containers = schemas?[["io.k8s.api.core.v1.PodSpec", "properties", "containers"]]
        #expect(containers?["x-kubernetes-patch-merge-key"] == "name")
        #expect(containers?["x-kubernetes-patch-strategy"] == "merge")
        #expect(
            schemas?[["io.k8s.api.apps.v1.Deployment", "x-kubernetes-group-version-kind"]]
                == [["group": "apps", "kind": "Deployment", "version": "v1"]])
    }

    @Test("the index changes when a kind is added, and only then")
    func index() {
        let before = OpenAPIDocument.v3Index(.builtIn)
        #expect(before == OpenAPIDocument.v3Index(.builtIn))
        let versions = Set(KindCatalog.builtIn.kinds.map(\.resource.apiVersion))
        #expect(
            before["paths"]?.object?.keys.sorted()
                == versions.map { $0.contains("/") ? "apis/\($0)" : "api/\($0)" }.sorted())
        var catalog = KindCatalog.builtIn
        catalog.add(
            KindSchema(
                ResourceType(group: "apps", version: "v1", kind: "Thing", plural: "things"),
                root: .object("io.example.Thing", doc: "A thing.", [.field("size", .int32, doc: "Its size.")])))
        let path = ["paths", "apis/apps/v1", "serverRelativeURL"]
        #expect(OpenAPIDocument.v3Index(catalog)[path] != before[path])
    }
}

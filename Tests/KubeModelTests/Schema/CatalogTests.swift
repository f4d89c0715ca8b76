import Testing

@testable import KubeModel

@Suite("The catalogue of kinds", .timeLimit(.minutes(5))) struct CatalogTests {
    /// Every declared place of a kind, named types once.
    private func places(of kind: KindSchema) -> [(path: String, schema: Schema)] {
        var found: [(String, Schema)] = []
        var seen: Set<String> = []
        func walk(_ schema: Schema, _ path: String) {
            let schema = schema.resolved
            found.append((path, schema))
            switch schema.shape {
            case .object(let fields):
                if let name = schema.traits.definition, !seen.insert(name).inserted { return }
                for field in fields { walk(field.schema, "\(path).\(field.name)") }
            case .map(let element), .array(let element): walk(element, "\(path)[]")
            default: return
            }
        }
        walk(kind.root, kind.resource.kind)
        return found
    }

    @Test("every default is right by its own schema", arguments: KindCatalog.builtIn.kinds.map(\.resource))
    func defaults(resource: ResourceType) throws {
        for (path, schema) in try places(of: Fixture.kind(resource)) {
            for field in schema.fields {
                guard let value = field.defaultValue else { continue }
                var decoder = SchemaDecoder()
                #expect(throws: Never.self, "\(path).\(field.name)") { try decoder.check(value, field.schema) }
                #expect(decoder.unknownFields.isEmpty, "\(path).\(field.name)")
                if value == [:] { continue }  // Filled by the defaults inside.
                #expect(field.schema.validate(value) == [], "\(path).\(field.name)")
            }
        }
    }

    @Test("every key of a list exists in its elements", arguments: KindCatalog.builtIn.kinds.map(\.resource))
    func listKeys(resource: ResourceType) throws {
        for (path, schema) in try places(of: Fixture.kind(resource)) {
            let traits = schema.traits
            for key in traits.listMapKeys + [traits.patchMergeKey, traits.uniqueKey].compactMap(\.self) {
                #expect(schema.elementSchema?.field(key) != nil, "\(path): \(key)")
            }
        }
    }

    @Test("every member is documented", arguments: KindCatalog.builtIn.kinds.map(\.resource))
    func documentation(resource: ResourceType) throws {
        for (path, schema) in try places(of: Fixture.kind(resource)) {
            for field in schema.fields { #expect(field.doc.hasSuffix("."), "\(path).\(field.name)") }
            if !schema.fields.isEmpty { #expect(schema.traits.doc.hasSuffix("."), "\(path)") }
        }
    }

    @Test("types of one name are one type", arguments: KindCatalog.builtIn.kinds.map(\.resource))
    func definitions(resource: ResourceType) throws {
        var known: [String: [String]] = [:]
        for (path, schema) in try places(of: Fixture.kind(resource)) {
            guard let name = schema.traits.definition else { continue }
            let fields = schema.fields.map(\.name).sorted()
            #expect(known[name] == nil || known[name] == fields, "\(path): \(name)")
            known[name] = fields
        }
    }

    @Test("selectable fields and scale paths exist", arguments: KindCatalog.builtIn.kinds.map(\.resource))
    func paths(resource: ResourceType) throws {
        let kind = try Fixture.kind(resource)
        for field in kind.selectableFields {
            #expect(kind.root[field.split(separator: ".").map(String.init)] != nil, "\(field)")
        }
        for path in [kind.scale?.specReplicas, kind.scale?.statusReplicas, kind.scale?.selector].compactMap(\.self) {
            #expect(kind.root[path] != nil, "\(path)")
        }
    }

    @Test(
        "a sample of each kind survives decoding, writing and reading",
        arguments: KindCatalog.builtIn.kinds.map(\.resource))
    func roundTrip(resource: ResourceType) throws {
        let object = try Fixture.object(resource, Samples.text(of: resource))
        let again = try Fixture.kind(resource).decode(JSONValue(parsing: object.value.encoded))
        #expect(again.unknownFields == [])
        #expect(again.object == object)
        #expect(again.object.value.text == object.value.text)
    }

    @Test(
        "patches know how lists are merged",
        arguments: [
            (["spec", "template", "spec", "containers"], "name", ["merge"]),
            (["spec", "template", "spec", "volumes"], "name", ["merge", "retainKeys"]),
            (["spec", "template", "spec", "containers", "ports"], "containerPort", ["merge"]),
            (["spec", "template", "spec", "containers", "volumeMounts"], "mountPath", ["merge"]),
            (["spec", "template", "spec", "containers", "env"], "name", ["merge"]),
            (["spec", "template", "spec", "containers", "envFrom"], nil, []),
            (["spec", "template", "spec", "containers", "args"], nil, []),
            (["spec", "template", "spec", "tolerations"], nil, []),
            (["spec", "template", "spec", "hostAliases"], "ip", ["merge"]),
            (["spec", "strategy"], nil, ["retainKeys"]),
            (["status", "conditions"], "type", ["merge"]),
            (["metadata", "finalizers"], nil, ["merge"]),
            (["metadata", "ownerReferences"], "uid", ["merge"]),
        ])
    func patchStructure(path: [String], mergeKey: String?, strategies: [String]) throws {
        var place: (any PatchStructure)? = try Fixture.kind(.deployments).root
        for step in path {
            let isList = place?.element != nil
            place = (isList ? place?.element : place)?.member(step)
        }
        #expect(place?.patchMergeKey == mergeKey)
        #expect(place?.patchStrategies == Set(strategies))
    }

    @Test("the ports of a service are merged by port")
    func servicePorts() throws {
        let ports = try Fixture.kind(.services).root.member("spec")?.member("ports")
        #expect(ports?.patchMergeKey == "port")
        #expect(ports?.listMapKeys == ["port", "protocol"])
    }

    @Test("kinds are found by place and by name; unknown ones are not")
    func lookup() {
        let catalog = KindCatalog.builtIn
        #expect(catalog.kind(group: "apps", version: "v1", plural: "deployments")?.resource == .deployments)
        #expect(catalog.kind(apiVersion: "v1", kind: "Pod")?.resource == .pods)
        #expect(catalog.kind(group: "apps", version: "v1", plural: "pods") == nil)
        #expect(catalog.kind(apiVersion: "apps/v1", kind: "Deploymnt") == nil)
    }

    @Test("kinds come and go at run time, also recursive ones")
    func custom() throws {
        let node = Schema.lazy("tree") { CatalogTests.tree }
        let thing = ResourceType(group: "lab.example.com", version: "v1", kind: "Tree", plural: "trees")
        var catalog = KindCatalog.builtIn
        catalog.add(
            KindSchema(
                thing,
                root: MetadataSchemas.kind(
                    "com.example.lab.v1.Tree", doc: "A tree.",
                    [
                        .field("spec", node, doc: "Its root.")
                    ])))
        let kind = try #require(catalog.kind(apiVersion: "lab.example.com/v1", kind: "Tree"))
        let text = #"{"metadata": {"name": "t"}, "spec": {"branches": [{"branches": [{"leaf": 1}], "size": 2}]}}"#
        var (object, unknown) = try kind.decode(Fixture.parse(text))
        #expect(unknown == ["spec.branches[0].branches[0].leaf"])
        kind.applyDefaults(&object)
        #expect(
            object.value["spec"]
                == (try Fixture.parse(#"{"size": 1, "branches": [{"size": 2, "branches": [{"size": 1}]}]}"#)))
        #expect(OpenAPIDocument.v3(group: "lab.example.com", version: "v1", catalog: catalog) != nil)
        catalog.remove(group: "lab.example.com", version: "v1", plural: "trees")
        #expect(catalog.kind(thing) == nil)
        #expect(catalog.kind(.pods) != nil)
    }

    static let tree: Schema = Schema.object(
        "com.example.lab.v1.TreeNode", doc: "A node of a tree.",
        [
            .field("branches", .list(of: .lazy("tree") { CatalogTests.tree }), doc: "Its branches."),
            .field("size", .int32, default: 1, doc: "Its size."),
        ])
}

import KubeModel
import Testing

@Suite("OpenAPI v2") struct SwaggerTests {
    /// Made once: it is large.
    private static let document = SwaggerDocument.make(.builtIn)
    private static let definitions = document["definitions"] ?? [:]

    @Test("every reference leads to a definition, and stands beside nothing that old clients refuse")
    func references() {
        var count = 0
        func walk(_ value: JSONValue) {
            if let reference = value["$ref"]?.string {
                count += 1
                #expect(reference.hasPrefix("#/definitions/"))
                #expect(Self.definitions[String(reference.dropFirst("#/definitions/".count))] != nil, "\(reference)")
                #expect(value["type"] == nil && value["properties"] == nil, "\(reference)")
            }
            #expect(value["oneOf"] == nil && value["allOf"] == nil)
            value.object?.values.forEach(walk)
            value.array?.forEach(walk)
        }
        walk(Self.document["paths"] ?? [:])
        for definition in Self.definitions.object?.values.map({ $0 }) ?? [] {
            for member in definition["properties"]?.object?.values.map({ $0 }) ?? [] { walk(member) }
        }
        #expect(count > 1000)
    }

    @Test("a type carries its kind, its merge keys and its formats")
    func types() {
        #expect(
            Self.definitions[["io.k8s.api.apps.v1.Deployment", "x-kubernetes-group-version-kind"]]
                == [["group": "apps", "kind": "Deployment", "version": "v1"]])
        let spec = Self.definitions[["io.k8s.api.apps.v1.DeploymentSpec", "properties"]]
        #expect(spec?[["strategy", "$ref"]] == "#/definitions/io.k8s.api.apps.v1.DeploymentStrategy")
        #expect(spec?[["strategy", "x-kubernetes-patch-strategy"]] == "retainKeys")
        #expect(spec?[["strategy", "description"]]?.string?.isEmpty == false)
        #expect(spec?[["replicas", "default"]] == nil)
        let containers = Self.definitions[["io.k8s.api.core.v1.PodSpec", "properties", "containers"]]
        #expect(containers?["x-kubernetes-patch-merge-key"] == "name")
        #expect(containers?["x-kubernetes-list-map-keys"] == ["name"])
        #expect(Self.definitions[["io.k8s.apimachinery.pkg.api.resource.Quantity", "type"]] == "string")
        let number = Self.definitions["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]
        #expect(number?["type"] == "string" && number?["format"] == "int-or-string")
    }

    @Test("an operation says what it takes, what it gives, and with which parameters")
    func operations() {
        let item = Self.document[["paths", "/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]]
        let patch = item?["patch"]
        #expect(patch?["x-kubernetes-action"] == "patch")
        #expect(
            patch?["consumes"] == [
                "application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json",
                "application/strategic-merge-patch+json",
            ])
        let parameters = patch?["parameters"]?.array ?? []
        #expect(
            parameters.compactMap { $0["name"]?.string }
                == ["body", "dryRun", "fieldManager", "fieldValidation", "force"])
        #expect(
            parameters.first?["schema"] == ["$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.Patch"])
        #expect(parameters.dropFirst().first?["type"] == "string")
        #expect(item?[["put", "consumes"]] == ["*/*"])
        #expect(
            item?[["put", "responses", "200", "schema", "$ref"]] == "#/definitions/io.k8s.api.apps.v1.Deployment")
        #expect(item?["parameters"]?.array?.compactMap { $0["name"]?.string } == ["name", "namespace", "pretty"])
    }

    private static func published(_ schema: JSONValue) -> JSONValue? {
        var definition = KubeObject(.customResourceDefinitions, name: "widgets.example.com")
        definition.value["spec"] = [
            "group": "example.com", "scope": "Namespaced",
            "names": ["plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"],
            "versions": [
                ["name": "v1", "served": true, "storage": true, "schema": ["openAPIV3Schema": schema]]
            ],
        ]
        definition.value["status"] = [
            "acceptedNames": definition.value[["spec", "names"]] ?? [:],
            "conditions": [["type": "Established", "status": "True"]],
        ]
        var catalog = KindCatalog([])
        for kind in CustomResourceDefinition(definition).kinds { catalog.add(kind) }
        return SwaggerDocument.make(catalog)[["definitions", "com.example.v1.Widget"]]
    }

    @Test("a custom kind is published with its schema, less what old clients cannot read")
    func custom() throws {
        let widget = try #require(
            Self.published([
                "type": "object",
                "properties": [
                    "spec": [
                        "type": "object", "required": ["size", "note"],
                        "properties": [
                            "size": ["type": "integer", "minimum": 1, "anyOf": [["minimum": 2]]],
                            "note": ["type": "string", "nullable": true],
                            "free": [
                                "type": "object", "x-kubernetes-preserve-unknown-fields": true,
                                "properties": ["a": ["type": "string"]],
                            ],
                            "ports": [
                                "type": "array", "x-kubernetes-list-type": "map",
                                "x-kubernetes-list-map-keys": ["name"],
                                "items": ["type": "object", "properties": ["name": ["type": "string"]]],
                            ],
                        ],
                    ]
                ],
            ]))
        #expect(
            widget["x-kubernetes-group-version-kind"]
                == [["group": "example.com", "kind": "Widget", "version": "v1"]])
        #expect(
            widget[["properties", "metadata", "$ref"]]
                == "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")
        let spec = widget[["properties", "spec"]]
        #expect(spec?["required"] == ["size"])
        #expect(spec?[["properties", "size"]] == ["type": "integer", "minimum": 1])
        #expect(spec?[["properties", "note"]] == [:])
        #expect(spec?[["properties", "free"]] == ["x-kubernetes-preserve-unknown-fields": true])
        #expect(spec?[["properties", "ports", "x-kubernetes-list-map-keys"]] == ["name"])
    }

    @Test("a custom kind that keeps unknown members is published without any")
    func free() throws {
        let widget = try #require(Self.published(["type": "object", "x-kubernetes-preserve-unknown-fields": true]))
        #expect(widget["properties"] == nil)
        #expect(widget["type"] == "object")
    }

    @Test("protobuf says the same as JSON")
    func protobuf() throws {
        let document: JSONValue = [
            "swagger": "2.0", "info": ["title": "T", "version": "v"], "paths": [:],
            "definitions": ["a": ["type": "object", "x-b": ["c": 1]]],
        ]
        let bytes = SwaggerProtobuf.encode(document)
        let schema: [UInt8] = [
            0xB2, 0x01, 0x08, 0x0A, 0x06, 0x6F, 0x62, 0x6A, 0x65, 0x63, 0x74,  // type: "object"
            0xFA, 0x01, 0x10, 0x0A, 0x03, 0x78, 0x2D, 0x62,  // vendor extension "x-b"
            0x12, 0x09, 0x12, 0x07,
        ]
        let definition = schema + Array(#"{"c":1}"#.utf8)
        let pair: [UInt8] = [0x0A, 0x01, 0x61, 0x12, UInt8(definition.count)] + definition
        let expected: [UInt8] =
            [0x0A, 0x03] + Array("2.0".utf8) + [0x12, 0x06, 0x0A, 0x01, 0x54, 0x12, 0x01, 0x76, 0x42, 0x00]
            + [0x4A, UInt8(pair.count + 2), 0x0A, UInt8(pair.count)] + pair + [0x6A, 0x00]
        #expect(bytes == expected)
    }
}

/// The URLs of a kind and what can be done there.
struct OpenAPIPaths {
    private let kind: KindSchema

    init(_ kind: KindSchema) { self.kind = kind }

    var items: [(String, JSONValue)] {
        let resource = kind.resource
        let base = resource.group.isEmpty ? "/api/\(resource.version)" : "/apis/\(resource.group)/\(resource.version)"
        let collection =
            resource.isNamespaced
            ? "\(base)/namespaces/{namespace}/\(resource.plural)" : "\(base)/\(resource.plural)"
        var items: [(String, JSONValue)] = [
            (collection, ["get": operation("list"), "post": operation("post", hasBody: true)]),
            ("\(collection)/{name}", object),
        ]
        for subresource in kind.subresources where subresource == "status" || subresource == "scale" {
            items.append(("\(collection)/{name}/\(subresource)", object))
        }
        return items
    }

    private var object: JSONValue {
        [
            "get": operation("get"), "put": operation("put", hasBody: true), "patch": operation("patch", hasBody: true),
            "delete": operation("delete"),
        ]
    }

    /// kubectl looks for `fieldValidation` on the patch of a kind to learn whether the server validates.
    private func operation(_ action: String, hasBody: Bool = false) -> JSONValue {
        let resource = kind.resource
        let reference: JSONValue = ["$ref": .string(OpenAPIComponents.reference + OpenAPIComponents.name(of: kind))]
        var value: JSONValue = [
            "x-kubernetes-action": .string(action),
            "x-kubernetes-group-version-kind": [
                "group": .string(resource.group), "version": .string(resource.version), "kind": .string(resource.kind),
            ],
            "responses": ["200": ["description": "OK", "content": ["application/json": ["schema": reference]]]],
        ]
        if hasBody {
            value["parameters"] = .array(["dryRun", "fieldManager", "fieldValidation"].map(Self.query))
        }
        return value
    }

    private static func query(_ name: String) -> JSONValue {
        ["name": .string(name), "in": "query", "schema": ["type": "string", "uniqueItems": true]]
    }
}

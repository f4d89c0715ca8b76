/// The URLs of a kind, what can be done there, and with which parameters.
struct OpenAPIPaths {
    private let kind: KindSchema

    init(_ kind: KindSchema) { self.kind = kind }

    private var base: String {
        let resource = kind.resource
        return resource.group.isEmpty ? "/api/\(resource.version)" : "/apis/\(resource.group)/\(resource.version)"
    }

    var items: [(String, JSONValue)] {
        let plural = kind.resource.plural
        let isNamespaced = kind.resource.isNamespaced
        let collection = isNamespaced ? "\(base)/namespaces/{namespace}/\(plural)" : "\(base)/\(plural)"
        var items: [(String, JSONValue)] = [
            (collection, collectionItem), ("\(collection)/{name}", objectItem(nil)),
        ]
        if isNamespaced, allows("list") {
            items.append(("\(base)/\(plural)", item(["get": list], isNamespaced: false, isNamed: false)))
        }
        for name in kind.subresources where name == "status" || name == "scale" {
            items.append(("\(collection)/{name}/\(name)", objectItem(name)))
        }
        return items.filter { $0.1.object?.keys.contains { $0 != "parameters" } ?? false }
    }

    private func allows(_ verb: String) -> Bool { kind.verbs.contains(verb) }

    // MARK: Places

    private var collectionItem: JSONValue {
        var operations: [(String, JSONValue)] = []
        if allows("list") { operations.append(("get", list)) }
        if allows("create") {
            operations.append(
                ("post", operation("post", "create", parameters: Self.writing, hasBody: true, codes: [200, 201, 202])))
        }
        if allows("deletecollection") {
            operations.append(
                (
                    "delete",
                    operation(
                        "deletecollection", "deleteCollection", parameters: Self.listing + Self.deleting, hasBody: true,
                        isStatus: true)
                ))
        }
        return item(JSONObject(operations), isNamespaced: kind.resource.isNamespaced, isNamed: false)
    }

    private var list: JSONValue { operation("list", "list", parameters: Self.listing, isList: true) }

    private func objectItem(_ subresource: String?) -> JSONValue {
        var operations: [(String, JSONValue)] = []
        let isScale = subresource == "scale"
        func add(_ method: String, _ verb: String, _ action: String, _ make: () -> JSONValue) {
            if allows(verb) { operations.append((method, make())) }
        }
        add("get", "get", "get") { operation("get", "read", subresource, isScale: isScale) }
        add("put", "update", "put") {
            operation(
                "put", "replace", subresource, parameters: Self.writing, hasBody: true, codes: [200, 201],
                isScale: isScale)
        }
        add("patch", "patch", "patch") {
            operation(
                "patch", "patch", subresource, parameters: Self.writing + [Self.force], hasBody: true,
                codes: [200, 201], isScale: isScale)
        }
        if subresource == nil {
            add("delete", "delete", "delete") {
                operation(
                    "delete", "delete", parameters: Self.deleting, hasBody: true, codes: [200, 202], isStatus: true)
            }
        }
        return item(JSONObject(operations), isNamespaced: kind.resource.isNamespaced, isNamed: true)
    }

    private func item(_ operations: JSONObject, isNamespaced: Bool, isNamed: Bool) -> JSONValue {
        var value = JSONValue.object(operations)
        var parameters: [JSONValue] = []
        if isNamed { parameters.append(Self.place("name", "The name of the object.")) }
        if isNamespaced { parameters.append(Self.place("namespace", "The namespace of the objects.")) }
        parameters.append(Self.query("pretty", "string", "Whether the answer is laid out for people."))
        value["parameters"] = .array(parameters)
        return value
    }

    // MARK: Operations

    /// kubectl looks for `fieldValidation` on the patch of a kind to learn whether the server validates.
    private func operation(
        _ action: String, _ verb: String, _ subresource: String? = nil, parameters: [JSONValue] = [],
        hasBody: Bool = false, codes: [Int] = [200], isList: Bool = false, isStatus: Bool = false, isScale: Bool = false
    ) -> JSONValue {
        let resource = kind.resource
        let own = OpenAPIComponents.reference + OpenAPIComponents.name(of: kind)
        let answer: JSONValue =
            isStatus
            ? Self.reference(ExchangeSchemas.status)
            : isScale ? Self.reference(ScaleKind.schema.root) : ["$ref": .string(isList ? own + "List" : own)]
        let group = resource.group.isEmpty ? "Core" : resource.group.split(separator: ".").first.map(String.init) ?? ""
        let name =
            "\(verb)\(group.capitalizedFirst)\(resource.version.capitalizedFirst)"
            + "\(resource.isNamespaced ? "Namespaced" : "")\(resource.kind)\(subresource?.capitalizedFirst ?? "")"
        let type: JSONValue =
            isScale
            ? ["group": "autoscaling", "version": "v1", "kind": "Scale"]
            : [
                "group": .string(resource.group), "version": .string(resource.version), "kind": .string(resource.kind),
            ]
        var value: JSONValue = ["operationId": .string(name), "tags": [.string("\(group)_\(resource.version)")]]
        if !parameters.isEmpty { value["parameters"] = .array(parameters) }
        if hasBody { value["requestBody"] = body(action, answer, own) }
        var responses: JSONValue = [:]
        for code in codes {
            responses["\(code)"] = [
                "description": .string(code == 200 ? "OK" : code == 201 ? "Created" : "Accepted"),
                "content": ["application/json": ["schema": answer]],
            ]
        }
        responses["401"] = ["description": "Unauthorized"]
        value["responses"] = responses
        value["x-kubernetes-action"] = .string(action)
        value["x-kubernetes-group-version-kind"] = type
        return value
    }

    private func body(_ action: String, _ answer: JSONValue, _ own: String) -> JSONValue {
        switch action {
        case "patch":
            var types = ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json"]
            if kind.custom == nil { types.append("application/strategic-merge-patch+json") }
            let content = JSONObject(types.map { ($0, ["schema": Self.reference(ExchangeSchemas.patch)]) })
            return ["content": .object(content), "required": true]
        case "delete", "deletecollection":
            return ["content": ["application/json": ["schema": Self.reference(ExchangeSchemas.deleteOptions)]]]
        default: return ["content": ["application/json": ["schema": answer]], "required": true]
        }
    }

    private static func reference(_ schema: Schema) -> JSONValue {
        ["$ref": .string(OpenAPIComponents.reference + (schema.traits.definition ?? ""))]
    }

    // MARK: Parameters

    private static func query(_ name: String, _ type: String, _ doc: String) -> JSONValue {
        [
            "name": .string(name), "in": "query", "description": .string(doc),
            "schema": ["type": .string(type), "uniqueItems": true],
        ]
    }

    private static func place(_ name: String, _ doc: String) -> JSONValue {
        [
            "name": .string(name), "in": "path", "description": .string(doc), "required": true,
            "schema": ["type": "string", "uniqueItems": true],
        ]
    }

    private static let dryRun = query("dryRun", "string", "All: everything is done but storing.")

    private static let writing = [
        dryRun, query("fieldManager", "string", "Who writes: the owner of the fields that change."),
        query(
            "fieldValidation", "string",
            "What becomes of members that are unknown or given twice: Ignore, Warn or Strict."),
    ]

    private static let force = query(
        "force", "boolean", "Takes fields over from other managers; only for server-side apply.")

    private static let deleting = [
        dryRun, query("gracePeriodSeconds", "integer", "Seconds that the object gets to end; 0 is at once."),
        query("orphanDependents", "boolean", "An older way to say propagationPolicy Orphan."),
        query(
            "propagationPolicy", "string",
            "What becomes of objects that belong to this one: Orphan, Background or Foreground."),
    ]

    private static let listing = [
        query("allowWatchBookmarks", "boolean", "Whether a watch may tell how far it has come when nothing happens."),
        query("continue", "string", "Where a list in parts goes on, from the part before."),
        query("fieldSelector", "string", "Only objects with these values in their fields."),
        query("labelSelector", "string", "Only objects with these labels."),
        query("limit", "integer", "The most objects of one part of a list."),
        query("resourceVersion", "string", "The revision to list at or to watch from."),
        query("resourceVersionMatch", "string", "How the revision of a list is meant: Exact or NotOlderThan."),
        query("sendInitialEvents", "boolean", "Whether a watch begins with the present objects."),
        query("timeoutSeconds", "integer", "How long the call may take."),
        query("watch", "boolean", "Whether changes are told as they happen, instead of a list."),
    ]
}

extension String {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}

import KubeClient
import KubeModel
import LabTesting
import Testing

@testable import APIServer

/// API servers behind this one.
@Suite("Aggregation", .timeLimit(.minutes(5))) struct AggregatorTests {
    private static let name = "v1alpha1.wardle.example.com"

    private static func apiService(_ change: (inout JSONValue) -> Void = { _ in }) -> KubeObject {
        var object = KubeObject(.apiServices, name: name)
        var spec: JSONValue = [
            "group": "wardle.example.com", "version": "v1alpha1", "groupPriorityMinimum": 2000, "versionPriority": 200,
            "insecureSkipTLSVerify": true, "service": ["namespace": "default", "name": "web"],
        ]
        change(&spec)
        object.value["spec"] = spec
        return object
    }

    private static let list: JSONValue = [
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "wardle.example.com/v1alpha1",
        "resources": [
            [
                "name": "flunders", "singularName": "flunder", "namespaced": true, "kind": "Flunder",
                "verbs": ["get", "list"],
            ],
            ["name": "flunders/status", "singularName": "", "namespaced": true, "kind": "Flunder", "verbs": ["get"]],
        ],
    ]

    /// Runs an action beside another server, whose APIService is available.
    private static func with(
        answer: @escaping @Sendable (WebhookServer.Request) -> WebhookServer.Answer,
        _ action: @escaping @Sendable (_ port: Int) async throws -> Void
    ) async throws {
        let jane = UserInfo(name: "jane", groups: ["system:masters"], extra: ["a/b": ["c"]])
        try await WebhookServer.with(answer: answer) { server in
            try await withServer(tokens: ["secret": jane]) { fixture, _, port in
                try await fixture.makeRunningPod()
                _ = try await fixture.client.create(
                    .services, Fixture.service("web", ["ports": [["name": "https", "port": 443]]]))
                var endpoints = KubeObject(.endpoints, namespace: "default", name: "web")
                endpoints.value["subsets"] = [
                    [
                        "addresses": [
                            ["ip": "10.244.0.7", "targetRef": ["kind": "Pod", "name": "web", "namespace": "default"]]
                        ],
                        "ports": [["name": "https", "port": JSONValue(server.port)]],
                    ]
                ]
                _ = try await fixture.client.create(.endpoints, endpoints)
                _ = try await fixture.client.create(.apiServices, Self.apiService())
                let isThere = try await fixture.client.waitFor(
                    .apiServices, Self.name, in: nil, timeout: .seconds(30)
                ) { Conditions($0?.value[["status", "conditions"]])["Available"]?.reason == "Passed" }
                #expect(isThere)
                try await action(port)
            }
        }
    }

    @Test("a request is passed on in the name of its user, once the server has answered, and discovery shows it")
    func passing() async throws {
        let answer: @Sendable (WebhookServer.Request) -> WebhookServer.Answer = { request in
            if request.uri == "/apis/wardle.example.com/v1alpha1" { return .json(Self.list) }
            let headers = request.headers.filter { $0.key.hasPrefix("x-remote-") || $0.key == "authorization" }
            return .json(["uri": .string(request.uri), "headers": JSONValue(headers)])
        }
        try await Self.with(answer: answer) { port in
            let body = try await Self.get(port, "/apis/wardle.example.com/v1alpha1/flunders?limit=5")
            #expect(body["uri"] == "/apis/wardle.example.com/v1alpha1/flunders?limit=5")
            #expect(body[["headers", "x-remote-user"]] == "jane")
            #expect(body[["headers", "x-remote-extra-a%2fb"]] == "c")
            #expect(body[["headers", "authorization"]] == nil)
            let groups = try await Self.get(port, "/apis")["groups"]?.array ?? []
            #expect(groups.contains { $0["name"] == "wardle.example.com" })
            let group = try await Self.get(port, "/apis/wardle.example.com")
            #expect(group[["preferredVersion", "groupVersion"]] == "wardle.example.com/v1alpha1")
        }
    }

    private static let document = "apis/wardle.example.com/v1alpha1"
    private static let flunder = "com.example.wardle.v1alpha1.Flunder"

    private static let metadata = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

    private static let swagger: JSONValue = [
        "swagger": "2.0",
        "paths": [
            "/apis/wardle.example.com/v1alpha1/flunders": [
                "post": [
                    "consumes": ["application/json"], "produces": ["application/json"],
                    "parameters": [
                        ["in": "body", "name": "body", "schema": ["$ref": .string("#/definitions/\(flunder)")]],
                        ["in": "query", "name": "fieldValidation", "type": "string"],
                    ],
                    "responses": ["200": ["schema": ["$ref": .string("#/definitions/\(flunder)")]]],
                ]
            ],
            "/version/": ["get": ["responses": [:]]],
        ],
        "definitions": [
            flunder: [
                "type": "object", "description": "A flunder.",
                "properties": [
                    "metadata": ["description": "Whose.", "$ref": .string("#/definitions/\(metadata)")]
                ],
                "x-kubernetes-group-version-kind": [
                    ["group": "wardle.example.com", "version": "v1alpha1", "kind": "Flunder"]
                ],
            ],
            metadata: ["type": "object", "description": "Another one."],
            "unused": ["type": "object"],
        ],
    ]

    @Test("types of another server are in both OpenAPI documents, whichever it has itself", arguments: [true, false])
    func openAPI(hasNewer: Bool) async throws {
        let path = "/openapi/v3/apis/wardle.example.com/v1alpha1"
        let answer: @Sendable (WebhookServer.Request) -> WebhookServer.Answer = { request in
            switch request.uri {
            case "/apis/wardle.example.com/v1alpha1": return .json(Self.list)
            case "/openapi/v2": return .json(Self.swagger)
            case "/openapi/v3" where hasNewer:
                return .json([
                    "paths": [
                        "apis/wardle.example.com/v1alpha1": ["serverRelativeURL": .string("\(path)?hash=A")],
                        "version": ["serverRelativeURL": "/openapi/v3/version?hash=B"],
                    ]
                ])
            case "\(path)?hash=A": return .json(["by": .string(request.headers["x-remote-user"] ?? "")])
            default: return .text(404, "404 page not found")
            }
        }
        try await Self.with(answer: answer) { port in
            // The server is asked for its types after it has become available.
            var index: JSONValue?
            repeat { index = try await Self.get(port, "/openapi/v3")["paths"] } while index?[Self.document] == nil
            #expect(index?["apis/apps/v1"] != nil)
            #expect(index?["version"] == nil)
            let address = index?[[Self.document, "serverRelativeURL"]]?.string ?? ""
            #expect(address.hasPrefix("\(path)?hash="))
            let document = try await Self.get(port, address)
            if hasNewer {
                #expect(document["by"] == "system:aggregator")
            } else {
                let schemas = document[["components", "schemas"]]
                #expect(schemas?.object?.keys.contains("unused") == false)
                #expect(
                    schemas?[[Self.flunder, "properties", "metadata"]] == [
                        "description": "Whose.",
                        "allOf": [["$ref": .string("#/components/schemas/\(Self.metadata)")]],
                    ])
                let post = document[["paths", "/apis/wardle.example.com/v1alpha1/flunders", "post"]]
                #expect(
                    post?[["requestBody", "content", "application/json", "schema"]] == [
                        "$ref": .string("#/components/schemas/\(Self.flunder)")
                    ])
                #expect(
                    post?["parameters"] == [["in": "query", "name": "fieldValidation", "schema": ["type": "string"]]])
                #expect(post?[["responses", "200", "content", "application/json", "schema", "$ref"]] != nil)
            }
            let old = try await Self.get(port, "/openapi/v2")
            #expect(old[["paths", "/version/", "get", "responses"]] != [:])
            #expect(old[["definitions", "unused"]] == nil)
            // The name is taken by what this server itself means by it.
            #expect(old[["definitions", Self.metadata, "description"]] != "Another one.")
            #expect(old[["definitions", "\(Self.metadata)_v2", "description"]] == "Another one.")
            #expect(
                old[["definitions", Self.flunder, "properties", "metadata", "$ref"]]
                    == .string("#/definitions/\(Self.metadata)_v2"))
        }
    }

    private static func get(_ port: Int, _ path: String) async throws -> JSONValue {
        try await StreamClient.with(port: port) { client in
            try await client.send(
                "GET \(path) HTTP/1.1\r\nHost: cluster\r\nAuthorization: Bearer secret\r\nX-Remote-User: root\r\n"
                    + "Connection: close\r\n\r\n")
            _ = try await client.readHead()
            let text = String(decoding: try await client.readRest(), as: UTF8.self)
            // The answer may come in chunks; there is one object in it.
            let start = text.firstIndex(of: "{") ?? text.startIndex
            let end = text.lastIndex(of: "}") ?? text.startIndex
            return try JSONValue(parsing: String(text[start...end]))
        }
    }

    @Test("whether a server can be asked depends on its Service and what is behind it")
    func availability() throws {
        let api = try #require(RemoteAPI(Self.apiService()))
        func reason(_ service: JSONValue?, _ endpoints: JSONValue?) -> String {
            func object(_ value: JSONValue?) -> KubeObject? { value.map { KubeObject($0) } }
            let outcome = APIAvailability(api, service: object(service), endpoints: object(endpoints))
            if case .unavailable(let reason, _) = outcome { return reason }
            return "asked"
        }
        let service: JSONValue = ["spec": ["ports": [["name": "https", "port": 443]]]]
        let ready: JSONValue = [
            "subsets": [["addresses": [["ip": "10.244.0.7"]], "ports": [["name": "https", "port": 8443]]]]
        ]
        #expect(reason(nil, nil) == "ServiceNotFound")
        #expect(reason(["spec": ["ports": [["port": 80]]]], nil) == "ServicePortError")
        #expect(reason(service, nil) == "EndpointsNotFound")
        #expect(reason(service, ["subsets": []]) == "MissingEndpoints")
        #expect(reason(service, ready) == "asked")
        #expect(reason(["spec": ["type": "ExternalName"]], nil) == "asked")
    }

    @Test("the resources of others are described as aggregated discovery has them")
    func discovery() throws {
        let api = try #require(RemoteAPI(Self.apiService()))
        let own: JSONValue = [
            "items": [["metadata": ["name": "apps"], "versions": []], ["metadata": ["name": "a.example.com"]]]
        ]
        let merged = AggregatedDiscovery.aggregated(own, [api]) { _ in Self.list }
        let items = merged["items"]?.array ?? []
        // Between the built-in groups and those of definitions, as its priority says.
        #expect(items.map { $0[["metadata", "name"]] } == ["apps", "wardle.example.com", "a.example.com"])
        let version = items[1]["versions"]?.array?.first
        #expect(version?["freshness"] == "Stale")
        let resource = version?["resources"]?.array?.first
        #expect(resource?["resource"] == "flunders")
        #expect(resource?["responseKind"] == ["group": "wardle.example.com", "version": "v1alpha1", "kind": "Flunder"])
        #expect(resource?["subresources"]?.array?.first?["subresource"] == "status")
        #expect(version?["resources"]?.array?.count == 1)
    }

    @Test(
        "an APIService that makes no sense is refused",
        arguments: [
            (
                apiService { $0["version"] = "v2" },
                "metadata.name: Invalid value: \"\(name)\": must be `spec.version+\".\"+spec.group`: "
                    + "\"v2.wardle.example.com\""
            ),
            (
                apiService { $0["groupPriorityMinimum"] = 0 },
                "spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000"
            ),
            (
                apiService { $0["service"] = nil },
                "spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have "
                    + "insecureSkipTLSVerify"
            ),
        ])
    func rules(object: KubeObject, why: String) async throws {
        let fixture = try Fixture()
        let status = try await refusal { _ = try await fixture.client.create(.apiServices, object) }
        #expect(status.message.hasSuffix(" is invalid: \(why)"))
    }
}

import KubeClient
import KubeModel
import LabTesting
import Testing

/// Custom resources in two versions, between which a webhook converts.
@Suite("Conversion webhooks", .timeLimit(.minutes(5))) struct ConversionWebhookTests {
    private static let first = ResourceType(
        group: "stable.example.com", version: "v1", kind: "Machine", plural: "machines")
    private static let second = ResourceType(
        group: "stable.example.com", version: "v2", kind: "Machine", plural: "machines")

    private static func definition(_ server: WebhookServer) -> KubeObject {
        func version(_ name: String, _ properties: JSONValue) -> JSONValue {
            [
                "name": .string(name), "served": true, "storage": .bool(name == "v1"),
                "schema": ["openAPIV3Schema": ["type": "object", "properties": properties]],
            ]
        }
        var object = KubeObject(.customResourceDefinitions, name: "machines.stable.example.com")
        object.value["spec"] = [
            "group": "stable.example.com", "scope": "Namespaced",
            "names": ["plural": "machines", "kind": "Machine"],
            "versions": [
                version("v1", ["hostPort": ["type": "string"]]),
                version("v2", ["host": ["type": "string"], "port": ["type": "string"]]),
            ],
            "conversion": [
                "strategy": "Webhook",
                "webhook": ["conversionReviewVersions": ["v1"], "clientConfig": server.client("/convert")],
            ],
        ]
        return object
    }

    /// Takes `hostPort` apart and puts it together.
    private static func convert(_ request: WebhookServer.Request) -> WebhookServer.Answer {
        let wanted = request.body[["request", "desiredAPIVersion"]] ?? ""
        let objects = (request.body[["request", "objects"]]?.array ?? []).map { object in
            var object = object
            object["apiVersion"] = wanted
            if wanted == "stable.example.com/v2" {
                let parts = object["hostPort"]?.string?.split(separator: ":") ?? []
                object["host"] = parts.first.map { .string(String($0)) }
                object["port"] = parts.last.map { .string(String($0)) }
                object["hostPort"] = nil
            } else {
                object["hostPort"] = .string("\(object["host"]?.string ?? ""):\(object["port"]?.string ?? "")")
                object["host"] = nil
                object["port"] = nil
            }
            return object
        }
        return .json([
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview",
            "response": [
                "uid": request.body[["request", "uid"]] ?? "", "result": ["status": "Success"],
                "convertedObjects": .array(objects),
            ],
        ])
    }

    private static func machine(_ resource: ResourceType, _ name: String, _ fields: JSONValue) -> KubeObject {
        var object = KubeObject(resource, namespace: "default", name: name)
        for (member, value) in fields.object ?? [:] { object.value[member] = value }
        return object
    }

    @Test("objects are read, listed, watched and written in either version")
    func versions() async throws {
        try await WebhookServer.with(answer: Self.convert) { server in
            let fixture = try Fixture()
            _ = try await fixture.client.create(.customResourceDefinitions, Self.definition(server))
            let older = try await fixture.client.create(
                Self.first, Self.machine(Self.first, "a", ["hostPort": "h:1"]))
            #expect(server.requests.isEmpty)
            let read = try await fixture.client.get(Self.second, namespace: "default", name: "a")
            #expect(read.value["host"] == "h")
            #expect(read.value["port"] == "1")
            #expect(read.value["hostPort"] == nil)
            #expect(read.uid == older.uid)
            let made = try await fixture.client.create(
                Self.second, Self.machine(Self.second, "b", ["host": "g", "port": "2"]))
            #expect(made.value["host"] == "g")
            let list = try await fixture.client.list(Self.first, namespace: "default", options: ListOptions()).items
            #expect(list.map { $0.value["hostPort"] } == ["h:1", "g:2"])
            let events = try await fixture.client.watch(Self.second, namespace: "default", options: WatchOptions())
            var hosts: [JSONValue?] = []
            for try await event in events {
                guard case .added(let object) = event else { continue }
                hosts.append(object.value["host"])
                if hosts.count == 2 { break }
            }
            #expect(hosts == ["h", "g"])
        }
    }

    @Test("what the webhook refuses, and what it may not change, is told")
    func faults() async throws {
        let answer: @Sendable (WebhookServer.Request) -> WebhookServer.Answer = { request in
            var objects = request.body[["request", "objects"]]?.array ?? []
            let refuses = objects.first?[["metadata", "name"]] == "no"
            for index in objects.indices {
                objects[index]["apiVersion"] = request.body[["request", "desiredAPIVersion"]]
                objects[index][["metadata", "name"]] = "other"
            }
            return .json([
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "ConversionReview",
                "response": [
                    "uid": request.body[["request", "uid"]] ?? "",
                    "result": refuses ? ["status": "Failed", "message": "not today"] : ["status": "Success"],
                    "convertedObjects": .array(objects),
                ],
            ])
        }
        try await WebhookServer.with(answer: answer) { server in
            let fixture = try Fixture()
            _ = try await fixture.client.create(.customResourceDefinitions, Self.definition(server))
            for name in ["no", "yes"] {
                _ = try await fixture.client.create(Self.first, Self.machine(Self.first, name, [:]))
            }
            let refused = try await refusal {
                _ = try await fixture.client.get(Self.second, namespace: "default", name: "no")
            }
            #expect(refused.code == 500)
            #expect(
                refused.message == "conversion webhook for stable.example.com/v1, Kind=Machine failed: not today")
            let renamed = try await refusal {
                _ = try await fixture.client.get(Self.second, namespace: "default", name: "yes")
            }
            #expect(
                renamed.message
                    == "conversion webhook for stable.example.com/v1, Kind=Machine returned invalid object: "
                    + "must have the same name: yes != other")
        }
    }
}

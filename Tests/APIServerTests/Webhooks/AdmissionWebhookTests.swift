import KubeClient
import KubeModel
import LabTesting
import Testing

@testable import APIServer

/// What becomes of requests about which webhooks are asked.
@Suite("Admission webhooks", .timeLimit(.minutes(5))) struct AdmissionWebhookTests {
    private static func hook(
        _ name: String, _ client: JSONValue, operations: JSONValue = ["*"], resources: JSONValue = ["configmaps"],
        _ more: [String: JSONValue] = [:]
    ) -> JSONValue {
        var hook: JSONValue = [
            "name": .string(name), "clientConfig": client, "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "rules": [
                ["operations": operations, "apiGroups": ["*"], "apiVersions": ["*"], "resources": resources]
            ],
        ]
        for (member, value) in more { hook[member] = value }
        return hook
    }

    private static func configure(
        _ fixture: Fixture, _ hooks: [JSONValue], mutates: Bool = false, name: String = "c"
    ) async throws {
        let resource: ResourceType = mutates ? .mutatingWebhookConfigurations : .validatingWebhookConfigurations
        var object = KubeObject(resource, name: name)
        object.value["webhooks"] = .array(hooks)
        _ = try await fixture.client.create(resource, object)
    }

    private static let denial: JSONValue = [
        "allowed": false, "status": ["message": "not here", "code": 418, "reason": "Teapot"],
    ]

    @Test("a refusal comes with the webhook's name, words, code and reason; what it is told is the whole request")
    func denial() async throws {
        try await WebhookServer.with(answer: { $0.review(Self.denial) }) { server in
            let fixture = try Fixture()
            try await Self.configure(fixture, [Self.hook("no.example.com", server.client("/judge"))])
            let status = try await refusal { _ = try await fixture.makeConfigMap("a", data: ["k": "v"]) }
            #expect(status.code == 418)
            #expect(status.reason == "Teapot")
            #expect(status.message == #"admission webhook "no.example.com" denied the request: not here"#)
            let request = try #require(server.requests.first)
            #expect(request.uri == "/judge?timeout=10s")
            let asked = request.body["request"]
            #expect(request.body["apiVersion"] == "admission.k8s.io/v1")
            #expect(asked?["kind"] == ["group": "", "version": "v1", "kind": "ConfigMap"])
            #expect(asked?["requestResource"] == ["group": "", "version": "v1", "resource": "configmaps"])
            #expect(asked?["operation"] == "CREATE")
            #expect(asked?["name"] == "a")
            #expect(asked?["namespace"] == "default")
            #expect(asked?[["userInfo", "username"]] == "test")
            #expect(asked?[["object", "data"]] == ["k": "v"])
            #expect(asked?["oldObject"] == .null)
            #expect(asked?["dryRun"] == false)
            #expect(asked?[["options", "kind"]] == "CreateOptions")
            #expect(
                try await fixture.client.list(.configMaps, namespace: "default", options: ListOptions()).items.isEmpty)
        }
    }

    @Test("changes and deletions are asked about as well, with the object as it was")
    func operations() async throws {
        try await WebhookServer.with(answer: { $0.review(["allowed": true]) }) { server in
            let fixture = try Fixture()
            var made = try await fixture.makeConfigMap("a", data: ["k": "1"])
            try await Self.configure(fixture, [Self.hook("see.example.com", server.client())])
            made.value["data"] = ["k": "2"]
            _ = try await fixture.client.update(.configMaps, made, subresource: nil, options: WriteOptions())
            try await fixture.client.deleteIfPresent(.configMaps, "a", in: "default")
            let asked = server.requests.compactMap { $0.body["request"] }
            #expect(asked.map { $0["operation"] } == ["UPDATE", "DELETE"])
            #expect(asked.first?[["oldObject", "data", "k"]] == "1")
            #expect(asked.first?[["object", "data", "k"]] == "2")
            #expect(asked.last?["object"] == .null)
            #expect(asked.last?[["oldObject", "data", "k"]] == "2")
            #expect(asked.last?[["options", "kind"]] == "DeleteOptions")
        }
    }

    @Test("a patch is applied, what it adds is completed, and what the kind does not know is left out")
    func mutation() async throws {
        let patch: JSONValue = [
            [
                "op": "add", "path": "/spec/containers/-",
                "value": ["name": "side", "image": "side:1.0", "nonsense": 1],
            ]
        ]
        try await WebhookServer.with(answer: { $0.review(WebhookServer.Request.patch(patch)) }) { server in
            let fixture = try Fixture()
            try await Self.configure(
                fixture, [Self.hook("add.example.com", server.client(), operations: ["CREATE"], resources: ["pods"])],
                mutates: true)
            let pod = try await fixture.makePod("a")
            let side = pod.value[["spec", "containers"]]?.array?.last
            #expect(side?["name"] == "side")
            #expect(side?["terminationMessagePath"] == "/dev/termination-log")
            #expect(side?["nonsense"] == nil)
            #expect(server.requests.first?.object.uid == "")
        }
    }

    @Test("a webhook that fails stops the request or lets it pass, as its policy says")
    func failurePolicy() async throws {
        let fixture = try Fixture()
        let port = try UnheardPort()
        let client: JSONValue = ["url": .string("https://127.0.0.1:\(port.number)/x")]
        try await Self.configure(
            fixture, [Self.hook("may.example.com", client, ["failurePolicy": "Ignore"])], name: "ignored")
        _ = try await fixture.makeConfigMap("a")
        try await Self.configure(fixture, [Self.hook("must.example.com", client)])
        let status = try await refusal { _ = try await fixture.makeConfigMap("b") }
        #expect(status.code == 500)
        #expect(status.reason == "InternalError")
        #expect(
            status.message
                == #"Internal error occurred: failed calling webhook "must.example.com": failed to call webhook: "#
                + #"Post "https://127.0.0.1:\#(port.number)/x?timeout=10s": dial tcp 127.0.0.1:\#(port.number): "#
                + "connect: connection refused")
    }

    @Test("a webhook that does not answer in its time has failed", arguments: ["Fail", "Ignore"])
    func timeout(policy: String) async throws {
        let silence = WebhookServer.Answer(body: [], end: .silence)
        try await WebhookServer.with(answer: { _ in silence }) { server in
            let fixture = try Fixture()
            let more: [String: JSONValue] = ["failurePolicy": .string(policy), "timeoutSeconds": 1]
            try await Self.configure(fixture, [Self.hook("late.example.com", server.client("/x"), more)])
            guard policy == "Fail" else {
                _ = try await fixture.makeConfigMap("a")
                #expect(server.requests.map(\.uri) == ["/x?timeout=1s"])
                return
            }
            let status = try await refusal { _ = try await fixture.makeConfigMap("a") }
            #expect(status.code == 500)
            #expect(
                status.message
                    == #"Internal error occurred: failed calling webhook "late.example.com": failed to call webhook: "#
                    + #"Post "\#(server.url)/x?timeout=1s": context deadline exceeded"#)
            #expect(status.value[["details", "causes"]]?.array?.count == 1)
        }
    }

    @Test("a webhook whose certificate is of somebody else is not believed")
    func strangers() async throws {
        try await WebhookServer.with(answer: { $0.review(["allowed": true]) }) { server in
            let fixture = try Fixture()
            var client = server.client()
            client["caBundle"] = .string(SecretText.encode(try PKI.make().authorityCertificate))
            try await Self.configure(fixture, [Self.hook("who.example.com", client)])
            let status = try await refusal { _ = try await fixture.makeConfigMap("a") }
            #expect(
                status.message.hasSuffix(
                    "tls: failed to verify certificate: x509: certificate signed by unknown authority"))
        }
    }

    @Test(
        "an answer that is none is told",
        arguments: [
            (WebhookServer.Answer.text(404, "nothing"), "the server could not find the requested resource"),
            (.text(500, "boom\n"), #"an error on the server ("boom") has prevented the request from succeeding"#),
        ])
    func noAnswer(answer: WebhookServer.Answer, why: String) async throws {
        try await WebhookServer.with(answer: { _ in answer }) { server in
            let fixture = try Fixture()
            try await Self.configure(fixture, [Self.hook("odd.example.com", server.client())])
            let status = try await refusal { _ = try await fixture.makeConfigMap("a") }
            #expect(
                status.message
                    == #"Internal error occurred: failed calling webhook "odd.example.com": failed to call webhook: "#
                    + why)
        }
    }

    @Test("only objects in the namespaces and with the labels that the webhook wants are asked about")
    func selectors() async throws {
        try await WebhookServer.with(answer: { $0.review(["allowed": true]) }) { server in
            let fixture = try Fixture()
            let hooks = [
                Self.hook(
                    "a.example.com", server.client("/space"),
                    ["namespaceSelector": ["matchLabels": ["kubernetes.io/metadata.name": "kube-public"]]]),
                Self.hook("b.example.com", server.client("/label"), ["objectSelector": ["matchLabels": ["x": "y"]]]),
            ]
            try await Self.configure(fixture, hooks)
            _ = try await fixture.makeConfigMap("plain")
            _ = try await fixture.makeConfigMap("labelled", labels: ["x": "y"])
            _ = try await fixture.makeConfigMap("public", in: "kube-public")
            #expect(server.requests.map { $0.uri.prefix { $0 != "?" } } == ["/label", "/space"])
        }
    }

    @Test("a request that does not meet the webhook's conditions is none of its business")
    func conditions() async throws {
        try await WebhookServer.with(answer: { $0.review(Self.denial) }) { server in
            let fixture = try Fixture()
            let condition: JSONValue = [
                "name": "not-free", "expression": "request.operation == 'CREATE' && object.metadata.name != 'free'",
            ]
            try await Self.configure(
                fixture, [Self.hook("some.example.com", server.client(), ["matchConditions": [condition]])])
            _ = try await fixture.makeConfigMap("free")
            #expect(server.requests.isEmpty)
            _ = try await refusal { _ = try await fixture.makeConfigMap("bound") }
            #expect(server.requests.count == 1)
        }
    }

    @Test("a dry run is refused where the webhook does more than answer, and is told to the others")
    func dryRun() async throws {
        try await WebhookServer.with(answer: { $0.review(["allowed": true]) }) { server in
            let fixture = try Fixture()
            try await Self.configure(fixture, [Self.hook("dry.example.com", server.client())])
            var options = WriteOptions()
            options.isDryRun = true
            let object = KubeObject(.configMaps, namespace: "default", name: "a")
            _ = try await fixture.client.create(.configMaps, object, options: options)
            #expect(server.requests.first?.body[["request", "dryRun"]] == true)
            let fault = WebhookFault.dryRunUnsupported("wet.example.com").refusal("wet.example.com")
            #expect(fault.code == 400)
            #expect(fault.message == #"admission webhook "wet.example.com" does not support dry run"#)
        }
    }

    @Test("a probe over HTTPS reaches a program whatever its certificate")
    func probes() async throws {
        try await WebhookServer.with(answer: { _ in .text(200, "well") }) { server in
            let socket = try await ProcessAgent().connect(to: MemoryCluster.pod("a"), port: server.port)
            let answer = try await HTTPFetch.get(
                connectedSocket: socket, isTLS: true, host: "pod", path: "/readyz", timeout: .seconds(30))
            #expect(answer.text == "well")
            #expect(server.requests.map(\.uri) == ["/readyz"])
        }
    }

    @Test("configurations of webhooks are never sent to webhooks")
    func exempt() async throws {
        try await WebhookServer.with(answer: { $0.review(Self.denial) }) { server in
            let fixture = try Fixture()
            try await Self.configure(fixture, [Self.hook("all.example.com", server.client(), resources: ["*/*"])])
            try await fixture.client.deleteIfPresent(.validatingWebhookConfigurations, "c", in: nil)
            _ = try await fixture.makeConfigMap("a")
            #expect(server.requests.isEmpty)
        }
    }

    @Test("a rule for one version concerns the other as well, unless it is to match exactly")
    func equivalents() async throws {
        try await WebhookServer.with(answer: { $0.review(["allowed": true]) }) { server in
            let fixture = try Fixture()
            func rule(_ policy: JSONValue) -> [String: JSONValue] {
                [
                    "matchPolicy": policy,
                    "rules": [
                        [
                            "operations": ["CREATE"], "apiGroups": ["autoscaling"], "apiVersions": ["v1"],
                            "resources": ["horizontalpodautoscalers"],
                        ]
                    ],
                ]
            }
            let hooks = [
                Self.hook("a.example.com", server.client("/equivalent"), rule("Equivalent")),
                Self.hook("b.example.com", server.client("/exact"), rule("Exact")),
            ]
            try await Self.configure(fixture, hooks)
            var object = KubeObject(.horizontalPodAutoscalers, namespace: "default", name: "a")
            object.value["spec"] = [
                "maxReplicas": 3, "scaleTargetRef": ["kind": "Deployment", "name": "d", "apiVersion": "apps/v1"],
                "metrics": [
                    [
                        "type": "Resource",
                        "resource": ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": 50]],
                    ]
                ],
            ]
            _ = try await fixture.client.create(.horizontalPodAutoscalers, object)
            let asked = server.requests.map(\.body)
            #expect(server.requests.map { $0.uri.prefix { $0 != "?" } } == ["/equivalent"])
            #expect(asked.first?[["request", "kind", "version"]] == "v1")
            #expect(asked.first?[["request", "requestKind", "version"]] == "v2")
            #expect(asked.first?[["request", "object", "spec", "targetCPUUtilizationPercentage"]] == 50)
        }
    }

    @Test("webhooks are asked in the order of their configurations, and again when others came after them")
    func order() async throws {
        let answer: @Sendable (WebhookServer.Request) -> WebhookServer.Answer = { request in
            let name = String(request.uri.dropFirst().prefix { $0 != "?" })
            let before = request.object.value[["data", "seen"]]?.string ?? ""
            return request.review(
                WebhookServer.Request.patch([
                    ["op": "add", "path": "/data/seen", "value": .string(before + name)]
                ]))
        }
        try await WebhookServer.with(answer: answer) { server in
            let fixture = try Fixture()
            try await Self.configure(
                fixture, [Self.hook("z.example.com", server.client("/3"))], mutates: true, name: "z")
            try await Self.configure(
                fixture,
                [
                    Self.hook("b.example.com", server.client("/1"), ["reinvocationPolicy": "IfNeeded"]),
                    Self.hook("a.example.com", server.client("/2")),
                ], mutates: true, name: "a")
            let made = try await fixture.makeConfigMap("a", data: ["k": "v"])
            #expect(made.value[["data", "seen"]] == "1231")
        }
    }

    @Test("a webhook whose certificate has other names is not believed, and it is told which it has")
    func otherName() async throws {
        try await WebhookServer.with(answer: { $0.review(["allowed": true]) }) { server in
            let fixture = try Fixture()
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
            let client: JSONValue = [
                "caBundle": .string(server.bundle), "service": ["namespace": "default", "name": "web"],
            ]
            try await Self.configure(fixture, [Self.hook("in.example.com", client)])
            let status = try await refusal { _ = try await fixture.makeConfigMap("a") }
            let why = "tls: failed to verify certificate: x509: certificate is valid for "
            #expect(status.message.contains(why))
            #expect(status.message.contains("kubernetes.default.svc"))
            #expect(status.message.hasSuffix(", not web.default.svc"))
        }
    }

    @Test("a webhook behind a Service is reached at a ready pod, by the Service's name")
    func service() async throws {
        try await WebhookServer.with(answer: { $0.review(Self.denial) }) { server in
            let fixture = try Fixture()
            try await fixture.makeRunningPod()
            var endpoints = KubeObject(.endpoints, namespace: "default", name: "kubernetes")
            endpoints.value["subsets"] = [
                [
                    "addresses": [
                        ["ip": "10.244.0.7", "targetRef": ["kind": "Pod", "name": "web", "namespace": "default"]]
                    ],
                    "ports": [["name": "https", "port": JSONValue(server.port)]],
                ]
            ]
            _ = try await fixture.client.create(.endpoints, endpoints)
            // The server's certificate has the names of this Service.
            let client: JSONValue = [
                "caBundle": .string(server.bundle),
                "service": ["namespace": "default", "name": "kubernetes", "path": "/in"],
            ]
            try await Self.configure(fixture, [Self.hook("in.example.com", client)])
            let status = try await refusal { _ = try await fixture.makeConfigMap("a") }
            #expect(status.message == #"admission webhook "in.example.com" denied the request: not here"#)
            #expect(server.requests.first?.headers["host"] == "kubernetes.default.svc:443")
        }
    }
}

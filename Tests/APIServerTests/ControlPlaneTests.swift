import KubeClient
import KubeModel
import LabTesting
import Testing

@testable import APIServer

/// What the server tells about itself and its neighbours, and the oldest ways to ask.
@Suite("The control plane as an API", .timeLimit(.minutes(5))) struct ControlPlaneTests {
    private let fixture: Fixture
    private let pipeline: RequestPipeline

    init() throws {
        fixture = try Fixture()
        pipeline = RequestPipeline(registry: fixture.server.registry)
    }

    private func send(
        _ method: String, _ uri: String, contentType: String = "application/json", _ body: String = ""
    ) async throws -> (code: Int, value: JSONValue, headers: [(name: String, value: String)]) {
        let admin = UserInfo(name: "admin", groups: ["system:masters"])
        let response = await pipeline.respond(
            to: APIRequest(method, uri, contentType: contentType, body: Array(body.utf8), user: admin))
        return (response.code, try JSONValue(parsing: response.bytes), response.headers)
    }

    @Test("every part of the control plane is healthy, and the question is out of date")
    func componentStatuses() async throws {
        let list = try await send("GET", "/api/v1/componentstatuses")
        let names = list.value["items"]?.array?.compactMap { $0[["metadata", "name"]]?.string }
        #expect(names == ["controller-manager", "etcd-0", "scheduler"])
        #expect(list.headers.contains { $0.value == "299 - \"v1 ComponentStatus is deprecated in v1.19+\"" })
        let one = try await send("GET", "/api/v1/componentstatuses/scheduler")
        #expect(one.value["conditions"] == [["type": "Healthy", "status": "True", "message": "ok"]])
    }

    private func binding(_ name: String, target: String) -> String {
        #"{"apiVersion":"v1","kind":"Binding","metadata":{"name":"\#(name)"},"target":\#(target)}"#
    }

    @Test("a pod is bound by the collection of bindings, too", arguments: ["bindings", "pods/a/binding"])
    func bind(path: String) async throws {
        try await fixture.makePod("a")
        let path = "/api/v1/namespaces/default/\(path)"
        let bound = try await send("POST", path, binding("a", target: #"{"kind":"Node","name":"n1"}"#))
        #expect(bound.code == 201)
        #expect(bound.value["kind"] == "Status" && bound.value["status"] == "Success")
        let pod = try await fixture.client.get(.pods, "a", in: "default")
        #expect(pod.value[["spec", "nodeName"]] == "n1")
        let again = try await send("POST", path, binding("a", target: #"{"kind":"Node","name":"n2"}"#))
        #expect(again.code == 409)
    }

    @Test(
        "a binding that says nothing useful is refused in Kubernetes' words",
        arguments: [
            ("a", "{}", 500, "target.name: Required value"),
            (
                "a", #"{"kind":"Pod","name":"x"}"#, 500,
                #"target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>""#
            ),
            ("b", #"{"name":"n1"}"#, 400, "name in URL does not match name in Binding object"),
        ])
    func badBinding(name: String, target: String, code: Int, message: String) async throws {
        try await fixture.makePod("a")
        let refused = try await send(
            "POST", "/api/v1/namespaces/default/pods/a/binding", binding(name, target: target))
        #expect(refused.code == code)
        #expect(refused.value["message"] == .string(message))
    }

    @Test("the Service kubernetes leads to where the server listens")
    func serverAddress() async throws {
        try await withServer { fixture, _, port in
            _ = try await fixture.client.waitFor(.endpointSlices, namespace: "default", timeout: .seconds(40)) {
                !$0.isEmpty
            }
            let slice = try await fixture.client.get(.endpointSlices, "kubernetes", in: "default")
            #expect(slice.labels == ["kubernetes.io/service-name": "kubernetes"])
            #expect(slice.value[["ports"]] == [["name": "https", "port": JSONValue(port), "protocol": "TCP"]])
            let endpoints = try await fixture.client.get(.endpoints, "kubernetes", in: "default")
            #expect(endpoints.value.text.contains(#""addresses":[{"ip":"127.0.0.1"}]"#))
            let versions = await RequestPipeline(registry: fixture.server.registry).respond(
                to: APIRequest("GET", "/api", user: UserInfo(name: "admin", groups: ["system:masters"])))
            #expect(String(decoding: try versions.bytes, as: UTF8.self).contains("127.0.0.1:\(port)"))
        }
    }

    @Test("bodies may be YAML for create, update and apply, and so may answers")
    func yaml() async throws {
        let path = "/api/v1/namespaces/default/configmaps"
        let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: w}\n"
        let created = try await send("POST", path, contentType: "application/yaml", yaml)
        #expect(created.code == 201)
        #expect(created.value["data"] == ["k": "w"])
        let updated = try await send(
            "PUT", "\(path)/a", contentType: "application/yaml", "metadata: {name: a}\ndata: {k: x}\n")
        #expect(updated.value["data"] == ["k": "x"])
        let applied = try await send(
            "PATCH", "\(path)/a?fieldManager=me&force=1", contentType: "application/apply-patch+yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: z}\n")
        #expect(applied.value["data"] == ["k": "z"])
        let refused = try await send("POST", path, contentType: "application/yaml", "a: [1")
        #expect(refused.code == 400)
    }
}

import KubeClient
import KubeModel
import LabTesting
import ObjectStore
import Testing

@testable import APIServer

/// Requests as the network would bring them, without the network.
@Suite("Requests and answers", .timeLimit(.minutes(5))) struct PipelineTests {
    private let fixture: Fixture
    private let pipeline: RequestPipeline
    private static let admin = UserInfo(name: "admin", groups: ["system:masters"])

    init() throws {
        fixture = try Fixture()
        pipeline = RequestPipeline(registry: fixture.server.registry)
    }

    private struct Answer {
        let code: Int
        let headers: [String: String]
        let text: String
        var value: JSONValue { (try? JSONValue(parsing: text)) ?? .null }
    }

    private func send(
        _ method: String, _ uri: String, accept: String? = nil, contentType: String? = "application/json",
        _ body: String = "", user: UserInfo? = admin
    ) async throws -> Answer {
        let response = await pipeline.respond(
            to: APIRequest(
                method, uri, accept: accept, contentType: contentType, body: Array(body.utf8), user: user))
        guard case .bytes(let bytes) = response.body else { throw Unrefused() }
        return Answer(
            code: response.code,
            headers: Dictionary(response.headers.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 }),
            text: String(decoding: bytes, as: UTF8.self))
    }

    private static let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    private static let discovery = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

    @Test("the version is 1.32 and is never cached")
    func version() async throws {
        let answer = try await send("GET", "/version?timeout=5s")
        #expect(answer.value["minor"] == "32")
        #expect(answer.value["major"] == "1")
        #expect(answer.headers["Cache-Control"] == "no-cache, private")
    }

    @Test("strangers may ask for health and version only", arguments: ["/healthz", "/livez", "/readyz", "/version"])
    func anonymous(path: String) async throws {
        #expect(try await send("GET", path, user: .anonymous).code == 200)
        let refused = try await send("GET", "/api/v1/pods", user: .anonymous)
        #expect(refused.code == 401)
        #expect(refused.value["message"] == "Unauthorized")
    }

    @Test("a token that is not known is refused everywhere")
    func unknownToken() async throws {
        #expect(try await send("GET", "/version", user: nil).code == 401)
    }

    @Test("discovery is told in one piece to those who know that form")
    func discovery() async throws {
        let groups = try await send("GET", "/apis", accept: Self.discovery)
        #expect(groups.headers["Content-Type"] == Self.discovery)
        #expect(groups.value["kind"] == "APIGroupDiscoveryList")
        #expect(try await send("GET", "/apis", accept: "application/json").value["kind"] == "APIGroupList")
        #expect(try await send("GET", "/api").value["kind"] == "APIVersions")
        #expect(try await send("GET", "/api/v1").value["kind"] == "APIResourceList")
        #expect(try await send("GET", "/apis/apps/v1").value["groupVersion"] == "apps/v1")
    }

    @Test("OpenAPI documents are where the index says, under a tag")
    func openAPI() async throws {
        let swagger = try await send("GET", "/openapi/v2")
        #expect(swagger.value["swagger"] == "2.0")
        #expect(swagger.headers["Content-Type"] == "application/json")
        let asked = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
        let protobuf = try await send("GET", "/openapi/v2", accept: asked)
        #expect(protobuf.headers["Content-Type"] == asked.replacing("@", with: "."))
        #expect(protobuf.text.utf8.starts(with: [0x0A, 0x03, 0x32, 0x2E, 0x30]))
        #expect(try await send("GET", "/openapi/v2", accept: "text/html").code == 406)
        let index = try await send("GET", "/openapi/v3")
        let url = try #require(index.value[["paths", "apis/apps/v1", "serverRelativeURL"]]?.string)
        let document = try await send("GET", url)
        #expect(document.value["openapi"] == "3.0.0")
        #expect(document.headers["ETag"]?.isEmpty == false)
    }

    @Test(
        "what is not there is answered as Kubernetes does",
        arguments: [
            ("/api/v1/namespaces/default/pods/nosuch", "pods \"nosuch\" not found"),
            ("/api/v1/nosuch", "the server could not find the requested resource"),
            ("/apis/apps/v1/namespaces/default/nosuch/x", "the server could not find the requested resource"),
        ])
    func notFound(path: String, message: String) async throws {
        let answer = try await send("GET", path)
        #expect(answer.code == 404)
        #expect(answer.value["message"]?.string == message)
        #expect(answer.value["reason"] == "NotFound")
    }

    @Test("a path outside the API is a plain 404")
    func unknownPath() async throws {
        let answer = try await send("GET", "/nosuch")
        #expect(answer.code == 404)
        #expect(answer.text == "404 page not found\n")
    }

    @Test("a created object answers 201 and unknown fields come back as warnings")
    func createWithWarning() async throws {
        let answer = try await send(
            "POST", "/api/v1/namespaces/default/configmaps?fieldValidation=Warn",
            #"{"metadata":{"name":"a"},"datta":{},"data":{"k":"1","k":"2"}}"#)
        #expect(answer.code == 201)
        #expect(answer.headers["Warning"] == #"299 - "duplicate field \"data.k\"""#)
        #expect(answer.value["data"] == ["k": "2"])
    }

    @Test("duplicate and unknown fields are errors under Strict")
    func strict() async throws {
        let answer = try await send(
            "POST", "/api/v1/namespaces/default/configmaps?fieldValidation=Strict",
            #"{"metadata":{"name":"a"},"datta":{},"data":{"k":"1","k":"2"}}"#)
        #expect(answer.code == 400)
        #expect(
            answer.value["message"]?.string
                == #"ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: "#
                + #"unknown field "datta", duplicate field "data.k""#)
    }

    @Test(
        "a body that cannot be read is a bad request",
        arguments: [
            (#"{"metadata":"#, "the object provided is unrecognized (must be of type ConfigMap)"),
            ("", "the object provided is unrecognized (must be of type ConfigMap)"),
            (#"{"kind":"Secret"}"#, "Secret in version \"v1\" cannot be handled as a ConfigMap"),
            (
                #"{"apiVersion":"apps/v1"}"#,
                "the API version in the data (apps/v1) does not match the expected API version (v1)"
            ),
            (#"{"metadata":{"name":"a","namespace":"b"}}"#, "the namespace of the provided object does not match"),
        ])
    func badBody(body: String, message: String) async throws {
        let answer = try await send("POST", "/api/v1/namespaces/default/configmaps", body)
        #expect(answer.code == 400)
        #expect(answer.value["message"]?.string?.hasPrefix(message) == true, "\(answer.text)")
    }

    @Test("media types and methods that are not served are named so")
    func mediaTypes() async throws {
        let yaml = try await send(
            "POST", "/api/v1/namespaces/default/configmaps", contentType: "application/xml", "<a/>")
        #expect(yaml.code == 415)
        let patch = try await send(
            "PATCH", "/api/v1/namespaces/default/configmaps/a", contentType: "application/json", "{}")
        #expect(patch.code == 415)
        #expect(try await send("GET", "/api/v1/pods", accept: "application/xml").code == 406)
        #expect(try await send("PUT", "/api/v1/namespaces/default/configmaps", "{}").code == 405)
    }

    @Test("a table has a cell for every column and the metadata of its objects")
    func tables() async throws {
        try await fixture.makePod("a")
        let table = try await send("GET", "/api/v1/namespaces/default/pods?limit=500", accept: Self.table).value
        #expect(table["kind"] == "Table")
        let row = try #require(table["rows"]?.array?.first)
        #expect(row["cells"]?.array?.count == table["columnDefinitions"]?.array?.count)
        #expect(row["cells"]?.array?.prefix(3) == ["a", "0/1", "Pending"])
        #expect(row[["object", "kind"]] == "PartialObjectMetadata")
        let one = try await send(
            "GET", "/api/v1/namespaces/default/pods/a?includeObject=Object", accept: Self.table
        ).value
        #expect(one["rows"]?.array?.first?[["object", "kind"]] == "Pod")
    }

    @Test("a list says what remains and goes on with its token")
    func remaining() async throws {
        for name in ["a", "b", "c"] { _ = try await fixture.makeConfigMap(name) }
        let first = try await send("GET", "/api/v1/namespaces/default/configmaps?limit=2").value
        #expect(first["kind"] == "ConfigMapList")
        #expect(first[["metadata", "remainingItemCount"]] == 1)
        let token = try #require(first[["metadata", "continue"]]?.string)
        let rest = try await send("GET", "/api/v1/namespaces/default/configmaps?limit=2&continue=\(token)").value
        #expect(rest["items"]?.array?.compactMap { KubeObject($0).name } == ["c"])
        #expect(rest[["metadata", "resourceVersion"]] == first[["metadata", "resourceVersion"]])
    }

    @Test("a deletion answers Success with details, a pod's with the pod")
    func deletion() async throws {
        _ = try await fixture.client.create(.deployments, MemoryCluster.deployment("web"))
        let gone = try await send("DELETE", "/apis/apps/v1/namespaces/default/deployments/web").value
        #expect(gone["status"] == "Success")
        #expect(gone[["details", "kind"]] == "deployments")
        try await fixture.makePod("a", node: "n1")
        let marked = try await send(
            "DELETE", "/api/v1/namespaces/default/pods/a", #"{"gracePeriodSeconds":7}"#
        ).value
        #expect(marked[["metadata", "deletionGracePeriodSeconds"]] == 7)
    }

    @Test("one can ask who one is and what one may do")
    func reviews() async throws {
        let who = try await send("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", "{}")
        #expect(who.code == 201)
        #expect(who.value[["status", "userInfo", "username"]] == "admin")
        let may = try await send(
            "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            #"{"spec":{"resourceAttributes":{"verb":"get","resource":"pods"}}}"#)
        #expect(may.value[["status", "allowed"]] == true)
        #expect(may.value[["spec", "resourceAttributes", "verb"]] == "get")
    }

    @Test("a quiet watch is brought to the present, and passes nothing over")
    func catchUp() async throws {
        try await fixture.server.registry.prepare()
        let kind = try fixture.server.registry.kind(of: .pods)
        var cursor = try await WatchCursor(
            fixture.server.registry, kind, namespace: nil, WatchQuery(resourceVersion: "1"))
        for name in ["a", "b", "c"] { _ = try await fixture.makeConfigMap(name) }
        cursor.wake()
        #expect(try await cursor.next().isEmpty)
        #expect(cursor.revision == fixture.store.revision)
        try await fixture.makePod("p")
        #expect(try await cursor.next().map(\.object.name) == ["p"])
        #expect(cursor.revision == fixture.store.revision)
    }

    @Test("a collection is deleted by selector")
    func deleteCollection() async throws {
        _ = try await fixture.makeConfigMap("a", labels: ["x": "1"])
        _ = try await fixture.makeConfigMap("b")
        _ = try await send("DELETE", "/api/v1/namespaces/default/configmaps?labelSelector=x%3D1")
        #expect(try await fixture.client.list(.configMaps, in: "default").items.map(\.name) == ["b"])
    }

    @Test("server-side apply wants to know the manager")
    func applyNeedsManager() async throws {
        let path = "/api/v1/namespaces/default/configmaps/a"
        let body = #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}"#
        let refused = try await send("PATCH", path, contentType: "application/apply-patch+yaml", body)
        #expect(refused.code == 422)
        let made = try await send(
            "PATCH", path + "?fieldManager=me", contentType: "application/apply-patch+yaml", body)
        #expect(made.code == 201)
    }

    @Test("a watch sends lines, table columns only once, and an error when it is too late")
    func watch() async throws {
        let old = try await fixture.client.list(.configMaps).resourceVersion
        _ = try await fixture.makeConfigMap("a")
        _ = try await fixture.makeConfigMap("b")
        let response = await pipeline.respond(
            to: APIRequest(
                "GET", "/api/v1/configmaps?watch=true&resourceVersion=\(old)", accept: Self.table, user: Self.admin))
        let lines = try await response.lines(2)
        #expect(lines.map { $0["type"] } == ["ADDED", "ADDED"])
        #expect(lines[0][["object", "columnDefinitions"]]?.array != nil)
        #expect(lines[1][["object", "columnDefinitions"]] == .null)
    }

    @Test("a watch that asks for bookmarks gets one with its last breath")
    func watchTimeout() async throws {
        let response = await pipeline.respond(
            to: APIRequest(
                "GET", "/api/v1/pods?watch=true&resourceVersion=1&allowWatchBookmarks=true&timeoutSeconds=1",
                user: Self.admin))
        let lines = try await response.lines(10)
        #expect(lines.count == 1)
        #expect(lines.first?["type"] == "BOOKMARK")
        #expect(lines.first?[["object", "kind"]] == "Pod")
    }

    @Test("a watch list ends its first part with a marked bookmark")
    func watchList() async throws {
        _ = try await fixture.makeConfigMap("a")
        let uri =
            "/api/v1/configmaps?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
        let response = await pipeline.respond(to: APIRequest("GET", uri, user: Self.admin))
        let last = try #require(try await response.lines(2).last)
        #expect(last["type"] == "BOOKMARK")
        #expect(last[["object", "metadata", "annotations", "k8s.io/initial-events-end"]] == "true")
    }
}

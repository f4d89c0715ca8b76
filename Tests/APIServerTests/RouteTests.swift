import KubeModel
import ObjectStore
import Testing

@testable import APIServer

@Suite("Paths, parameters and media types") struct RouteTests {
    private static func resource(
        _ group: String, _ plural: String, namespace: String? = nil, name: String? = nil, subresource: String? = nil
    ) -> Route? {
        let parts = (namespace.map { ["namespaces", $0] } ?? []) + [plural] + [name, subresource].compactMap { $0 }
        return ResourcePath(group: group, version: "v1", parts[...]).map(Route.resource)
    }

    @Test(
        "a path names what it says",
        arguments: [
            ("/api/v1/pods", resource("", "pods")),
            ("/api/v1/namespaces/a/pods/p/log", resource("", "pods", namespace: "a", name: "p", subresource: "log")),
            ("/api/v1/nodes/n", resource("", "nodes", name: "n")),
            ("/api/v1/namespaces/a", resource("", "namespaces", name: "a")),
            ("/api/v1/namespaces/a/finalize", resource("", "namespaces", name: "a", subresource: "finalize")),
            ("/apis/apps/v1/namespaces/a/deployments", resource("apps", "deployments", namespace: "a")),
            ("/api/v1/namespaces/a/services/a%2Db", resource("", "services", namespace: "a", name: "a-b")),
            ("/healthz", .health), ("/livez/ping", .health), ("/version", .version), ("/version/", .version),
            ("/api", .core), ("/apis/", .groups), ("/apis/apps", .group("apps")),
            ("/apis/apps/v1", .resourceList(group: "apps", version: "v1")),
            ("/openapi/v3/apis/apps/v1", .openAPIv3(group: "apps", version: "v1")),
            ("/", .unknown), ("/foo", .unknown), ("/api/v1/pods/a/b/c/d", .unknown),
        ] as [(String, Route?)])
    func routes(path: String, route: Route?) throws {
        #expect(Route(path: path) == (try #require(route)))
    }

    @Test("parameters are decoded, the first of a name counts, and flags are true unless they deny it")
    func query() {
        let query = Query("labelSelector=app%3Dweb%2Ctier+in+(a)&watch&limit=5&follow=false&watch=0")
        #expect(query["labelSelector"] == "app=web,tier in (a)")
        #expect(query.flag("watch"))
        #expect(!query.flag("follow"))
        #expect(!query.flag("absent"))
        #expect(query.int("limit") == 5)
    }

    @Test(
        "the first form of the Accept header that there is counts",
        arguments: [
            (nil, Representation.plain), ("*/*", .plain), ("application/json", .plain),
            ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", .table(version: "v1")),
            ("application/json;as=Table;g=meta.k8s.io;v=v1beta1", .table(version: "v1beta1")),
            ("application/json;as=Unknown;g=meta.k8s.io;v=v1,application/json", .plain),
            ("application/vnd.kubernetes.protobuf,application/json", .plain),
            ("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", .metadataList(version: "v1")),
            ("application/vnd.kubernetes.protobuf", nil), ("application/yaml", .plain), ("text/html", nil),
            ("application/json;q=0.5,application/json;as=Table;v=v1;g=meta.k8s.io;q=0.9", .table(version: "v1")),
            ("*/*, application/json;as=Table;v=v1;g=meta.k8s.io", .table(version: "v1")),
        ] as [(String?, Representation?)])
    func representation(accept: String?, form: Representation?) {
        #expect(Representation(accept: accept) == form)
    }

    @Test("a continue token names the place in the path that it is for")
    func continueToken() throws(Status) {
        let key = StoreKey(resource: "pods", namespace: "default", name: "a")
        for (range, start) in [
            (KeyRange.all(resource: "pods"), "default/a"), (.namespace(resource: "pods", namespace: "default"), "a"),
        ] {
            let token = ContinueToken(revision: 77, after: key, in: range)
            #expect(token.lastKey == start)
            #expect(try ContinueToken(parsing: token.text) == token)
            #expect(token.key(in: range) == key)
        }
        let inconsistent = ContinueToken(revision: nil, after: key, in: .all(resource: "pods"))
        #expect(try ContinueToken(parsing: inconsistent.text).revision == nil)
    }

    @Test(
        "a continue token that this server has not given is refused",
        arguments: [
            ("no!nsense", ": illegal base64 data at input byte 2"),
            ("e30", ": server does not recognize this encoded version "),
            (
                Base64URL.encode(Array(#"{"v":"meta.k8s.io/v1"}"#.utf8)),
                ": incorrect encoded start resourceVersion (version meta.k8s.io/v1)"
            ),
            (
                Base64URL.encode(Array(#"{"v":"meta.k8s.io/v1","rv":1}"#.utf8)),
                ": encoded start key empty (version meta.k8s.io/v1)"
            ),
            (Base64URL.encode(Array(#"{"v":"meta.k8s.io/v1","rv":1,"start":"../x"}"#.utf8)), ": ../x"),
        ])
    func foreignToken(text: String, why: String) {
        #expect(throws: Status.badRequest("invalid continue token: continue key is not valid" + why)) {
            try ContinueToken(parsing: text)
        }
    }
}

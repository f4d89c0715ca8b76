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
            ("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", .metadataOnly(version: "v1")),
            ("application/vnd.kubernetes.protobuf", nil), ("application/yaml", nil),
        ] as [(String?, Representation?)])
    func representation(accept: String?, form: Representation?) {
        #expect(Representation(accept: accept) == form)
    }

    @Test("a continue token comes back as it was", arguments: [nil, "default", "naïve"] as [String?])
    func continueToken(namespace: String?) {
        for name in ["a", "ab", "abc", "abcd"] {
            let token = ContinueToken(revision: 77, namespace: namespace, name: name)
            #expect(ContinueToken(parsing: token.text) == token)
        }
        #expect(ContinueToken(parsing: "nonsense") == nil)
    }
}

import Testing

@testable import APIServer

@Suite("What a request is about") struct RequestInfoTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let method: String
        let uri: String
        let verb: String
        let group: String
        let resource: String
        let namespace: String
        let name: String
        var testDescription: String { "\(method) \(uri)" }
    }

    static let cases: [Case] = [
        ("GET", "/api/v1/pods", "list", "", "pods", "", ""),
        ("GET", "/api/v1/namespaces/a/pods?watch=true", "watch", "", "pods", "a", ""),
        ("GET", "/api/v1/namespaces/a/pods?watch=0", "list", "", "pods", "a", ""),
        ("GET", "/api/v1/namespaces/a/pods?fieldSelector=metadata.name%3Dx", "list", "", "pods", "a", "x"),
        ("HEAD", "/api/v1/namespaces/a/pods/x", "get", "", "pods", "a", "x"),
        ("POST", "/apis/apps/v1/namespaces/a/deployments", "create", "apps", "deployments", "a", ""),
        ("PUT", "/apis/apps/v1/namespaces/a/deployments/d/scale", "update", "apps", "deployments/scale", "a", "d"),
        ("PATCH", "/api/v1/nodes/n/status", "patch", "", "nodes/status", "", "n"),
        ("DELETE", "/api/v1/namespaces/a/pods", "deletecollection", "", "pods", "a", ""),
        ("DELETE", "/api/v1/namespaces/a", "delete", "", "namespaces", "a", "a"),
        ("GET", "/api/v1/namespaces", "list", "", "namespaces", "", ""),
        ("PUT", "/api/v1/namespaces/a/finalize", "update", "", "namespaces/finalize", "a", "a"),
        ("GET", "/api/v1/watch/namespaces/a/pods", "watch", "", "pods", "a", ""),
        ("GET", "/api/v1/namespaces/a/pods/x/proxy/index.html", "get", "", "pods/proxy", "a", "x"),
        ("GET", "/api/v1/proxy/namespaces/a/services/s", "proxy", "", "services", "a", "s"),
    ].map { Case(method: $0, uri: $1, verb: $2, group: $3, resource: $4, namespace: $5, name: $6) }

    @Test("paths of objects give verb, resource, namespace and name", arguments: cases)
    func resources(_ expected: Case) {
        let request = APIRequest(expected.method, expected.uri, user: nil)
        let info = RequestInfo(method: request.method, path: request.path, query: request.query)
        #expect(info.isResourceRequest)
        #expect(info.verb == expected.verb)
        #expect(info.apiGroup == expected.group)
        #expect(info.resourceWithSubresource == expected.resource)
        #expect(info.namespace == expected.namespace)
        #expect(info.name == expected.name)
    }

    @Test(
        "everything else is a path with the method as verb",
        arguments: ["/", "/healthz", "/api", "/api/v1", "/apis/apps/v1", "/openapi/v3/apis/apps/v1", "/version/"])
    func others(path: String) {
        let info = RequestInfo(method: "POST", path: path)
        #expect(!info.isResourceRequest)
        #expect(info.verb == "post")
        #expect(info.path == path)
    }
}

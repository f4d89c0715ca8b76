import KubeModel
import Testing

@testable import APIServer

@Suite("Questions about rights", .timeLimit(.minutes(5))) struct ReviewTests {
    private let fixture: AccessFixture

    init() throws { fixture = try AccessFixture() }

    private func ask(
        _ kind: String, _ spec: JSONValue, in namespace: String? = nil, as user: UserInfo = AccessFixture.jane
    ) async throws -> AccessFixture.Answer {
        let place = namespace.map { "namespaces/\($0)/" } ?? ""
        return try await fixture.send("POST", "/apis/authorization.k8s.io/v1/\(place)\(kind)", ["spec": spec], as: user)
    }

    private static let listPods: JSONValue = ["verb": "list", "resource": "pods", "namespace": "default"]

    @Test("one can ask what one may do")
    func own() async throws {
        let no = try await ask("selfsubjectaccessreviews", ["resourceAttributes": Self.listPods])
        #expect(no.code == 201)
        #expect(no.value["status"] == ["allowed": false])
        try await fixture.bind("view", kind: "ClusterRole", to: "jane")
        let yes = try await ask("selfsubjectaccessreviews", ["resourceAttributes": Self.listPods])
        #expect(
            yes.value["status"] == [
                "allowed": true,
                "reason": "RBAC: allowed by RoleBinding \"view-jane/default\" of ClusterRole \"view\" to User \"jane\"",
            ])
        let path = try await ask(
            "selfsubjectaccessreviews", ["nonResourceAttributes": ["path": "/version", "verb": "get"]])
        #expect(path.value[["status", "allowed"]] == true)
        let neither = try await ask("selfsubjectaccessreviews", [:])
        #expect(neither.code == 422)
        #expect(
            neither.message.hasSuffix("exactly one of nonResourceAttributes or resourceAttributes must be specified"))
    }

    @Test("what others may do can be asked by those who may ask")
    func others() async throws {
        try await fixture.bind("view", kind: "ClusterRole", to: "jane")
        let spec: JSONValue = ["user": "jane", "resourceAttributes": Self.listPods]
        let answer = try await ask("subjectaccessreviews", spec, as: AccessFixture.admin)
        #expect(answer.value[["status", "allowed"]] == true)
        #expect(try await ask("subjectaccessreviews", spec).code == 403)
        let local = try await ask("localsubjectaccessreviews", spec, in: "default", as: AccessFixture.admin)
        #expect(local.value[["status", "allowed"]] == true)
        let elsewhere = try await ask("localsubjectaccessreviews", spec, in: "kube-system", as: AccessFixture.admin)
        #expect(elsewhere.code == 422)
        let nobody = try await ask(
            "subjectaccessreviews", ["resourceAttributes": Self.listPods], as: AccessFixture.admin)
        #expect(
            nobody.message
                == "SubjectAccessReview.authorization.k8s.io \"\" is invalid: spec.user: Invalid value: \"\": at least "
                + "one of user or group must be specified")
    }

    @Test("all rules that concern one can be listed, those of the namespace among them")
    func rules() async throws {
        try await fixture.makeRole(
            "keeper", [["apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"], "resourceNames": ["a"]]])
        try await fixture.bind("keeper", to: "jane")
        let answer = try await ask("selfsubjectrulesreviews", ["namespace": "default"])
        let status = try #require(answer.value["status"])
        #expect(status["incomplete"] == false)
        let resources = try #require(status["resourceRules"]?.array)
        #expect(
            resources.contains([
                "apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["a"], "verbs": ["get"],
            ]))
        let paths = (status["nonResourceRules"]?.array ?? []).flatMap { $0["nonResourceURLs"]?.array ?? [] }
        // Once for those who are known, once for everybody.
        #expect(paths.count { $0 == "/healthz" } == 2)
        #expect(paths.contains("/api/*"))
        #expect(try await ask("selfsubjectrulesreviews", [:]).message == "no namespace on request")
    }

    @Test("reviews are listed in discovery with the one verb they have")
    func discovery() async throws {
        let list = try await fixture.send("GET", "/apis/authorization.k8s.io/v1", as: AccessFixture.jane)
        let names = list.value["resources"]?.array?.map { $0["name"] ?? .null }
        #expect(
            names == [
                "localsubjectaccessreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews",
                "subjectaccessreviews",
            ])
        #expect(list.value["resources"]?.array?.first?["verbs"] == ["create"])
        let got = try await fixture.send("GET", "/apis/authorization.k8s.io/v1/subjectaccessreviews")
        #expect(got.code == 405)
    }

    @Test("a review has no rows, because it is not stored")
    func table() async throws {
        let uri = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        let body: JSONValue = ["spec": ["resourceAttributes": Self.listPods]]
        func code(accepting types: String) async -> Int {
            let request = APIRequest("POST", uri, accept: types, body: body.encoded, user: AccessFixture.jane)
            return await fixture.pipeline.respond(to: request).code
        }
        #expect(await code(accepting: "application/json;as=Table;v=v1;g=meta.k8s.io") == 406)
        #expect(await code(accepting: "application/json;as=Table;v=v1;g=meta.k8s.io, application/json") == 201)
    }
}

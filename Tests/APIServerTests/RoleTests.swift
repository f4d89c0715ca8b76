import KubeClient
import KubeModel
import LabTesting
import ObjectStore
import Testing

@testable import APIServer

@Suite("Roles", .timeLimit(.minutes(5))) struct RoleTests {
    private let fixture: AccessFixture

    init() throws { fixture = try AccessFixture() }

    private static let readPods: JSONValue = [
        ["apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]]
    ]

    @Test("who has no role is refused in the words of Kubernetes")
    func strangers() async throws {
        let account = UserInfo.serviceAccount("x", namespace: "default")
        let list = try await fixture.send("GET", "/api/v1/namespaces/default/pods", as: account)
        #expect(list.code == 403)
        #expect(
            list.message
                == "pods is forbidden: User \"system:serviceaccount:default:x\" cannot list resource \"pods\" in API "
                + "group \"\" in the namespace \"default\"")
        #expect(list.value["details"] == ["kind": "pods"])
        let one = try await fixture.send("GET", "/apis/apps/v1/namespaces/default/deployments/web/scale", as: account)
        #expect(
            one.message
                == "deployments.apps \"web\" is forbidden: User \"system:serviceaccount:default:x\" cannot get resource "
                + "\"deployments/scale\" in API group \"apps\" in the namespace \"default\"")
        let nodes = try await fixture.send("GET", "/api/v1/nodes", as: account)
        #expect(nodes.message.hasSuffix("cannot list resource \"nodes\" in API group \"\" at the cluster scope"))
        let path = try await fixture.send("GET", "/metrics", as: account)
        #expect(
            path.message
                == "forbidden: User \"system:serviceaccount:default:x\" cannot get path \"/metrics\"")
    }

    @Test("a binding works from the moment it is written, and ends when it goes")
    func binding() async throws {
        try await fixture.makeRole("reader", Self.readPods)
        func list() async throws -> Int {
            try await fixture.send("GET", "/api/v1/namespaces/default/pods", as: AccessFixture.jane).code
        }
        #expect(try await list() == 403)
        try await fixture.bind("reader", to: "jane")
        #expect(try await list() == 200)
        #expect(try await fixture.send("GET", "/api/v1/pods", as: AccessFixture.jane).code == 403)
        #expect(
            try await fixture.send("GET", "/api/v1/namespaces/kube-system/pods", as: AccessFixture.jane).code == 403)
        let key = StoreKeys.roleBinding("reader-jane")
        try await fixture.cluster.store.delete(key)
        #expect(try await list() == 403)
    }

    @Test("the reason names the binding, and a role that is missing is named, too")
    func reasons() async throws {
        try await fixture.makeRole("reader", Self.readPods)
        try await fixture.bind("reader", to: "jane")
        let info = RequestInfo(
            verb: "list", group: "", version: "v1", resource: "pods", namespace: "default")
        #expect(
            fixture.registry.authorizer.decide(AccessFixture.jane, info).reason
                == "RBAC: allowed by RoleBinding \"reader-jane/default\" of Role \"reader\" to User \"jane\"")
        let joe = UserInfo(name: "joe", groups: ["system:authenticated"])
        try await fixture.bind("gone", kind: "ClusterRole", to: "joe")
        let refused = try await fixture.send("GET", "/api/v1/namespaces/default/pods", as: joe)
        #expect(
            refused.message.hasSuffix(
                "in the namespace \"default\": RBAC: clusterrole.rbac.authorization.k8s.io \"gone\" not found"))
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let resources: [String]
        let names: [String]
        let asked: String
        let isAllowed: Bool
        var testDescription: String { "\(resources) \(names) → \(asked): \(isAllowed)" }
    }

    @Test(
        "resources, their parts and their names are matched as Kubernetes does",
        arguments: [
            (["pods"], [], "pods/a", true), (["pods"], [], "pods/a/log", false),
            (["pods/log"], [], "pods/a/log", true), (["*/scale"], [], "deployments/a/scale", true),
            (["*/scale"], [], "deployments/a", false), (["*"], [], "pods/a/exec", true),
            (["pods/*"], [], "pods/a/log", false), (["pods"], ["a"], "pods/a", true),
            (["pods"], ["b"], "pods/a", false),
        ].map { Case(resources: $0.0, names: $0.1, asked: $0.2, isAllowed: $0.3) })
    func matching(_ expected: Case) {
        let rule = PolicyRule(
            verbs: ["get"], apiGroups: [""], resources: expected.resources, resourceNames: expected.names)
        let parts = expected.asked.split(separator: "/").map(String.init)
        let info = RequestInfo(
            verb: "get", group: "", version: "v1", resource: parts[0], subresource: parts.count > 2 ? parts[2] : "",
            namespace: "default", name: parts[1])
        #expect(rule.allows(info) == expected.isAllowed)
    }

    @Test(
        "paths match whole or up to a star",
        arguments: [("/healthz", true), ("/healthz/ping", true), ("/health", false), ("/metrics", false)])
    func paths(path: String, isAllowed: Bool) {
        let rule = PolicyRule(verbs: ["get"], nonResourceURLs: ["/healthz*"])
        #expect(rule.allows(RequestInfo(method: "GET", path: path)) == isAllowed)
    }

    @Test("the default roles are there, admin and edit filled from their parts")
    func bootstrap() async throws {
        try await fixture.registry.prepare()
        let roles = fixture.registry.authorizer
        let edit = try #require(roles.rules(kind: "ClusterRole", name: "edit", namespace: ""))
        let view = try #require(roles.rules(kind: "ClusterRole", name: "view", namespace: ""))
        let admin = try #require(roles.rules(kind: "ClusterRole", name: "admin", namespace: ""))
        #expect(PolicyRule.missing(view, from: edit).isEmpty)
        #expect(PolicyRule.missing(edit, from: admin).isEmpty)
        #expect(!PolicyRule.missing(admin, from: edit).isEmpty)
        // Who may only look does not see Secrets.
        #expect(!view.contains { $0.resources.contains("secrets") })
        #expect(roles.rules(kind: "ClusterRole", name: "system:controller:job-controller", namespace: "") != nil)
        #expect(
            roles.rules(kind: "Role", name: "extension-apiserver-authentication-reader", namespace: "kube-system")
                != nil)
    }

    @Test("a role that is made of others follows them")
    func aggregation() async throws {
        let label = "rbac.authorization.k8s.io/aggregate-to-view"
        var part = KubeObject(.clusterRoles, name: "crontabs")
        part.labels = [label: "true"]
        part.value["rules"] = [["apiGroups": ["stable.example.com"], "resources": ["crontabs"], "verbs": ["get"]]]
        try await fixture.put(.clusterRoles, "crontabs", part.value)
        await fixture.registry.aggregateClusterRoles()
        let rule = try #require(PolicyRule.rules(of: part).first)
        for role in ["view", "edit", "admin"] {
            #expect(
                fixture.registry.authorizer.rules(kind: "ClusterRole", name: role, namespace: "")?.contains(rule)
                    == true)
        }
    }

    @Test("the scheduler and the node have their rights and no more")
    func components() async throws {
        let scheduler = fixture.cluster.server.client(user: "system:kube-scheduler")
        #expect(try await scheduler.list(.nodes).items.isEmpty)
        let refused = try await refusal { _ = try await scheduler.list(.secrets) }
        #expect(refused.code == 403)
        let node = fixture.cluster.server.client(user: "system:node:n1")
        #expect(try await node.list(.pods).items.isEmpty)
        _ = try await node.create(.nodes, KubeObject(.nodes, name: "n1"))
        let foreign = try await refusal { _ = try await node.create(.nodes, KubeObject(.nodes, name: "n2")) }
        #expect(foreign.message == "nodes \"n2\" is forbidden: node \"n1\" is not allowed to modify node \"n2\"")
    }

    @Test("a node reads what its pods need, and nothing else of the kind")
    func nodeReads() async throws {
        let node = UserInfo(name: "system:node:n1", groups: ["system:nodes", "system:authenticated"])
        let spec: JSONValue = [
            "nodeName": "n1", "imagePullSecrets": [["name": "pull"]],
            "volumes": [
                ["name": "a", "secret": ["secretName": "mounted"]],
                ["name": "b", "projected": ["sources": [["secret": ["name": "projected"]]]]],
                ["name": "c", "configMap": ["name": "settings"]],
                ["name": "d", "persistentVolumeClaim": ["claimName": "data"]],
            ],
            "containers": [
                [
                    "name": "c", "env": [["name": "A", "valueFrom": ["secretKeyRef": ["name": "keyed"]]]],
                    "envFrom": [["secretRef": ["name": "all"]], ["configMapRef": ["name": "variables"]]],
                ]
            ],
        ]
        try await fixture.put(.pods, "web", in: "default", ["spec": spec])
        var elsewhere = spec
        elsewhere["nodeName"] = "n2"
        elsewhere["imagePullSecrets"] = [["name": "foreign"]]
        try await fixture.put(.pods, "other", in: "default", ["spec": elsewhere])
        func code(_ path: String) async throws -> Int {
            try await fixture.send("GET", "/api/v1/namespaces/default/\(path)", as: node).code
        }
        let needed = [
            "secrets/pull", "secrets/mounted", "secrets/projected", "secrets/keyed", "secrets/all",
            "configmaps/settings", "configmaps/variables", "persistentvolumeclaims/data",
        ]
        // Nobody has made them.
        for path in needed { #expect(try await code(path) == 404, "\(path)") }
        #expect(try await code("secrets?fieldSelector=metadata.name%3Dpull") == 200)
        for path in ["secrets/foreign", "secrets/settings", "configmaps/pull", "secrets", "configmaps"] {
            #expect(try await code(path) == 403, "\(path)")
        }
        let refused = try await fixture.send("GET", "/api/v1/namespaces/default/secrets/foreign", as: node)
        #expect(refused.message.hasSuffix(": no relationship found between node 'n1' and this object"))
    }
}

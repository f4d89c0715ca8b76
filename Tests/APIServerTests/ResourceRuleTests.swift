import KubeModel
import ObjectStore
import Testing

@testable import APIServer

@Suite("Which requests a rule names") struct ResourceRuleTests {
    private static func rule(_ resources: [String], scope: String = "*", operations: [String] = ["*"]) -> ResourceRule {
        ResourceRule([
            "operations": .array(operations.map(JSONValue.string)), "apiGroups": ["", "apps"], "apiVersions": ["v1"],
            "resources": .array(resources.map(JSONValue.string)), "scope": .string(scope),
        ])
    }

    private static func wanted(
        _ resource: String, _ subresource: String = "", group: String = "", version: String = "v1",
        namespace: String = "default", by operation: AdmissionRequest.Operation = .create
    ) -> RequestedResource {
        RequestedResource(
            operation: operation, group: group, version: version, resource: resource, subresource: subresource,
            namespace: namespace)
    }

    @Test(
        "resources match with and without their sub-resources",
        arguments: [
            (["pods"], "pods", "", true), (["pods"], "pods", "status", false),
            (["pods/status"], "pods", "status", true),
            (["pods/*"], "pods", "", true), (["pods/*"], "pods", "exec", true), (["*"], "pods", "", true),
            (["*"], "pods", "exec", false), (["*/*"], "pods", "exec", true), (["*/*"], "pods", "", true),
            (["*/scale"], "deployments", "scale", true), (["*/scale"], "deployments", "", false),
        ])
    func resources(rules: [String], resource: String, subresource: String, isMatch: Bool) {
        #expect(Self.rule(rules).matches(Self.wanted(resource, subresource)) == isMatch)
    }

    @Test(
        "a namespace is an object of the cluster, although its requests name one",
        arguments: [
            ("Cluster", "namespaces", "lab", true), ("Namespaced", "namespaces", "lab", false),
            ("Namespaced", "pods", "lab", true), ("Cluster", "pods", "lab", false), ("Cluster", "nodes", "", true),
            ("Namespaced", "nodes", "", false), ("*", "nodes", "", true),
        ])
    func scopes(scope: String, resource: String, namespace: String, isMatch: Bool) {
        let rule = Self.rule(["*"], scope: scope)
        #expect(rule.matches(Self.wanted(resource, namespace: namespace)) == isMatch)
    }

    @Test("group, version and operation must be listed")
    func others() {
        let rule = Self.rule(["*"], operations: ["CONNECT", "DELETE"])
        #expect(rule.matches(Self.wanted("pods", by: .connect)))
        #expect(!rule.matches(Self.wanted("pods", by: .create)))
        #expect(rule.matches(Self.wanted("deployments", group: "apps", by: .delete)))
        #expect(!rule.matches(Self.wanted("jobs", group: "batch", by: .delete)))
        #expect(!rule.matches(Self.wanted("pods", version: "v2", by: .delete)))
    }
}

import KubeClient
import KubeModel
import LabTesting
import Testing

@testable import APIServer

/// What the server decides about pods with a runtime class, and about wishes for certificates.
@Suite("Admission for extensions", .timeLimit(.minutes(5))) struct ExtensionAdmissionTests {
    private func makeClass(_ fixture: Fixture) async throws {
        var object = KubeObject(.runtimeClasses, name: "gvisor")
        object.value["handler"] = "runsc"
        object.value["overhead"] = ["podFixed": ["cpu": "250m"]]
        object.value["scheduling"] = [
            "nodeSelector": ["sandbox": "yes"], "tolerations": [["key": "s", "operator": "Exists"]],
        ]
        _ = try await fixture.client.create(.runtimeClasses, object)
    }

    private static func pod(_ spec: [String: JSONValue]) -> KubeObject {
        var pod = MemoryCluster.pod("a")
        for (name, value) in spec { pod.value[["spec", name]] = value }
        return pod
    }

    @Test("a pod of a runtime class gets its costs, its nodes and its tolerations")
    func runtimeClass() async throws {
        let fixture = try Fixture()
        try await makeClass(fixture)
        let pod = try await fixture.client.create(.pods, Self.pod(["runtimeClassName": "gvisor"]))
        #expect(pod.value[["spec", "overhead"]] == ["cpu": "250m"])
        #expect(pod.value[["spec", "nodeSelector"]] == ["sandbox": "yes"])
        #expect(pod.value[["spec", "tolerations"]]?.array?.contains(["key": "s", "operator": "Exists"]) == true)
    }

    @Test(
        "a pod that does not fit its runtime class is refused",
        arguments: [
            (
                ["runtimeClassName": "nosuch"],
                #"pods "a" is forbidden: pod rejected: RuntimeClass "nosuch" not found"#
            ),
            (
                ["overhead": ["cpu": "1"]],
                #"pods "a" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"#
            ),
            (
                ["runtimeClassName": "gvisor", "overhead": ["cpu": "1"]],
                #"pods "a" is forbidden: pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"#
            ),
            (
                ["runtimeClassName": "gvisor", "nodeSelector": ["sandbox": "no"]],
                #"pods "a" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[sandbox] = yes; "#
                    + "pod.spec.nodeSelector[sandbox] = no"
            ),
        ] as [([String: JSONValue], String)])
    func misfit(spec: [String: JSONValue], message: String) async throws {
        let fixture = try Fixture()
        try await makeClass(fixture)
        let status = try await refusal { _ = try await fixture.client.create(.pods, Self.pod(spec)) }
        #expect(status.code == 403)
        #expect(status.message == message)
    }

    @Test("a wish for a certificate names who asks, and is approved by those with the right to the signer")
    func signingRequest() async throws {
        let fixture = try Fixture()
        var wish = KubeObject(.certificateSigningRequests, name: "jane")
        wish.value["spec"] = [
            "request":
                "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0t",
            "signerName": "example.com/s", "usages": ["client auth"], "username": "somebody else",
        ]
        let admin = fixture.server.client(user: UserInfo(name: "root", groups: ["system:masters"]))
        let made = try await admin.create(.certificateSigningRequests, wish)
        #expect(made.value[["spec", "username"]] == "root")
        #expect(made.value[["spec", "groups"]] == ["system:masters"])
        var role = KubeObject(.clusterRoles, name: "approver")
        role.value["rules"] = [
            [
                "apiGroups": ["certificates.k8s.io"],
                "resources": ["certificatesigningrequests", "certificatesigningrequests/approval"],
                "verbs": ["get", "update"],
            ]
        ]
        _ = try await admin.create(.clusterRoles, role)
        var binding = KubeObject(.clusterRoleBindings, name: "approver")
        binding.value["roleRef"] = [
            "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "approver",
        ]
        binding.value["subjects"] = [["apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "bob"]]
        _ = try await admin.create(.clusterRoleBindings, binding)
        var approved = made
        approved.value[["status", "conditions"]] = [["type": "Approved", "status": "True"]]
        let bob = fixture.server.client(user: UserInfo(name: "bob"))
        let decided = approved
        let status = try await refusal {
            _ = try await bob.update(
                .certificateSigningRequests, decided, subresource: "approval", options: WriteOptions())
        }
        #expect(
            status.message
                == #"certificatesigningrequests.certificates.k8s.io "jane" is forbidden: user not permitted to approve "#
                + #"requests with signerName "example.com/s""#)
        let written = try await admin.update(
            .certificateSigningRequests, decided, subresource: "approval", options: WriteOptions())
        #expect(written.value[["status", "conditions"]]?.array?.first?["type"] == "Approved")
    }
}

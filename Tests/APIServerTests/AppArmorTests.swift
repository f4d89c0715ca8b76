import KubeClient
import KubeModel
import Testing

@testable import APIServer

/// AppArmor profiles by the field, and by the annotation that was there before it.
@Suite("AppArmor profiles", .timeLimit(.minutes(5))) struct AppArmorTests {
    private let fixture: AccessFixture
    private static let prefix = "container.apparmor.security.beta.kubernetes.io/"

    init() throws { fixture = try AccessFixture() }

    private static func template(
        _ annotations: [String: String] = [:], own: JSONValue? = nil, shared: JSONValue? = nil
    ) -> JSONValue {
        var container: JSONValue = ["name": "a", "image": "nginx"]
        container[["securityContext", "appArmorProfile"]] = own
        var template: JSONValue = ["metadata": ["labels": ["app": "a"]], "spec": ["containers": [container]]]
        template[["spec", "securityContext", "appArmorProfile"]] = shared
        for (name, value) in annotations { template[["metadata", "annotations", prefix + name]] = .string(value) }
        return template
    }

    private func create(_ template: JSONValue) async throws -> AccessFixture.Answer {
        var pod = template
        (pod["apiVersion"], pod["kind"], pod[["metadata", "name"]]) = ("v1", "Pod", "a")
        return try await fixture.send("POST", "/api/v1/namespaces/default/pods", pod)
    }

    private static let field = ["securityContext", "appArmorProfile"]

    @Test(
        "what is said by field is said by annotation too",
        arguments: [
            (["type": "Unconfined"], nil, "unconfined"), (nil, ["type": "RuntimeDefault"], "runtime/default"),
            (["type": "Localhost", "localhostProfile": "x"], ["type": "Unconfined"], "localhost/x"),
        ] as [(JSONValue?, JSONValue?, String)])
    func fields(own: JSONValue?, shared: JSONValue?, annotation: String) async throws {
        let pod = try await create(Self.template(own: own, shared: shared))
        #expect(pod.code == 201)
        #expect(pod.warnings.isEmpty)
        #expect(pod.value[["metadata", "annotations", Self.prefix + "a"]] == .string(annotation))
        #expect(pod.value[["spec", "containers"]]?.array?.first?[Self.field] == own)
    }

    @Test("an annotation becomes a field, with a warning")
    func annotations() async throws {
        let pod = try await create(Self.template(["a": "localhost/x"]))
        let profile: JSONValue = ["type": "Localhost", "localhostProfile": "x"]
        #expect(pod.value[["spec", "containers"]]?.array?.first?[Self.field] == profile)
        let key = "metadata.annotations[\(Self.prefix)a]"
        #expect(
            pod.warnings == ["299 - \"\(key): deprecated since v1.30; use the \\\"appArmorProfile\\\" field instead\""])
    }

    @Test(
        "an annotation for nobody, one that is no profile, and one that contradicts the field are refused",
        arguments: [
            (
                template(["b": "unconfined"]),
                "metadata.annotations[\(prefix)b]: Invalid value: \"b\": container not found"
            ),
            (
                template(["a": "none"]),
                "metadata.annotations[\(prefix)a]: Invalid value: \"none\": invalid AppArmor profile name: \"none\""
            ),
            (
                template(["a": "unconfined"], own: ["type": "RuntimeDefault"]),
                "spec.containers[0].securityContext.appArmorProfile.type: Forbidden: apparmor type in annotation and "
                    + "field must match"
            ),
            (
                template(["a": "localhost/x"], own: ["type": "Localhost", "localhostProfile": "y"]),
                "spec.containers[0].securityContext.appArmorProfile.localhostProfile: Forbidden: apparmor profile in "
                    + "annotation and field must match"
            ),
        ])
    func refusals(template: JSONValue, why: String) async throws {
        let pod = try await create(template)
        #expect(pod.code == 422)
        #expect(pod.message == "Pod \"a\" is invalid: \(why)")
        let deployment = try await fixture.send(
            "POST", "/apis/apps/v1/namespaces/default/deployments",
            [
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "a"],
                "spec": ["selector": ["matchLabels": ["app": "a"]], "template": template],
            ])
        #expect(deployment.message == "Deployment.apps \"a\" is invalid: spec.template.\(why)")
    }
}

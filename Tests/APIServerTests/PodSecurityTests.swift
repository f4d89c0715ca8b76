import KubeModel
import LabTesting
import Testing

@testable import APIServer

@Suite("Pod Security", .timeLimit(.minutes(5))) struct PodSecurityTests {
    private let fixture: AccessFixture

    init() throws { fixture = try AccessFixture() }

    private func label(_ labels: [String: String]) async throws -> AccessFixture.Answer {
        let members = labels.map { ("pod-security.kubernetes.io/\($0)", JSONValue.string($1)) }
        let body: JSONValue = ["metadata": ["labels": .object(JSONObject(members))]]
        return try await fixture.send(
            "PATCH", "/api/v1/namespaces/default", body, contentType: "application/merge-patch+json")
    }

    private func create(_ spec: JSONValue, _ name: String = "p") async throws -> AccessFixture.Answer {
        try await fixture.send("POST", "/api/v1/namespaces/default/pods", MemoryCluster.pod(name, spec: spec).value)
    }

    private static let good: JSONValue = [
        "securityContext": ["runAsNonRoot": true, "seccompProfile": ["type": "RuntimeDefault"]],
        "containers": [
            [
                "name": "main", "image": "web:1.0",
                "securityContext": ["allowPrivilegeEscalation": false, "capabilities": ["drop": ["ALL"]]],
            ]
        ],
    ]

    @Test("restricted refuses a plain pod with everything that is missing")
    func restricted() async throws {
        _ = try await label(["enforce": "restricted"])
        let plain = try await create([:])
        #expect(plain.code == 403)
        #expect(
            plain.message
                == "pods \"p\" is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false "
                + "(container \"main\" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities "
                + "(container \"main\" must set securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or "
                + "container \"main\" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "
                + "\"main\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")")
        #expect(try await create(Self.good).code == 201)
    }

    @Test("a workload is warned of what its pods will be refused for")
    func warnings() async throws {
        _ = try await label(["enforce": "restricted"])
        let answer = try await fixture.send(
            "POST", "/apis/apps/v1/namespaces/default/deployments", MemoryCluster.deployment("web").value)
        #expect(answer.code == 201)
        let warning = try #require(answer.warnings.first)
        #expect(
            warning.hasPrefix(
                "299 - \"would violate PodSecurity \\\"restricted:latest\\\": allowPrivilegeEscalation != false"))
    }

    @Test(
        "baseline refuses what reaches for the node",
        arguments: [
            (#"{"hostNetwork":true}"#, "host namespaces (hostNetwork=true), hostPort"),
            (#"{"hostPID":true,"hostIPC":true}"#, "host namespaces (hostPID=true, hostIPC=true)"),
            (
                #"{"volumes":[{"name":"v","hostPath":{"path":"/"}}]}"#, "hostPath volumes (volume \"v\")"
            ),
            (
                #"{"containers":[{"name":"a","image":"i","securityContext":{"privileged":true}}]}"#,
                "privileged (container \"a\" must not set securityContext.privileged=true)"
            ),
            (
                #"{"containers":[{"name":"a","image":"i","ports":[{"containerPort":80,"hostPort":80}]}]}"#,
                "hostPort (container \"a\" uses hostPort 80)"
            ),
            (
                #"{"containers":[{"name":"a","image":"i","securityContext":{"capabilities":{"add":["NET_ADMIN"]}}}]}"#,
                "non-default capabilities (container \"a\" must not include \"NET_ADMIN\" in "
                    + "securityContext.capabilities.add)"
            ),
        ])
    func baseline(spec: String, complaint: String) async throws {
        _ = try await label(["enforce": "baseline"])
        var spec = try JSONValue(parsing: spec)
        if spec["hostNetwork"] == true {
            spec["containers"] = [["name": "a", "image": "i", "ports": [["containerPort": 80]]]]
        }
        let answer = try await create(spec)
        #expect(
            answer.message.hasPrefix("pods \"p\" is forbidden: violates PodSecurity \"baseline:latest\": \(complaint)"))
    }

    @Test("a label that says nothing is refused, a stricter level warns of the pods that are there")
    func labels() async throws {
        _ = try await create([:], "b")
        _ = try await create([:], "a")
        let wrong = try await label(["enforce": "strict"])
        #expect(
            wrong.message
                == "Namespace \"default\" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "
                + "\"strict\": must be one of privileged, baseline, restricted")
        let answer = try await label(["enforce": "restricted"])
        #expect(answer.code == 200)
        #expect(
            answer.warnings == [
                "299 - \"existing pods in namespace \\\"default\\\" violate the new PodSecurity enforce level "
                    + "\\\"restricted:latest\\\"\"",
                "299 - \"a (and 1 other pod): allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot "
                    + "!= true, seccompProfile\"",
            ])
    }

    @Test("an older version asks for what was asked for then")
    func versions() {
        let pod: JSONValue = ["spec": ["containers": [["name": "a", "image": "i"]]]]
        func reasons(_ minor: Int?) -> [String] {
            PodSecurityChecks(pod, .init(level: .restricted, minor: minor)).violations.map(\.reason)
        }
        #expect(reasons(7) == ["runAsNonRoot != true"])
        #expect(reasons(18) == ["allowPrivilegeEscalation != false", "runAsNonRoot != true"])
        #expect(reasons(40) == reasons(nil))
    }
}

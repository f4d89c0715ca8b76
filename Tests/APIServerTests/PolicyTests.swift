import CEL
import KubeClient
import KubeModel
import LabTesting
import Testing

@testable import APIServer

/// ValidatingAdmissionPolicy and its bindings, in the words of Kubernetes 1.32.
@Suite("Admission policies", .timeLimit(.minutes(5))) struct PolicyTests {
    private let fixture: AccessFixture
    private static let group = "/apis/admissionregistration.k8s.io/v1"

    init() throws { fixture = try AccessFixture() }

    /// A policy about config maps.
    private static func policy(_ change: (inout JSONValue) -> Void) -> JSONValue {
        var spec: JSONValue = [
            "matchConstraints": [
                "resourceRules": [
                    [
                        "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
                        "resources": ["configmaps"],
                    ]
                ]
            ]
        ]
        change(&spec)
        return [
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
            "metadata": ["name": "p.example.com"], "spec": spec,
        ]
    }

    @discardableResult
    private func make(_ change: (inout JSONValue) -> Void) async throws -> AccessFixture.Answer {
        try await fixture.send("POST", "\(Self.group)/validatingadmissionpolicies", Self.policy(change))
    }

    private func bind(actions: JSONValue = ["Deny"], _ more: JSONValue = [:]) async throws {
        var spec: JSONValue = ["policyName": "p.example.com", "validationActions": actions]
        for (key, value) in more.object ?? [:] { spec[key] = value }
        let binding: JSONValue = [
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": ["name": "b"], "spec": spec,
        ]
        let answer = try await fixture.send(
            "POST", "\(Self.group)/validatingadmissionpolicybindings", binding)
        #expect(answer.code == 201, "\(answer.text)")
    }

    private func write(
        _ name: String, _ data: JSONValue = [:], as user: UserInfo = AccessFixture.admin
    ) async throws -> AccessFixture.Answer {
        try await fixture.send(
            "POST", "/api/v1/namespaces/default/configmaps",
            ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name)], "data": data], as: user)
    }

    @Test("a policy without a binding holds nowhere, with one it refuses what breaks it")
    func deny() async throws {
        try await make { $0["validations"] = [["expression": "size(object.data) < 2"]] }
        #expect(try await write("free", ["a": "1", "b": "2"]).code == 201)
        try await bind()
        let answer = try await write("my", ["a": "1", "b": "2"])
        let message =
            "ValidatingAdmissionPolicy 'p.example.com' with binding 'b' denied request: failed expression: "
            + "size(object.data) < 2"
        #expect(answer.code == 422)
        #expect(answer.message == "configmaps \"my\" is forbidden: \(message)")
        #expect(answer.value["reason"] == "Invalid")
        #expect(answer.value[["details", "causes"]] == [["message": .string(message)]])
        #expect(try await write("my", ["a": "1"]).code == 201)
    }

    @Test("a deletion is judged by the object that goes")
    func deletion() async throws {
        try await make {
            var rule = $0[["matchConstraints", "resourceRules"]]?.array?[0] ?? [:]
            rule["operations"] = ["DELETE"]
            $0[["matchConstraints", "resourceRules"]] = [rule]
            $0["validations"] = [["expression": "object == null && oldObject.metadata.name != 'kept'"]]
        }
        try await bind()
        for (name, code) in [("kept", 422), ("other", 200)] {
            #expect(try await write(name).code == 201)
            let place = "/api/v1/namespaces/default/configmaps/\(name)"
            #expect(try await fixture.send("DELETE", place).code == code)
        }
    }

    @Test("messages and reasons are those of the validation")
    func messages() async throws {
        try await make {
            $0["variables"] = [
                ["name": "count", "expression": "size(object.data)"],
                ["name": "isOdd", "expression": "variables.count % 2 == 1"],
            ]
            $0["validations"] = [
                [
                    "expression": "variables.isOdd", "message": "odd only", "reason": "Forbidden",
                    "messageExpression": "string(variables.count) + ' is even'",
                ]
            ]
        }
        try await bind()
        let answer = try await write("my", ["a": "1", "b": "2"])
        #expect(answer.code == 403)
        #expect(answer.message.hasSuffix("denied request: 2 is even"))
    }

    @Test("a binding may warn instead")
    func warn() async throws {
        try await make { $0["validations"] = [["expression": "false", "message": "never"], ["expression": "1 > 2"]] }
        try await bind(actions: ["Warn", "Audit"])
        let start = fixture.cluster.server.auditJournal.lastSequence
        let answer = try await write("my")
        #expect(answer.code == 201)
        let begin = "299 - \"Validation failed for ValidatingAdmissionPolicy 'p.example.com' with binding 'b': "
        #expect(answer.warnings == [begin + "never\"", begin + "failed expression: 1 > 2\""])
        let event = fixture.cluster.server.auditJournal.events(after: start).first { $0.verb == "create" }
        let noted = event?.value[["annotations", "validation.policy.admission.k8s.io/validation_failure"]]?.string
        let failures = try JSONValue(parsing: noted ?? "null").array ?? []
        #expect(failures.map { $0["expressionIndex"] } == [0, 1])
        #expect(failures.first?["validationActions"] == ["Warn", "Audit"])
    }

    @Test("what cannot be evaluated is refused, unless failures are ignored", arguments: ["Fail", "Ignore"])
    func failures(policy: String) async throws {
        try await make {
            $0["failurePolicy"] = .string(policy)
            $0["validations"] = [["expression": "object.data.a == 'x'"]]
        }
        try await bind()
        let answer = try await write("my", ["b": "1"])
        #expect(answer.code == (policy == "Fail" ? 422 : 201))
        if policy == "Fail" {
            #expect(
                answer.message.hasSuffix(
                    "denied request: expression 'object.data.a == 'x'' resulted in error: no such key: a"))
        }
    }

    @Test("parameters come from the object that the binding names")
    func params() async throws {
        try await make {
            $0["paramKind"] = ["apiVersion": "v1", "kind": "ConfigMap"]
            $0["matchConditions"] = [["name": "not-params", "expression": "object.metadata.name != 'limits'"]]
            $0["validations"] = [["expression": "size(object.data) <= int(params.data.max)"]]
        }
        try await bind(["paramRef": ["name": "limits", "parameterNotFoundAction": "Deny"]])
        #expect(
            try await write("my").message.hasSuffix(
                "denied request: failed to configure binding: no params found for policy binding with `Deny` "
                    + "parameterNotFoundAction"))
        try await fixture.put(.configMaps, "limits", in: "default", ["data": ["max": "1"]])
        #expect(try await write("my", ["a": "1"]).code == 201)
        #expect(try await write("other", ["a": "1", "b": "2"]).code == 422)
    }

    private func bind(_ more: JSONValue) async throws { try await bind(actions: ["Deny"], more) }

    @Test("expressions know the old object, the request, the namespace, and who may do what")
    func variables() async throws {
        try await make {
            $0["validations"] = [
                ["expression": "oldObject == null || object.data.a == oldObject.data.a", "message": "a is fixed"],
                [
                    "expression":
                        "request.operation in ['CREATE', 'UPDATE'] && request.resource.resource == 'configmaps'"
                ],
                ["expression": "namespaceObject.metadata.name == 'default'"],
                [
                    "expression": "authorizer.group('').resource('secrets').check('list').allowed()",
                    "message": "no rights",
                ],
                ["expression": "authorizer.requestResource.check('create').allowed()"],
            ]
        }
        try await bind()
        try await fixture.makeRole(
            "writer", [["apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]]])
        try await fixture.put(
            .roleBindings, "writer", in: "default",
            [
                "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "writer"],
                "subjects": [["kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "jane"]],
            ])
        #expect(try await write("my", ["a": "1"], as: AccessFixture.jane).message.hasSuffix("no rights"))
        #expect(try await write("my", ["a": "1"]).code == 201)
        let changed = try await fixture.send(
            "PATCH", "/api/v1/namespaces/default/configmaps/my", ["data": ["a": "2"]],
            contentType: "application/merge-patch+json")
        #expect(changed.message.hasSuffix("a is fixed"))
    }

    @Test("selectors, names and conditions narrow a policy down")
    func narrowing() async throws {
        try await make {
            var rule = $0[["matchConstraints", "resourceRules"]]?.array?[0] ?? [:]
            rule["resourceNames"] = ["free"]
            $0[["matchConstraints", "excludeResourceRules"]] = [rule]
            $0[["matchConstraints", "namespaceSelector"]] = [
                "matchLabels": ["kubernetes.io/metadata.name": "default"]
            ]
            $0["matchConditions"] = [["name": "admins", "expression": "request.userInfo.username == 'admin'"]]
            $0["validations"] = [["expression": "false"]]
        }
        try await bind([
            "matchResources": ["objectSelector": ["matchExpressions": [["key": "x", "operator": "DoesNotExist"]]]]
        ])
        #expect(try await write("my").code == 422)
        #expect(try await write("free").code == 201)
        let elsewhere: JSONValue = ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "my"]]
        #expect(try await fixture.send("POST", "/api/v1/namespaces/kube-system/configmaps", elsewhere).code == 201)
        var labelled = elsewhere
        labelled[["metadata", "labels"]] = ["x": "y"]
        #expect(try await fixture.send("POST", "/api/v1/namespaces/default/configmaps", labelled).code == 201)
    }

    @Test("nobody binds a policy to parameters that they may not read")
    func parameterAccess() async throws {
        try await fixture.put(.clusterRoles, "r", ["rules": Self.rights(configMaps: [])])
        try await fixture.put(
            .clusterRoleBindings, "r", AccessFixture.binding("r", kind: "ClusterRole", to: "jane"))
        let user = "user &{jane  [system:authenticated] map[]}"
        func send(_ value: JSONValue, _ plural: String) async throws -> AccessFixture.Answer {
            try await fixture.send("POST", "\(Self.group)/\(plural)", value, as: AccessFixture.jane)
        }
        let policy = Self.policy {
            $0["paramKind"] = ["apiVersion": "v1", "kind": "ConfigMap"]
            $0["validations"] = [["expression": "true"]]
        }
        func binding(_ ref: JSONValue, to policy: JSONValue = "p.example.com") -> JSONValue {
            [
                "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
                "metadata": ["name": "b"],
                "spec": ["policyName": policy, "validationActions": ["Deny"], "paramRef": ref],
            ]
        }
        let named: JSONValue = ["name": "limits", "namespace": "default", "parameterNotFoundAction": "Deny"]
        let refused = try await send(policy, "validatingadmissionpolicies")
        #expect(refused.code == 422)
        #expect(
            refused.message.hasSuffix(
                "is invalid: spec.paramKind: Forbidden: \(user) must have \"get\" permission on all objects of the "
                    + "referenced paramKind (kind=ConfigMap, apiVersion=v1)"))
        let unknown = try await send(binding(named), "validatingadmissionpolicybindings")
        #expect(
            unknown.message.hasSuffix(
                "spec.paramRef: Forbidden: unable to get policy p.example.com to determine minimum required permissions "
                    + "and \(user) does not have \"get\" permission for all groups, versions and resources"))
        #expect(try await fixture.send("POST", "\(Self.group)/validatingadmissionpolicies", policy).code == 201)
        let bound = try await send(binding(named), "validatingadmissionpolicybindings")
        #expect(
            bound.message.hasSuffix(
                "spec.paramRef: Forbidden: \(user) does not have \"get\" permission on the object referenced by paramRef"
            ))
        try await fixture.put(.clusterRoles, "r", ["rules": Self.rights(configMaps: ["get"])])
        let selected: JSONValue = ["selector": [:], "parameterNotFoundAction": "Deny"]
        let listed = try await send(binding(selected), "validatingadmissionpolicybindings")
        #expect(listed.message.contains("does not have \"list\" permission"))
        #expect(try await send(binding(named), "validatingadmissionpolicybindings").code == 201)
        // What the binding has already may stay, whoever writes it.
        try await fixture.put(.clusterRoles, "r", ["rules": Self.rights(configMaps: [])])
        let touched = try await fixture.send(
            "PATCH", "\(Self.group)/validatingadmissionpolicybindings/b", ["metadata": ["labels": ["a": "b"]]],
            as: AccessFixture.jane, contentType: "application/merge-patch+json")
        #expect(touched.code == 200)
    }

    /// Rights over policies, and some over config maps.
    private static func rights(configMaps verbs: [String]) -> JSONValue {
        [
            ["apiGroups": ["admissionregistration.k8s.io"], "resources": ["*"], "verbs": ["*"]],
            ["apiGroups": [""], "resources": ["configmaps"], "verbs": .array(verbs.map(JSONValue.string))],
        ]
    }

    @Test("a policy's status tells which expressions do not fit the types")
    func typeChecking() async throws {
        try await make {
            $0[["matchConstraints", "resourceRules"]] = [
                [
                    "apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["*"], "resources": ["deployments"],
                ]
            ]
            $0["validations"] = [
                ["expression": "object.spec.replicas > '1'"], ["expression": "object.spec.replicas > 1"],
                ["expression": "object.spec.maxRetries < 10"],
            ]
        }
        let policy = try await fixture.send("GET", "\(Self.group)/validatingadmissionpolicies/p.example.com").value
        #expect(policy[["status", "observedGeneration"]] == 1)
        let warnings = policy[["status", "typeChecking", "expressionWarnings"]]?.array ?? []
        #expect(
            warnings.map { $0["fieldRef"] } == ["spec.validations[0].expression", "spec.validations[2].expression"])
        #expect(
            warnings.first?["warning"]
                == .string(
                    "apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_>_' applied to "
                        + "'(int, string)'\n | object.spec.replicas > '1'\n | .....................^\n"))
        #expect(warnings.last?["warning"]?.string?.contains("undefined field 'maxRetries'") == true)
    }

    @Test("a policy that cannot work is refused")
    func invalid() async throws {
        let answer = try await make {
            $0["variables"] = [["name": "1a", "expression": "true"]]
            $0["validations"] = [["expression": "object.x +"], ["expression": "1"], ["expression": "params.x == 1"]]
        }
        #expect(answer.code == 422)
        let causes = answer.value[["details", "causes"]]?.array ?? []
        #expect(
            causes.map { $0["field"]?.string } == [
                "spec.variables[0].name", "spec.validations[0].expression", "spec.validations[1].expression",
                "spec.validations[2].expression",
            ])
        #expect(causes[2]["message"] == "Invalid value: \"1\": must evaluate to bool but got int")
        #expect(causes[3]["message"]?.string?.contains("undeclared reference to 'params'") == true)
    }

    @Test("conditions are judged together: one that says no outweighs one that cannot be evaluated")
    func conditions() {
        func verdict(_ expressions: String...) -> MatchConditions.Verdict {
            MatchConditions(expressions.map { ["name": "c", "expression": .string($0)] }).verdict(["object": .null])
        }
        #expect(verdict("true", "object == null") == .met)
        #expect(verdict("object.x == 1", "false") == .notMet)
        #expect(
            verdict("object.x == 1", "true")
                == .unknown("expression 'object.x == 1' resulted in error: no such key: x"))
    }
}

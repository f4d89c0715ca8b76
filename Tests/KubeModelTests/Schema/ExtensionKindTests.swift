import KubeModel
import Testing

/// Kinds by which clusters are extended: runtimes, storage drivers, webhooks, certificates, flow control.
@Suite("Kinds of extensions", .timeLimit(.minutes(5))) struct ExtensionKindTests {
    @Test(
        "faults are named in Kubernetes' words",
        arguments: [
            (
                ResourceType.runtimeClasses, #"{"metadata": {"name": "a"}, "handler": "Run C"}"#,
                #"handler: Invalid value: "Run C": a lowercase RFC 1123 label"#
            ),
            (
                .csiDrivers,
                #"{"metadata": {"name": "a.b"}, "spec": {"tokenRequests": [{"audience": ""}, {"audience": ""}]}}"#,
                #"spec.tokenRequests[1].audience: Duplicate value: """#
            ),
            (
                .csiDrivers, #"{"metadata": {"name": "a.b"}, "spec": {"volumeLifecycleModes": ["Some"]}}"#,
                #"spec.volumeLifecycleModes: Unsupported value: "Some": supported values: "Persistent", "Ephemeral""#
            ),
            (
                .csiNodes, #"{"metadata": {"name": "n"}, "spec": {"drivers": [{"name": "a.b"}]}}"#,
                "spec.drivers[0].nodeID: Required value"
            ),
            (
                .volumeAttachments,
                #"{"metadata": {"name": "n"}, "spec": {"attacher": "a", "nodeName": "n", "source": {}}}"#,
                "spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName"
            ),
            (
                .flowSchemas,
                #"{"metadata": {"name": "n"}, "spec": {"matchingPrecedence": 1, "priorityLevelConfiguration": {"name": "exempt"}}}"#,
                "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1"
            ),
            (
                .priorityLevelConfigurations, #"{"metadata": {"name": "n"}, "spec": {"type": "Limited"}}"#,
                "spec.limited: Required value: must not be empty when type is Limited"
            ),
            (
                .certificateSigningRequests,
                #"{"metadata": {"name": "n"}, "spec": {"request": "AAAA", "signerName": "a.b/c", "usages": ["any"]}}"#,
                #"spec.request: Invalid value: "AAAA": PEM block type must be CERTIFICATE REQUEST"#
            ),
        ])
    func faults(resource: ResourceType, text: String, expected: String) throws {
        let complaints = try Fixture.complaints(resource, text)
        #expect(complaints.contains { $0.hasPrefix(expected) }, "\(complaints)")
    }

    private static func hook(_ members: String, rule: String = "") -> String {
        #"""
        {"metadata": {"name": "hooks"}, "webhooks": [{"name": "a.example.com", "sideEffects": "None",
        "admissionReviewVersions": ["v1"], "clientConfig": {"url": "https://127.0.0.1/x"},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]\#(rule)}]
        \#(members)}]}
        """#
    }

    @Test(
        "a webhook's faults are named in Kubernetes' words",
        arguments: [
            (hook(""), []),
            (
                hook(#", "timeoutSeconds": 31"#),
                ["webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds"]
            ),
            (
                hook("", rule: #", "scope": "Some""#),
                [
                    #"webhooks[0].rules[0].scope: Unsupported value: "Some": supported values: "*", "Cluster", "Namespaced""#
                ]
            ),
            (
                #"{"metadata": {"name": "h"}, "webhooks": [{"name": "a.b", "clientConfig": {"url": "http://x?y"}}]}"#,
                [
                    #"webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots"#,
                    "webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun",
                    #"webhooks[0].clientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme; desired format: https://host[/path]"#,
                    #"webhooks[0].clientConfig.url: Invalid value: "y": query parameters are not permitted in the URL"#,
                    "webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1",
                ]
            ),
        ])
    func webhooks(text: String, expected: [String]) throws {
        for resource in [ResourceType.validatingWebhookConfigurations, .mutatingWebhookConfigurations] {
            #expect(try Fixture.complaints(resource, text) == expected)
        }
    }

    @Test("what a manifest leaves out is filled in")
    func defaults() throws {
        let driver = try Fixture.object(.csiDrivers, #"{"metadata": {"name": "a"}, "spec": {}}"#)
        #expect(driver.value[["spec", "attachRequired"]] == true)
        #expect(driver.value[["spec", "volumeLifecycleModes"]] == ["Persistent"])
        let hooks = try Fixture.object(.mutatingWebhookConfigurations, Self.hook(""))
        let hook = hooks.value["webhooks"]?.array?.first
        #expect(hook?["failurePolicy"] == "Fail" && hook?["matchPolicy"] == "Equivalent")
        #expect(hook?["timeoutSeconds"] == 10 && hook?["reinvocationPolicy"] == "Never")
        #expect(hook?["namespaceSelector"] == [:])
        let level = try Fixture.object(
            .priorityLevelConfigurations,
            #"{"metadata": {"name": "a"}, "spec": {"type": "Limited", "limited": {"limitResponse": {"type": "Queue", "queuing": {}}}}}"#
        )
        #expect(level.value[["spec", "limited", "nominalConcurrencyShares"]] == 30)
        #expect(level.value[["spec", "limited", "limitResponse", "queuing", "handSize"]] == 8)
    }

    @Test("the objects of flow control that every cluster has are right, and fixed")
    func mandatoryFlow() throws {
        for (resource, objects) in [
            (ResourceType.flowSchemas, MandatoryFlow.schemas), (.priorityLevelConfigurations, MandatoryFlow.levels),
        ] {
            for object in objects { #expect(try Fixture.complaints(resource, object.value.text) == []) }
        }
        var changed = MandatoryFlow.schemas[1]
        changed.value[["spec", "matchingPrecedence"]] = 9000
        let complaints = try Fixture.complaints(.flowSchemas, changed.value.text)
        #expect(complaints.contains { $0.hasSuffix("spec of 'catch-all' must equal the fixed value") })
    }

    private static let request = """
        {"metadata": {"name": "n"}, "spec": {"request": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0t",
        "signerName": "example.com/s", "usages": ["client auth"], "username": "jane", "expirationSeconds": 3600}}
        """

    private static let approval: JSONValue = [["type": "Approved", "status": "True", "reason": "Fine"]]

    @Test("a request is approved by its sub-resource alone, and shows what was decided")
    func approval() throws {
        let approved = try Fixture.changed(.certificateSigningRequests, Self.request, "approval") {
            $0.value[["status", "conditions"]] = Self.approval
            $0.value[["spec", "username"]] = "eve"
        }
        #expect(approved.errors == [])
        #expect(approved.object.value[["spec", "username"]] == "jane")
        let condition = approved.object.value[["status", "conditions"]]?.array?.first
        #expect(condition?["lastUpdateTime"] != nil && condition?["lastTransitionTime"] != nil)
        let sneaked = try Fixture.changed(.certificateSigningRequests, Self.request, "status") {
            $0.value[["status", "conditions"]] = Self.approval
        }
        #expect(
            sneaked.errors
                == [#"status.conditions: Forbidden: updates may not add a condition of type "Approved""#])
        let line = try Fixture.line(.certificateSigningRequests, Self.request) {
            $0.value[["status", "conditions"]] = Self.approval
        }
        #expect(line == "n|5m|example.com/s|jane|60m|Approved")
    }
}

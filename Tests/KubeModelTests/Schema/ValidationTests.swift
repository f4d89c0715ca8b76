import KubeModel
import Testing

@Suite("Validation", .timeLimit(.minutes(5))) struct ValidationTests {
    @Test(
        "metadata is checked for every kind",
        arguments: [
            (
                #"{"metadata": {"name": "Bad_Name"}}"#,
                [
                    #"metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of lower case "#
                        + "alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character "
                        + "(e.g. 'example.com', regex used for validation is "
                        + #"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"#
                ]
            ),
            (
                #"{"metadata": {"name": "a", "labels": {"env": "not a valid value!"}}}"#,
                [
                    #"metadata.labels: Invalid value: "not a valid value!": a valid label must be an empty string or "#
                        + "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
                        + "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation "
                        + "is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
                ]
            ),
            (
                #"{"metadata": {"name": "a", "labels": {"/x": "y"}}}"#,
                [#"metadata.labels: Invalid value: "/x": prefix part must be non-empty"#]
            ),
        ])
    func metadata(text: String, expected: [String]) throws {
        #expect(try Fixture.complaints(.configMaps, text) == expected)
    }

    @Test("an object without a name is refused")
    func nameless() throws {
        let kind = try Fixture.kind(.configMaps)
        let errors = kind.validate(KubeObject(["metadata": ["namespace": "lab"]]))
        #expect(errors.map(\.description) == ["metadata.name: Required value: name or generateName is required"])
    }

    @Test(
        "a deployment's faults are named with place, value and reason",
        arguments: [
            (
                Fixture.deployment(spec: #""replicas": -1"#),
                ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]
            ),
            (
                Fixture.deployment(labels: #"{"app": "x"}"#),
                [
                    #"spec.template.metadata.labels: Invalid value: map[string]string{"app":"x"}: "#
                        + "`selector` does not match template `labels`"
                ]
            ),
            (
                Fixture.deployment(pod: #""restartPolicy": "Never""#),
                [#"spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always""#]
            ),
            (
                Fixture.deployment(spec: #""strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}"#),
                [
                    "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0%: may not be 0 when `maxSurge` is 0"
                ]
            ),
            (
                Fixture.deployment(spec: #""strategy": {"type": "Recreate", "rollingUpdate": {}}"#),
                [
                    "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"
                ]
            ),
            (
                Fixture.deployment(spec: #""strategy": {"type": "Bluegreen"}"#),
                [
                    #"spec.strategy.type: Unsupported value: "Bluegreen": supported values: "Recreate", "RollingUpdate""#
                ]
            ),
            (
                Fixture.deployment(spec: #""strategy": {"rollingUpdate": {"maxSurge": "half"}}"#),
                [
                    "spec.strategy.rollingUpdate.maxSurge: Invalid value: half: a valid percent string must be a numeric "
                        + "string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
                ]
            ),
            (
                Fixture.deployment(spec: #""minReadySeconds": 600"#),
                ["spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"]
            ),
            (
                #"{"spec": {"selector": {}, "template": {"spec": {"containers": [{"name": "a", "image": "b:1"}]}}}}"#,
                [
                    "spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string(nil), "
                        + "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: empty selector is invalid for deployment"
                ]
            ),
            (
                #"{"spec": {"template": {"spec": {"containers": [{"name": "a", "image": "b:1"}]}}}}"#,
                [
                    "spec.selector: Required value",
                    "spec.template.metadata.labels: Invalid value: map[string]string(nil): "
                        + "`selector` does not match template `labels`",
                ]
            ),
        ])
    func deployment(text: String, expected: [String]) throws {
        #expect(try Fixture.complaints(.deployments, text) == expected)
    }

    @Test(
        "a service's faults are named with place, value and reason",
        arguments: [
            (
                #"{"ports": [{"port": 70000}]}"#,
                [
                    "spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive",
                    "spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
                ]
            ),
            (#"{}"#, ["spec.ports: Required value"]),
            (
                #"{"ports": [{"targetPort": 80}]}"#,
                ["spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive"]
            ),
            (
                #"{"ports": [{"port": 80}, {"port": 81}]}"#,
                ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"]
            ),
            (
                #"{"ports": [{"name": "a", "port": 80}, {"name": "a", "port": 81}]}"#,
                [#"spec.ports[1].name: Duplicate value: "a""#]
            ),
            (
                #"{"ports": [{"port": 80, "nodePort": 30080}]}"#,
                ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"]
            ),
            (
                #"{"type": "Public", "ports": [{"port": 80}]}"#,
                [
                    #"spec.type: Unsupported value: "Public": supported values: "ClusterIP", "ExternalName", "#
                        + #""LoadBalancer", "NodePort""#
                ]
            ),
            (#"{"type": "ExternalName"}"#, ["spec.externalName: Required value"]),
            (
                #"{"clusterIP": "ten", "ports": [{"port": 80}]}"#,
                [
                    #"spec.clusterIPs[0]: Invalid value: "ten": must be a valid IP address, "#
                        + "(e.g. 10.9.8.7 or 2001:db8::ffff)"
                ]
            ),
            (
                #"{"externalTrafficPolicy": "Local", "ports": [{"port": 80}]}"#,
                [
                    #"spec.externalTrafficPolicy: Invalid value: "Local": "#
                        + "may only be set for externally-accessible services"
                ]
            ),
            (
                #"{"ports": [{"port": 80, "targetPort": "Http Port"}]}"#,
                [
                    #"spec.ports[0].targetPort: Invalid value: "Http Port": must contain only alpha-numeric characters "#
                        + "(a-z, 0-9), and hyphens (-)"
                ]
            ),
        ])
    func service(spec: String, expected: [String]) throws {
        #expect(try Fixture.complaints(.services, #"{"spec": \#(spec)}"#) == expected)
    }

    @Test("a service's name starts with a letter")
    func serviceName() throws {
        let complaint = try #require(
            try Fixture.complaints(.services, #"{"metadata": {"name": "1web"}, "spec": {"ports": [{"port": 80}]}}"#)
                .first)
        #expect(complaint.hasPrefix(#"metadata.name: Invalid value: "1web": a DNS-1035 label must consist of"#))
    }

    @Test(
        "other kinds have rules of their own",
        arguments: [
            (
                ResourceType.secrets, #"{"type": "kubernetes.io/tls"}"#,
                ["data[tls.crt]: Required value", "data[tls.key]: Required value"]
            ),
            (
                .configMaps, #"{"data": {"a/b": "1"}}"#,
                [
                    #"data[a/b]: Invalid value: "a/b": a valid config key must consist of alphanumeric characters, '-', "#
                        + "'_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
                        + "'[-._a-zA-Z0-9]+')"
                ]
            ),
            (.endpointSlices, #"{"endpoints": []}"#, ["addressType: Required value"]),
            (
                .endpointSlices, #"{"addressType": "IPv4", "endpoints": [{"addresses": ["::1"]}]}"#,
                [#"endpoints[0].addresses[0]: Invalid value: "::1": must be a valid IPv4 address"#]
            ),
            (
                .events, #"{"involvedObject": {"namespace": "other"}}"#,
                [#"involvedObject.namespace: Invalid value: "other": does not match event.namespace"#]
            ),
            (
                .leases, #"{"spec": {"leaseDurationSeconds": 0}}"#,
                ["spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"]
            ),
            (
                .nodes, #"{"spec": {"taints": [{"key": "gpu", "effect": "Never"}]}}"#,
                [
                    #"metadata.taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "#
                        + #""PreferNoSchedule", "NoExecute""#
                ]
            ),
        ])
    func others(resource: ResourceType, text: String, expected: [String]) throws {
        #expect(try Fixture.complaints(resource, text) == expected)
    }

    @Test("one error stands alone in the answer, several stand in brackets, each with its cause")
    func status() {
        let one = FieldError.required(FieldPath("spec", "containers"))
        let two = FieldError.invalid(FieldPath("spec", "replicas"), -1, "must be greater than or equal to 0")
        #expect(
            Status.invalid(.pods, name: "x", [one]).message == "Pod \"x\" is invalid: spec.containers: Required value")
        let status = Status.invalid(.deployments, name: "x", [one, two])
        #expect(status.code == 422)
        #expect(
            status.message == "Deployment.apps \"x\" is invalid: [spec.containers: Required value, "
                + "spec.replicas: Invalid value: -1: must be greater than or equal to 0]")
        #expect(
            status.details == [
                "name": "x", "group": "apps", "kind": "Deployment",
                "causes": [
                    ["reason": "FieldValueRequired", "message": "Required value", "field": "spec.containers"],
                    [
                        "reason": "FieldValueInvalid",
                        "message": "Invalid value: -1: must be greater than or equal to 0", "field": "spec.replicas",
                    ],
                ],
            ])
    }
}

import KubeModel
import Testing

@Suite("Validation of pods", .timeLimit(.minutes(5))) struct PodValidationTests {
    @Test("a whole sample of every kind is right", arguments: KindCatalog.builtIn.kinds.map(\.resource))
    func samples(resource: ResourceType) throws {
        #expect(try Fixture.refusals(resource, Samples.text(of: resource)) == [])
    }

    @Test(
        "what is required is asked for",
        arguments: [
            (#"{}"#, ["spec.containers: Required value"]),
            (#"{"spec": {"containers": []}}"#, ["spec.containers: Required value"]),
            (#"{"spec": {"containers": [{"name": "web"}]}}"#, ["spec.containers[0].image: Required value"]),
            (#"{"spec": {"containers": [{"image": "web:1"}]}}"#, ["spec.containers[0].name: Required value"]),
        ])
    func required(text: String, expected: [String]) throws {
        #expect(try Fixture.complaints(.pods, text) == expected)
    }

    @Test(
        "a container's faults are named with place, value and reason",
        arguments: [
            (#""ports": [{}]"#, "ports[0].containerPort: Required value"),
            (
                #""ports": [{"containerPort": 70000}]"#,
                "ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"
            ),
            (
                #""ports": [{"containerPort": 80, "protocol": "tcp"}]"#,
                #"ports[0].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP""#
            ),
            (
                #""ports": [{"name": "http", "containerPort": 80}, {"name": "http", "containerPort": 81}]"#,
                #"ports[1].name: Duplicate value: "http""#
            ),
            (
                #""ports": [{"name": "much-too-long-name", "containerPort": 80}]"#,
                #"ports[0].name: Invalid value: "much-too-long-name": must be no more than 15 characters"#
            ),
            (
                #""imagePullPolicy": "Sometimes""#,
                #"imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never""#
            ),
            (#""env": [{"value": "x"}]"#, "env[0].name: Required value"),
            (
                #""env": [{"name": "a=b"}]"#,
                #"env[0].name: Invalid value: "a=b": a valid environment variable name must consist only of printable "#
                    + "ASCII characters other than '='"
            ),
            (
                #""env": [{"name": "A", "value": "x", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}]"#,
                #"env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty"#
            ),
            (
                #""env": [{"name": "A", "valueFrom": {}}]"#,
                #"env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, "#
                    + "`configMapKeyRef` or `secretKeyRef`"
            ),
            (
                #""env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s"}}}]"#,
                "env[0].valueFrom.secretKeyRef.key: Required value"
            ),
            (
                #""envFrom": [{}]"#,
                #"envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`"#
            ),
            (#""volumeMounts": [{"name": "v", "mountPath": "/v"}]"#, #"volumeMounts[0].name: Not found: "v""#),
            (#""livenessProbe": {}"#, "livenessProbe: Required value: must specify a handler type"),
            (
                #""livenessProbe": {"httpGet": {"port": 80}, "tcpSocket": {"port": 80}}"#,
                "livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type"
            ),
            (
                #""readinessProbe": {"httpGet": {"path": "/"}}"#,
                "readinessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive"
            ),
            (
                #""readinessProbe": {"exec": {"command": ["x"]}, "periodSeconds": -1}"#,
                "readinessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0"
            ),
            (
                #""livenessProbe": {"exec": {"command": ["x"]}, "successThreshold": 2}"#,
                "livenessProbe.successThreshold: Invalid value: 2: must be 1"
            ),
            (
                #""livenessProbe": {"exec": {}}"#, "livenessProbe.exec.command: Required value"
            ),
            (
                #""resources": {"limits": {"cpu": "500m"}, "requests": {"cpu": "1"}}"#,
                #"resources.requests: Invalid value: "1": must be less than or equal to cpu limit of 500m"#
            ),
            (
                #""resources": {"limits": {"memory": "-1Mi"}, "requests": {"memory": "-1Mi"}}"#,
                #"resources.limits[memory]: Invalid value: "-1Mi": must be greater than or equal to 0"#
            ),
            (
                #""restartPolicy": "Always""#, "restartPolicy: Forbidden: may not be set for non-init containers"
            ),
            (
                #""securityContext": {"runAsUser": -1}"#,
                "securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"
            ),
        ])
    func container(given: String, expected: String) throws {
        let complaints = try Fixture.complaints(.pods, Fixture.pod(container: given))
        #expect(complaints.first == "spec.containers[0].\(expected)")
    }

    @Test(
        "a pod's faults are named with place, value and reason",
        arguments: [
            (
                #""restartPolicy": "Sometimes""#,
                [
                    #"spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never""#
                ]
            ),
            (
                #""activeDeadlineSeconds": 0"#,
                ["spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"]
            ),
            (
                #""volumes": [{"name": "v"}, {"name": "v"}]"#, [#"spec.volumes[1].name: Duplicate value: "v""#]
            ),
            (
                #""volumes": [{"name": "v", "emptyDir": {}, "configMap": {"name": "c"}}]"#,
                ["spec.volumes[0].configMap: Forbidden: may not specify more than 1 volume type"]
            ),
            (
                #""volumes": [{"name": "v", "secret": {"secretName": "s", "defaultMode": 1000}}]"#,
                [
                    "spec.volumes[0].secret.defaultMode: Invalid value: 1000: must be a number between 0 and 0777 (octal), "
                        + "both inclusive"
                ]
            ),
            (
                #""initContainers": [{"name": "web", "image": "a:1"}]"#,
                [#"spec.initContainers[0].name: Duplicate value: "web""#]
            ),
            (
                #""initContainers": [{"name": "a", "image": "a:1", "readinessProbe": {"exec": {"command": ["x"]}}}]"#,
                [
                    "spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without "
                        + "restartPolicy=Always"
                ]
            ),
            (
                #""tolerations": [{"operator": "Is", "key": "a"}]"#,
                [#"spec.tolerations[0].operator: Unsupported value: "Is": supported values: "Equal", "Exists""#]
            ),
            (
                #""topologySpreadConstraints": [{"maxSkew": 0, "topologyKey": "zone", "whenUnsatisfiable": "Wait"}]"#,
                [
                    "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
                    #"spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "Wait": "#
                        + #"supported values: "DoNotSchedule", "ScheduleAnyway""#,
                ]
            ),
        ])
    func pod(given: String, expected: [String]) throws {
        #expect(try Fixture.complaints(.pods, Fixture.pod(spec: given)) == expected)
    }

    @Test("two containers of one name are refused")
    func duplicateNames() throws {
        let text = #"{"spec": {"containers": [{"name": "a", "image": "x:1"}, {"name": "a", "image": "y:1"}]}}"#
        #expect(try Fixture.complaints(.pods, text) == [#"spec.containers[1].name: Duplicate value: "a""#])
    }
}

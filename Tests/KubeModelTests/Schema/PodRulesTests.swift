import KubeModel
import Testing

@Suite("Rules across a pod", .timeLimit(.minutes(5))) struct PodRulesTests {
    @Test(
        "volumes have one source, and mounts find them",
        arguments: [
            (
                #""volumes": [{"name": "a", "emptyDir": {}, "hostPath": {"path": "/x"}}]"#,
                ["spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"]
            ),
            (
                #""volumes": [{"name": "a", "nfs": {"server": "s", "path": "x"}}]"#,
                [#"spec.volumes[0].nfs.path: Invalid value: "x": must be an absolute path"#]
            ),
            (
                #""volumes": [{"name": "a", "configMap": {"name": "c", "items": [{"key": "k", "path": "../k"}]}}]"#,
                [#"spec.volumes[0].configMap.items[0].path: Invalid value: "../k": must not contain '..'"#]
            ),
            (
                #""volumes": [{"name": "a", "projected": {"sources": [{"configMap": {"name": "c", "items": "#
                    + #"[{"key": "k", "path": "f"}]}}, {"secret": {"name": "s", "items": [{"key": "k", "path": "f"}]}}]}}]"#,
                [#"spec.volumes[0].projected: Invalid value: "s": conflicting duplicate paths"#]
            ),
            (
                #""volumes": [{"name": "a", "emptyDir": {}}, {"name": "a", "emptyDir": {}}]"#,
                [#"spec.volumes[1].name: Duplicate value: "a""#]
            ),
        ])
    func volumes(spec: String, expected: [String]) throws {
        #expect(try Fixture.complaints(.pods, Fixture.pod(spec: spec)) == expected)
    }

    @Test("a volume with a fault cannot be mounted, and the fault is told first")
    func brokenVolume() throws {
        let text = Fixture.pod(
            container: #""volumeMounts": [{"name": "a", "mountPath": "/a"}]"#,
            spec: #""volumes": [{"name": "a", "secret": {}}]"#)
        #expect(
            try Fixture.complaints(.pods, text) == [
                "spec.volumes[0].secret.secretName: Required value",
                #"spec.containers[0].volumeMounts[0].name: Not found: "a""#,
            ])
    }

    @Test(
        "containers are held to what they share",
        arguments: [
            (
                #""ports": [{"containerPort": 80, "hostPort": 80}, {"containerPort": 81, "hostPort": 80}]"#,
                [#"ports[1].hostPort: Duplicate value: "TCP//80""#]
            ),
            (
                #""env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.nope"}}}]"#,
                [
                    #"env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.nope": "#
                        + "error converting fieldPath: field label not supported: spec.nope"
                ]
            ),
            (
                #""env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.phase"}}}]"#,
                [
                    #"env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: "#
                        + #""metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "#
                        + #""spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs""#
                ]
            ),
            (
                #""env": [{"name": "A", "value": "x", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]"#,
                [#"env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty"#]
            ),
            (
                #""env": [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "2"}}}]"#,
                [
                    #"env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor's values "#
                        + "1m and 1 are supported with the cpu resource"
                ]
            ),
            (
                #""resources": {"requests": {"example.com/gpu": "1"}}"#,
                ["resources.limits: Required value: Limit must be set for non overcommitable resources"]
            ),
            (
                #""lifecycle": {"preStop": {"sleep": {"seconds": 60}}}"#,
                [
                    "lifecycle.preStop.sleep: Invalid value: 60: must be greater than 0 and less than "
                        + "terminationGracePeriodSeconds (30). Enable AllowPodLifecycleSleepActionZeroValue feature gate "
                        + "for zero sleep."
                ]
            ),
            (
                #""securityContext": {"seccompProfile": {"type": "Localhost"}}"#,
                [
                    "securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is "
                        + "Localhost"
                ]
            ),
            (#""image": " web ""#, [#"image: Invalid value: " web ": must not have leading or trailing whitespace"#]),
        ])
    func container(members: String, expected: [String]) throws {
        let text =
            members.contains("\"image\"")
            ? #"{"spec": {"containers": [{"name": "web", \#(members)}]}}"# : Fixture.pod(container: members)
        #expect(try Fixture.complaints(.pods, text) == expected.map { "spec.containers[0].\($0)" })
    }

    @Test(
        "the pod as a whole is held to its rules",
        arguments: [
            (
                #""dnsPolicy": "None""#,
                ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"]
            ),
            (
                #""hostNetwork": true, "hostUsers": false"#,
                ["spec.hostNetwork: Forbidden: when `pod.Spec.HostUsers` is false"]
            ),
            (
                #""hostAliases": [{"ip": "x", "hostnames": ["a"]}]"#,
                [
                    #"spec.hostAliases[0].ip: Invalid value: "x": must be a valid IP address, "#
                        + "(e.g. 10.9.8.7 or 2001:db8::ffff)"
                ]
            ),
            (
                #""topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "#
                    + #""DoNotSchedule"}, {"maxSkew": 2, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"}]"#,
                [
                    "spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: "
                        + #"Duplicate value: "{z, DoNotSchedule}""#
                ]
            ),
            (
                #""affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}}"#,
                [
                    "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: "
                        + "Required value: must have at least one node selector term"
                ]
            ),
            (
                #""securityContext": {"sysctls": [{"name": "Net"}]}"#,
                [
                    #"spec.securityContext.sysctls[0].name: Invalid value: "Net": must have at most 253 characters and "#
                        + #"match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"#
                ]
            ),
        ])
    func pod(spec: String, expected: [String]) throws {
        #expect(try Fixture.complaints(.pods, Fixture.pod(spec: spec)) == expected)
    }

    private func update(_ spec: String, _ change: (inout KubeObject) -> Void) throws -> [String] {
        let kind = try Fixture.kind(.pods)
        let old = try Fixture.object(.pods, Fixture.pod(spec: spec))
        var new = old
        change(&new)
        return kind.validateUpdate(new, old: old).map(\.description)
    }

    @Test("gates are only taken away, and tolerations only added")
    func gates() throws {
        let gated = #""schedulingGates": [{"name": "a"}], "tolerations": [{"key": "k", "operator": "Exists"}]"#
        #expect(try update(gated) { $0.value[["spec", "schedulingGates"]] = nil } == [])
        #expect(try update(gated) { $0.value[["spec", "nodeSelector"]] = ["disk": "ssd"] } == [])
        #expect(
            try update(gated) { $0.value[["spec", "schedulingGates"]] = [["name": "b"]] } == [
                "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'b'"
            ])
        #expect(
            try update(gated) { $0.value[["spec", "tolerations"]] = nil } == [
                "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"
            ])
    }

    @Test("a deadline only gets nearer")
    func deadline() throws {
        let limited = #""activeDeadlineSeconds": 10"#
        #expect(
            try update(limited) { $0.value[["spec", "activeDeadlineSeconds"]] = nil } == [
                #"spec.activeDeadlineSeconds: Invalid value: "null": must not update from a positive integer to nil value"#
            ])
        #expect(
            try update(limited) { $0.value[["spec", "activeDeadlineSeconds"]] = 11 } == [
                "spec.activeDeadlineSeconds: Invalid value: 11: must be less than or equal to previous value"
            ])
        #expect(try update(limited) { $0.value[["spec", "activeDeadlineSeconds"]] = 9 } == [])
    }

    @Test("ephemeral containers come with their sub-resource, not with the pod nor in a template")
    func ephemeral() throws {
        let text = Fixture.pod(spec: #""ephemeralContainers": [{"name": "look", "image": "x:1"}]"#)
        let errors = try Fixture.kind(.pods).validateCreate(Fixture.object(.pods, text)).map(\.description)
        #expect(errors == ["spec.ephemeralContainers: Forbidden: cannot be set on create"])
        let template = Fixture.deployment(pod: #""ephemeralContainers": [{"name": "look", "image": "x:1"}]"#)
        #expect(
            try Fixture.complaints(.deployments, template) == [
                "spec.template.spec.ephemeralContainers: Forbidden: ephemeral containers not allowed in pod template"
            ])
    }

    @Test("a refused change is shown as the difference of Go's structures")
    func difference() throws {
        let hostname = try update("") { $0.value[["spec", "hostname"]] = "other" }
        let lines = hostname.first?.split(separator: "\n").dropFirst().map(String.init)
        #expect(
            lines == [
                "  core.PodSpec{", "  \t... // 12 identical fields", "  \tSecurityContext:   &{},",
                "  \tImagePullSecrets:  nil,", "- \tHostname:          \"\",", "+ \tHostname:          \"other\",",
                "  \tSubdomain:         \"\",", "  \tSetHostnameAsFQDN: nil,", "  \t... // 17 identical fields", "  }",
            ])
        let command = try update("") { pod in
            pod.value[["spec", "containers"]] = .array(
                (pod.value[["spec", "containers"]]?.array ?? []).map { container in
                    var container = container
                    container["command"] = ["sleep", "1"]
                    return container
                })
        }
        let text = try #require(command.first)
        #expect(
            text.contains(
                "  \tContainers: []core.Container{\n  \t\t{\n  \t\t\tName:       \"web\",\n  \t\t\tImage:      \"web:1.0\",\n"
                    + "- \t\t\tCommand:    nil,\n+ \t\t\tCommand:    {\"sleep\", \"1\"},\n  \t\t\tArgs:       nil,\n"
                    + "  \t\t\tWorkingDir: \"\",\n  \t\t\t... // 19 identical fields\n  \t\t},\n  \t},\n"))
    }
}

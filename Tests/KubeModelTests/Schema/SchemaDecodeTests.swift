import KubeModel
import Testing

@Suite("Decoding objects", .timeLimit(.minutes(5))) struct SchemaDecodeTests {
    @Test("zeros, empty texts and empty lists that say nothing are dropped; the others stay")
    func zeros() throws {
        let kind = try Fixture.kind(.deployments)
        let value = try Fixture.parse(
            #"""
            {"metadata": {"name": "web", "annotations": {}, "labels": {"a": ""}, "finalizers": []},
             "spec": {"replicas": 0, "minReadySeconds": 0, "paused": false, "revisionHistoryLimit": 0,
              "template": {"spec": {"terminationGracePeriodSeconds": 0, "hostNetwork": false, "volumes": [
                {"name": "scratch", "emptyDir": {}}], "securityContext": {"runAsUser": 0, "runAsNonRoot": false},
               "containers": [{"name": "web", "args": ["", "x"], "env": [{"name": "A", "value": ""}],
                "livenessProbe": {"initialDelaySeconds": 0, "periodSeconds": 0, "exec": {"command": ["a"]}}}]}}}}
            """#)
        let kept = try Fixture.parse(
            #"""
            {"metadata": {"name": "web", "labels": {"a": ""}},
             "spec": {"replicas": 0, "revisionHistoryLimit": 0,
              "template": {"spec": {"terminationGracePeriodSeconds": 0, "volumes": [
                {"name": "scratch", "emptyDir": {}}], "securityContext": {"runAsUser": 0, "runAsNonRoot": false},
               "containers": [{"name": "web", "args": ["", "x"], "env": [{"name": "A"}],
                "livenessProbe": {"exec": {"command": ["a"]}}}]}}}}
            """#)
        let found = try kind.decode(value).object.value
        #expect(found == kept, "\(found.text)")
    }

    @Test(
        "a wrong type is named with its place and the type expected",
        arguments: [
            (
                ResourceType.deployments, #"{"spec": {"replicas": "three"}}"#,
                "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
            ),
            (
                .deployments, #"{"spec": {"replicas": 1.5}}"#,
                "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32"
            ),
            (
                .deployments, #"{"spec": {"replicas": 3000000000}}"#,
                "json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32"
            ),
            (
                .deployments,
                #"{"spec": {"template": {"spec": {"containers": [{"env": [{"name": "A", "value": 5}]}]}}}}"#,
                "json: cannot unmarshal number into Go struct field "
                    + "EnvVar.spec.template.spec.containers.env.value of type string"
            ),
            (
                .deployments, #"{"spec": {"template": {"spec": {"containers": {"name": "web"}}}}}"#,
                "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers "
                    + "of type []v1.Container"
            ),
            (
                .configMaps, #"{"metadata": {"labels": {"tier": 1}}}"#,
                "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string"
            ),
            (
                .configMaps, #"{"data": {"debug": true}}"#,
                "json: cannot unmarshal bool into Go struct field ConfigMap.data of type string"
            ),
            (
                .pods, #"{"spec": "x"}"#,
                "json: cannot unmarshal string into Go struct field Pod.spec of type v1.PodSpec"
            ),
            (
                .pods, #"{"spec": {"containers": [{"livenessProbe": {"httpGet": {"port": true}}}]}}"#,
                "json: cannot unmarshal bool into Go value of type int32"
            ),
            (
                .pods, #"{"spec": {"containers": [{"resources": {"limits": {"cpu": "lots"}}}]}}"#,
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            ),
            (.secrets, #"{"data": {"key": "plain text"}}"#, "illegal base64 data at input byte 5"),
            (
                .pods, #"["a"]"#, "json: cannot unmarshal array into Go value of type v1.Pod"
            ),
        ])
    func wrongTypes(resource: ResourceType, text: String, message: String) throws {
        let kind = try Fixture.kind(resource)
        let value = try Fixture.parse(text)
        #expect(throws: DecodeError(message: message)) { try kind.decode(value) }
    }

    @Test("the answer to a wrong type says which kind could not be read")
    func statusOfWrongType() throws {
        let kind = try Fixture.kind(.deployments)
        let value = try Fixture.parse(#"{"spec": {"paused": "yes"}}"#)
        let error = #expect(throws: DecodeError.self) { try kind.decode(value) }
        let status = try #require(error).status(kind.resource)
        #expect(status.code == 400)
        #expect(
            status.message == "Deployment in version \"v1\" cannot be handled as a Deployment: "
                + "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.paused of type bool")
    }

    @Test(
        "unknown members are named by their path and dropped",
        arguments: [
            (ResourceType.deployments, #"{"spec": {"replicaz": 3}}"#, ["spec.replicaz"]),
            (.deployments, #"{"spek": {}, "spec": {"paused": true}}"#, ["spek"]),
            (
                .pods, #"{"spec": {"containers": [{"name": "a"}, {"imagee": "b", "ports": [{"port": 80}]}]}}"#,
                ["spec.containers[1].imagee", "spec.containers[1].ports[0].port"]
            ),
            (.configMaps, #"{"metadata": {"label": {}}, "data": {"anything": "goes"}}"#, ["metadata.label"]),
            (.services, #"{"spec": {"selectors": {"app": "web"}}}"#, ["spec.selectors"]),
        ])
    func unknownFields(resource: ResourceType, text: String, expected: [String]) throws {
        let kind = try Fixture.kind(resource)
        let (object, unknown) = try kind.decode(Fixture.parse(text))
        #expect(unknown == expected)
        #expect(try kind.decode(object.value).unknownFields.isEmpty)
    }

    @Test("strict decoding lists unknown and duplicate members in one message")
    func strictMessage() {
        let status = Status.strictDecoding(
            .deployments, unknownFields: ["spec.replicaz", "spec.foo"], duplicateFields: ["spec.paused"])
        #expect(
            status.message == "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: "
                + "unknown field \"spec.replicaz\", unknown field \"spec.foo\", duplicate field \"spec.paused\"")
    }

    @Test("null is the same as absent, and empty text inside a map of text")
    func nulls() throws {
        let text = #"{"metadata": {"creationTimestamp": null, "name": "a"}, "data": {"EMPTY": null}}"#
        let (object, unknown) = try Fixture.kind(.configMaps).decode(Fixture.parse(text))
        #expect(object.value == (try Fixture.parse(#"{"metadata": {"name": "a"}, "data": {"EMPTY": ""}}"#)))
        #expect(unknown.isEmpty)
    }

    @Test("the order of members is kept when others are dropped")
    func order() throws {
        let text = #"{"spec":{"zzz":1,"paused":true,"replicas":2},"metadata":{"name":"a"}}"#
        let (object, _) = try Fixture.kind(.deployments).decode(Fixture.parse(text))
        #expect(object.value.text == #"{"spec":{"paused":true,"replicas":2},"metadata":{"name":"a"}}"#)
    }

    @Test("amounts are kept in their shortest form")
    func canonicalAmounts() throws {
        let text =
            #"{"spec": {"containers": [{"resources": {"limits": {"cpu": 0.5, "memory": "2048Mi", "pods": 3}}}]}}"#
        let (pod, _) = try Fixture.kind(.pods).decode(Fixture.parse(text))
        let container = pod.value[["spec", "containers"]]?.array?.first
        #expect(container?[["resources", "limits"]] == ["cpu": "500m", "memory": "2Gi", "pods": "3"])
    }

    @Test(
        "amounts are read as Kubernetes reads them",
        arguments: [
            ("100m", true), ("1.5Gi", true), ("1e3", true), ("+5", true), ("5.", true), (".5", true), ("12E", true),
            ("1E-2", true), ("", false), ("m", false), ("1.2.3", false), ("10Zi", false), ("1 Gi", false),
            ("0x10", false),
        ])
    func amounts(text: String, isRight: Bool) throws {
        let kind = try Fixture.kind(.pods)
        let limits: JSONValue = ["limits": ["cpu": .string(text)]]
        let value: JSONValue = ["spec": ["containers": [["resources": limits]]]]
        if isRight {
            #expect(throws: Never.self) { try kind.decode(value) }
        } else {
            #expect(throws: DecodeError.self) { try kind.decode(value) }
        }
    }
}

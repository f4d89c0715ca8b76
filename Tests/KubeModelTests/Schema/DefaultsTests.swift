import KubeModel
import Testing

@Suite("Defaults", .timeLimit(.minutes(5))) struct DefaultsTests {
    /// Adds what every pod's spec gets, so that the tests below only name what is special.
    private static func podSpec(_ more: String) throws -> JSONValue {
        var value = try Fixture.parse(
            #"""
            {"restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "terminationGracePeriodSeconds": 30,
             "securityContext": {}, "schedulerName": "default-scheduler"}
            """#)
        for (key, member) in try Fixture.parse(more).object ?? [:] { value[key] = member }
        return value
    }

    private static func container(_ more: String) throws -> JSONValue {
        var value = try Fixture.parse(
            #"""
            {"name": "web", "image": "web:1.0", "imagePullPolicy": "IfNotPresent", "resources": {},
             "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}
            """#)
        for (key, member) in try Fixture.parse(more).object ?? [:] { value[key] = member }
        return value
    }

    @Test("a pod gets what the API documents")
    func pod() throws {
        let pod = try Fixture.object(.pods, Fixture.pod())
        var expected = try Self.podSpec(#"{"enableServiceLinks": true}"#)
        expected["containers"] = [try Self.container("{}")]
        #expect(pod.value["spec"] == expected)
    }

    @Test(
        "a container's members get their own defaults",
        arguments: [
            (#""ports": [{"containerPort": 80}]"#, #"{"ports": [{"containerPort": 80, "protocol": "TCP"}]}"#),
            (
                #""livenessProbe": {"httpGet": {"port": 80}, "periodSeconds": 0}"#,
                #"""
                {"livenessProbe": {"httpGet": {"port": 80, "path": "/", "scheme": "HTTP"}, "timeoutSeconds": 1,
                 "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}}
                """#
            ),
            (
                #""env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]"#,
                #"""
                {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name", "apiVersion": "v1"}}}]}
                """#
            ),
            (
                #""resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}"#,
                #"""
                {"resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m", "memory": "1Gi"}}}
                """#
            ),
        ])
    func container(given: String, expected: String) throws {
        let pod = try Fixture.object(.pods, Fixture.pod(container: given))
        #expect(pod.value[["spec", "containers"]] == [try Self.container(expected)])
    }

    @Test(
        "the image's tag decides when it is fetched",
        arguments: [
            ("nginx", "Always"), ("nginx:latest", "Always"), ("nginx:alpine", "IfNotPresent"),
            ("localhost:5000/nginx", "Always"), ("localhost:5000/nginx:1", "IfNotPresent"),
            ("nginx@sha256:abc", "IfNotPresent"),
        ])
    func pullPolicy(image: String, expected: String) throws {
        let text = #"{"spec": {"containers": [{"name": "a", "image": "\#(image)"}]}}"#
        let pod = try Fixture.object(.pods, text)
        let container = pod.value[["spec", "containers"]]?.array?.first
        #expect(container?["imagePullPolicy"] == .string(expected))
    }

    @Test(
        "volumes get their modes, and are empty directories without a source",
        arguments: [
            (#"{"name": "v"}"#, #"{"name": "v", "emptyDir": {}}"#),
            (
                #"{"name": "v", "secret": {"secretName": "s"}}"#,
                #"{"name": "v", "secret": {"secretName": "s", "defaultMode": 420}}"#
            ),
            (
                #"{"name": "v", "configMap": {"name": "c", "defaultMode": 256}}"#,
                #"{"name": "v", "configMap": {"name": "c", "defaultMode": 256}}"#
            ),
            (
                #"{"name": "v", "hostPath": {"path": "/x"}}"#, #"{"name": "v", "hostPath": {"path": "/x", "type": ""}}"#
            ),
            (
                #"{"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}"#,
                #"""
                {"name": "v", "projected": {"defaultMode": 420,
                 "sources": [{"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}}]}}
                """#
            ),
        ])
    func volumes(given: String, expected: String) throws {
        let pod = try Fixture.object(.pods, Fixture.pod(spec: #""volumes": [\#(given)]"#))
        #expect(pod.value[["spec", "volumes"]] == [try Fixture.parse(expected)])
    }

    @Test("a deployment gets one replica, a rolling update and its deadlines; its template no requests")
    func deployment() throws {
        let deployment = try Fixture.object(.deployments, Fixture.deployment())
        var spec = deployment.value["spec"] ?? [:]
        let template = spec["template"]
        spec["template"] = nil
        #expect(
            spec
                == (try Fixture.parse(
                    #"""
                    {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
                     "selector": {"matchLabels": {"app": "web"}},
                     "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}}
                    """#)))
        var podSpec = try Self.podSpec("{}")
        podSpec["containers"] = [try Self.container("{}")]
        #expect(template?["spec"] == podSpec)
    }

    @Test("zero replicas stay zero, and Recreate gets no limits")
    func explicitValues() throws {
        let text = Fixture.deployment(spec: #""replicas": 0, "strategy": {"type": "Recreate"}"#)
        let deployment = try Fixture.object(.deployments, text)
        #expect(deployment.value[["spec", "replicas"]] == 0)
        #expect(deployment.value[["spec", "strategy"]] == ["type": "Recreate"])
    }

    @Test(
        "a service gets what its type implies",
        arguments: [
            (
                #"{"ports": [{"port": 80}]}"#,
                #"""
                {"ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}], "type": "ClusterIP",
                 "sessionAffinity": "None", "internalTrafficPolicy": "Cluster", "ipFamilyPolicy": "SingleStack",
                 "ipFamilies": ["IPv4"]}
                """#
            ),
            (
                #"{"type": "NodePort", "ports": [{"port": 80, "targetPort": "http", "nodePort": 30080}]}"#,
                #"""
                {"ports": [{"port": 80, "protocol": "TCP", "targetPort": "http", "nodePort": 30080}], "type": "NodePort",
                 "sessionAffinity": "None", "internalTrafficPolicy": "Cluster", "externalTrafficPolicy": "Cluster",
                 "ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv4"]}
                """#
            ),
            (
                #"{"type": "ExternalName", "externalName": "db.example.com"}"#,
                #"{"type": "ExternalName", "externalName": "db.example.com", "sessionAffinity": "None"}"#
            ),
            (
                #"{"clusterIP": "None", "sessionAffinity": "ClientIP", "ports": []}"#,
                #"""
                {"clusterIP": "None", "clusterIPs": ["None"], "sessionAffinity": "ClientIP",
                 "type": "ClusterIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 10800}},
                 "internalTrafficPolicy": "Cluster", "ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv4"]}
                """#
            ),
        ])
    func service(given: String, expected: String) throws {
        let service = try Fixture.object(.services, #"{"spec": \#(given)}"#)
        #expect(service.value["spec"] == (try Fixture.parse(expected)))
    }

    @Test("the texts of a secret become data, in base64")
    func secret() throws {
        let secret = try Fixture.object(
            .secrets, #"{"data": {"B": "cGFzc3dvcmQ="}, "stringData": {"A": "s3cr3t-key", "B": "ž"}}"#)
        #expect(secret.value["data"] == ["A": "czNjcjN0LWtleQ==", "B": "xb4="])
        #expect(secret.value["stringData"] == nil)
        #expect(secret.value["type"] == "Opaque")
    }

    @Test("a namespace is labelled with its name")
    func namespace() throws {
        let namespace = try Fixture.object(.namespaces, #"{"metadata": {"name": "lab"}}"#)
        #expect(namespace.labels == ["kubernetes.io/metadata.name": "lab"])
    }

    @Test("defaults applied twice change nothing", arguments: KindCatalog.builtIn.kinds.map(\.resource))
    func idempotent(resource: ResourceType) throws {
        let kind = try Fixture.kind(resource)
        var object = try Fixture.object(resource, Samples.text(of: resource))
        let once = object
        kind.applyDefaults(&object)
        #expect(object == once)
    }
}

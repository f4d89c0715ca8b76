import KubeModel
import Testing

@Suite("Creating and changing objects", .timeLimit(.minutes(5))) struct UpdateTests {
    private func update(
        _ resource: ResourceType, _ text: String, _ subresource: String? = nil, change: (inout KubeObject) -> Void
    ) throws -> (object: KubeObject, old: KubeObject, errors: [String]) {
        let kind = try Fixture.kind(resource)
        var old = try Fixture.object(resource, text)
        kind.prepareForCreate(&old)
        var object = old
        change(&object)
        kind.applyDefaults(&object)
        kind.prepareForUpdate(&object, old: old, subresource: subresource)
        let errors = kind.validate(object) + kind.validateUpdate(object, old: old, subresource: subresource)
        return (object, old, errors.map(\.description))
    }

    @Test("a new object has no status but the one that the server gives it")
    func create() throws {
        let kind = try Fixture.kind(.pods)
        var pod = try Fixture.object(.pods, Samples.text(of: .pods))
        kind.prepareForCreate(&pod)
        #expect(pod.value["status"] == ["phase": "Pending", "qosClass": "Burstable"])
        #expect(pod.value[["spec", "serviceAccountName"]] == "default")
        #expect(pod.value[["spec", "priority"]] == 0)
        let tolerations = pod.value[["spec", "tolerations"]]?.array ?? []
        #expect(tolerations.count == 3)
        #expect(
            tolerations.last == [
                "key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute",
                "tolerationSeconds": 300,
            ])
    }

    @Test(
        "requests and limits decide the class of a pod",
        arguments: [
            ("", "BestEffort"), (#""resources": {"requests": {"cpu": "1"}}"#, "Burstable"),
            (#""resources": {"limits": {"cpu": "1", "memory": "1Gi"}}"#, "Guaranteed"),
            (#""resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m"}}"#, "Guaranteed"),
            (#""resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1m"}}"#, "Burstable"),
        ])
    func quality(container: String, expected: String) throws {
        let kind = try Fixture.kind(.pods)
        var pod = try Fixture.object(.pods, Fixture.pod(container: container))
        kind.prepareForCreate(&pod)
        #expect(pod.value[["status", "qosClass"]] == .string(expected))
    }

    @Test("a node keeps the status with which it registers")
    func node() throws {
        let kind = try Fixture.kind(.nodes)
        var node = try Fixture.object(.nodes, Samples.text(of: .nodes))
        kind.prepareForCreate(&node)
        #expect(node.value[["status", "capacity", "pods"]] == "110")
    }

    @Test("the generation counts changes of the wish, not of the status")
    func generation() throws {
        let text = Fixture.deployment()
        let spec = try update(.deployments, text) { $0.value[["spec", "replicas"]] = 5 }
        #expect(spec.old.generation == 1)
        #expect(spec.object.generation == 2)
        #expect(try update(.deployments, text) { $0.annotations["a"] = "b" }.object.generation == 2)
        #expect(try update(.deployments, text) { $0.labels["a"] = "b" }.object.generation == 1)
        let status = try update(.deployments, text, "status") { $0.value[["status", "replicas"]] = 3 }
        #expect(status.object.generation == 1)
        #expect(status.object.value[["status", "replicas"]] == 3)
    }

    @Test("a change of the object leaves the status alone, and the other way round")
    func separation() throws {
        let main = try update(.deployments, Fixture.deployment()) {
            $0.value["status"] = ["replicas": 9]
            $0.value[["spec", "replicas"]] = 2
        }
        #expect(main.object.value["status"] == nil)
        #expect(main.object.value[["spec", "replicas"]] == 2)
        let status = try update(.deployments, Fixture.deployment(), "status") {
            $0.value["status"] = ["replicas": 9]
            $0.value[["spec", "replicas"]] = 2
        }
        #expect(status.object.value["status"] == ["replicas": 9])
        #expect(status.object.value[["spec", "replicas"]] == 1)
    }

    @Test("a selector never changes")
    func selector() throws {
        let text = Fixture.deployment(labels: #"{"app": "web", "tier": "x"}"#)
        let errors = try update(.deployments, text) {
            $0.value[["spec", "selector"]] = ["matchLabels": ["tier": "x"]]
        }.errors
        #expect(
            errors == [
                #"spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{"tier":"x"}, "#
                    + "MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable"
            ])
    }

    @Test("of a running pod only the images and a few limits change")
    func podSpec() throws {
        let image = try update(.pods, Fixture.pod()) { pod in
            pod.value[["spec", "containers"]] = .array(
                (pod.value[["spec", "containers"]]?.array ?? []).map { container in
                    var container = container
                    container["image"] = "web:2.0"
                    return container
                })
        }
        #expect(image.errors == [])
        let errors = try update(.pods, Fixture.pod()) { $0.value[["spec", "hostname"]] = "other" }.errors
        let message = try #require(errors.first)
        #expect(
            message.hasPrefix(
                "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
                    + "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to "
                    + "existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
                    + "previously negative)\n  core.PodSpec{\n"))
        #expect(message.contains("- \tHostname:"))
        #expect(message.contains("+ \tHostname:") && message.contains("\"other\""))
        let binding = try update(.pods, Fixture.pod(), "binding") { $0.value[["spec", "nodeName"]] = "node-1" }
        #expect(binding.errors == [])
        #expect(binding.object.value[["spec", "nodeName"]] == "node-1")
    }

    @Test("what is marked immutable stays", arguments: [ResourceType.configMaps, .secrets])
    func immutable(resource: ResourceType) throws {
        let text = #"{"data": {"a": "AAAA"}, "immutable": true}"#
        let data = try update(resource, text) { $0.value[["data", "a"]] = "BBBB" }.errors
        #expect(data == ["data: Forbidden: field is immutable when `immutable` is set"])
        let flag = try update(resource, text) { $0.value["immutable"] = nil }.errors
        #expect(flag == ["immutable: Forbidden: field is immutable when `immutable` is set"])
    }

    @Test("a secret keeps its type")
    func secretType() throws {
        let errors = try update(.secrets, "{}") { $0.value["type"] = "other" }.errors
        #expect(errors == [#"type: Invalid value: "other": field is immutable"#])
    }

    @Test("a service keeps the address it was given, and may not choose another")
    func clusterIP() throws {
        let text = #"{"spec": {"clusterIP": "10.96.0.20", "ports": [{"port": 80}]}}"#
        let silent = try update(.services, text) {
            $0.value[["spec", "clusterIP"]] = nil
            $0.value[["spec", "clusterIPs"]] = nil
        }
        #expect(silent.errors == [])
        #expect(silent.object.value[["spec", "clusterIPs"]] == ["10.96.0.20"])
        let changed = try update(.services, text) {
            $0.value[["spec", "clusterIP"]] = "10.96.0.21"
            $0.value[["spec", "clusterIPs"]] = ["10.96.0.21"]
        }
        #expect(
            changed.errors == [
                #"spec.clusterIPs[0]: Invalid value: []string{"10.96.0.21"}: may not change once set"#
            ])
    }

    @Test("a service keeps its node ports while it has any, and loses them with its type")
    func nodePorts() throws {
        let text = #"{"spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]}}"#
        let silent = try update(.services, text) { $0.value[["spec", "ports"]] = [["port": 80, "protocol": "TCP"]] }
        #expect(silent.object.value[["spec", "ports"]]?.array?.first?["nodePort"] == 30080)
        let inside = try update(.services, text) { $0.value[["spec", "type"]] = "ClusterIP" }
        #expect(inside.errors == [])
        #expect(inside.object.value[["spec", "ports"]]?.array?.first?["nodePort"] == nil)
        #expect(inside.object.value[["spec", "externalTrafficPolicy"]] == nil)
    }

    @Test("name and uid never change, and an object that is going takes no new finalizers")
    func metadata() throws {
        let renamed = try update(.configMaps, "{}") { $0.name = "other" }.errors
        #expect(renamed == [#"metadata.name: Invalid value: "other": field is immutable"#])
        let kind = try Fixture.kind(.configMaps)
        var old = try Fixture.object(.configMaps, "{}")
        old.value[["metadata", "deletionTimestamp"]] = .string(Fixture.ago(1))
        var object = old
        object.finalizers = ["lab.example.com/wait"]
        kind.prepareForUpdate(&object, old: old, subresource: nil)
        #expect(
            kind.validateUpdate(object, old: old).map(\.description) == [
                "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, "
                    + #"found new finalizers []string{"lab.example.com/wait"}"#
            ])
    }

    @Test("a namespace's finalizers change only through their own sub-resource")
    func finalize() throws {
        let text = #"{"metadata": {"name": "lab"}}"#
        let main = try update(.namespaces, text) { $0.value[["spec", "finalizers"]] = [] }
        #expect(main.object.value[["spec", "finalizers"]] == ["kubernetes"])
        let finalize = try update(.namespaces, text, "finalize") { $0.value[["spec", "finalizers"]] = [] }
        #expect(finalize.object.value[["spec", "finalizers"]] == [])
        #expect(finalize.object.value["status"] == ["phase": "Active"])
    }
}

import APIServer
import KubeClient
import KubeModel
import LabTesting
import Testing

@Suite("Writes", .timeLimit(.minutes(5))) struct WriteTests {
    @Test("a pod with scheduling gates says from the start that it waits for them")
    func gated() async throws {
        let pod = try await Fixture().client.create(
            .pods, MemoryCluster.pod("web", spec: ["schedulingGates": [["name": "example.com/a"]]]))
        let condition = Conditions(pod.value[["status", "conditions"]])["PodScheduled"]
        #expect(condition?.status == "False")
        #expect(condition?.reason == "SchedulingGated")
        #expect(condition?.message == "Scheduling is blocked due to non-empty scheduling gates")
    }

    @Test("a new cluster has its namespaces and the kubernetes Service")
    func firstObjects() async throws {
        let fixture = try Fixture()
        let names = try await fixture.client.list(.namespaces).items.map(\.name)
        #expect(names == ["default", "kube-node-lease", "kube-public", "kube-system"])
        let service = try await fixture.client.get(.services, "kubernetes", in: "default")
        #expect(service.value[["spec", "clusterIP"]] == "10.96.0.1")
    }

    @Test("a new object gets uid, time, generation and defaults")
    func metadata() async throws {
        let fixture = try Fixture()
        let made = try await fixture.client.create(.deployments, MemoryCluster.deployment("web"))
        #expect(made.uid.count == 36)
        #expect(made.creationTimestamp != nil)
        #expect(made.generation == 1)
        #expect(!made.resourceVersion.isEmpty)
        #expect(made.value[["spec", "strategy", "type"]] == "RollingUpdate")
    }

    @Test("the status of a Deployment is written without its labels, that of a pod with them")
    func statusLabels() async throws {
        let fixture = try Fixture()
        _ = try await fixture.client.create(.deployments, MemoryCluster.deployment("web"))
        _ = try await fixture.client.create(.pods, MemoryCluster.pod("web"))
        let patch: JSONValue = ["metadata": ["labels": ["new": "one"], "annotations": ["new": "one"]]]
        func patched(_ resource: ResourceType) async throws -> KubeObject {
            try await fixture.client.patch(
                resource, namespace: "default", name: "web", .merge(patch), subresource: "status",
                options: WriteOptions())
        }
        let deployment = try await patched(.deployments)
        #expect(deployment.labels["new"] == nil && deployment.annotations["new"] == "one")
        #expect(try await patched(.pods).labels["new"] == "one")
    }

    @Test("a generated name is the prefix and five letters")
    func generateName() async throws {
        let fixture = try Fixture()
        let made = try await fixture.client.create(
            .configMaps, KubeObject(["metadata": ["generateName": "x-", "namespace": "default"]]))
        #expect(made.name.count == 7)
        #expect(made.name.hasPrefix("x-"))
    }

    @Test("nothing is created in a namespace that is not there")
    func missingNamespace() async throws {
        let fixture = try Fixture()
        let status = try await refusal { _ = try await fixture.makeConfigMap("a", in: "nowhere") }
        #expect(status.code == 404)
        #expect(status.message == "namespaces \"nowhere\" not found")
    }

    @Test("nothing is created in a namespace that is going")
    func terminatingNamespace() async throws {
        let fixture = try Fixture()
        _ = try await fixture.client.create(.namespaces, KubeObject(.namespaces, name: "team"))
        try await fixture.client.delete(.namespaces, namespace: nil, name: "team", options: DeleteOptions())
        let status = try await refusal { _ = try await fixture.makeConfigMap("a", in: "team") }
        #expect(status.code == 403)
        #expect(
            status.message
                == "configmaps \"a\" is forbidden: unable to create new content in namespace team because it is being terminated"
        )
    }

    @Test("a second object of the same name is refused")
    func alreadyExists() async throws {
        let fixture = try Fixture()
        _ = try await fixture.client.create(.deployments, MemoryCluster.deployment("web"))
        let status = try await refusal {
            _ = try await fixture.client.create(.deployments, MemoryCluster.deployment("web"))
        }
        #expect(status.code == 409)
        #expect(status.message == "deployments.apps \"web\" already exists")
    }

    @Test("an unknown field is an error under Strict and dropped otherwise")
    func unknownField() async throws {
        let fixture = try Fixture()
        var object = MemoryCluster.deployment("web")
        object.value[["spec", "replicaz"]] = 3
        let status = try await refusal {
            _ = try await fixture.client.create(
                .deployments, object, options: WriteOptions(fieldValidation: .strict))
        }
        #expect(status.code == 400)
        #expect(
            status.message
                == "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: "
                + "unknown field \"spec.replicaz\"")
        let made = try await fixture.client.create(.deployments, object)
        #expect(made.value[["spec", "replicaz"]] == nil)
    }

    @Test("an invalid object names every cause")
    func invalid() async throws {
        let fixture = try Fixture()
        var object = MemoryCluster.deployment("web")
        object.value[["spec", "replicas"]] = -1
        let status = try await refusal { _ = try await fixture.client.create(.deployments, object) }
        #expect(status.code == 422)
        #expect(
            status.message
                == "Deployment.apps \"web\" is invalid: spec.replicas: Invalid value: -1: "
                + "must be greater than or equal to 0")
        #expect(status.details?[["causes"]]?.array?.first?["field"] == "spec.replicas")
    }

    @Test("the revision 0 asks for none, where one is made and where it is replaced")
    func revisionZero() async throws {
        let fixture = try Fixture()
        var map = KubeObject(.configMaps, namespace: "default", name: "a")
        map.resourceVersion = "0"
        let made = try await fixture.client.create(.configMaps, map)
        map.value["data"] = ["k": "1"]
        let updated = try await fixture.client.update(.configMaps, map, subresource: nil, options: WriteOptions())
        #expect(updated.value["data"] == ["k": "1"])
        #expect(updated.uid == made.uid)
        #expect(updated.resourceVersion != made.resourceVersion)
    }

    @Test("an update of an old revision is a conflict")
    func staleUpdate() async throws {
        let fixture = try Fixture()
        var first = try await fixture.makeConfigMap("a")
        first.value["data"] = ["k": "1"]
        _ = try await fixture.client.update(.configMaps, first, subresource: nil, options: WriteOptions())
        let status = try await refusal {
            _ = try await fixture.client.update(.configMaps, first, subresource: nil, options: WriteOptions())
        }
        #expect(status.code == 409)
        #expect(
            status.message
                == "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; "
                + "please apply your changes to the latest version and try again")
    }

    @Test("an update that changes nothing writes nothing")
    func unchanged() async throws {
        let fixture = try Fixture()
        let made = try await fixture.makeConfigMap("a", data: ["k": "1"])
        let again = try await fixture.client.update(.configMaps, made, subresource: nil, options: WriteOptions())
        #expect(again.resourceVersion == made.resourceVersion)
    }

    @Test("a change of the spec bumps the generation, a change of the status does not and leaves the spec")
    func generations() async throws {
        let fixture = try Fixture()
        var object = try await fixture.client.create(.deployments, MemoryCluster.deployment("web"))
        object.value["status"] = ["replicas": 2]
        object.value[["spec", "replicas"]] = 9
        let reported = try await fixture.client.updateStatus(.deployments, object)
        #expect(reported.generation == 1)
        #expect(reported.value[["spec", "replicas"]] == 2)
        #expect(reported.value[["status", "replicas"]] == 2)
        var wished = reported
        wished.value[["spec", "replicas"]] = 3
        wished.value["status"] = [:]
        let changed = try await fixture.client.update(
            .deployments, wished, subresource: nil, options: WriteOptions())
        #expect(changed.generation == 2)
        #expect(changed.value[["status", "replicas"]] == 2)
    }

    @Test("a dry run answers as if, and stores nothing")
    func dryRun() async throws {
        let fixture = try Fixture()
        let made = try await fixture.client.create(
            .deployments, MemoryCluster.deployment("web"), options: WriteOptions(isDryRun: true))
        #expect(made.uid.count == 36)
        let status = try await refusal { _ = try await fixture.client.get(.deployments, "web", in: "default") }
        #expect(status.isNotFound)
        #expect(status.message == "deployments.apps \"web\" not found")
    }

    @Test(
        "every kind of patch changes what it names",
        arguments: [
            ObjectPatch(.merge, ["data": ["b": "2"]]),
            ObjectPatch(.strategic, ["data": ["b": "2"]]),
            ObjectPatch(.json, [["op": "add", "path": "/data/b", "value": "2"]]),
            ObjectPatch(
                .apply, ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "a"], "data": ["b": "2"]]),
        ])
    func patches(patch: ObjectPatch) async throws {
        let fixture = try Fixture()
        _ = try await fixture.makeConfigMap("a", data: ["a": "1"])
        let patched = try await fixture.client.patch(
            .configMaps, namespace: "default", name: "a", patch, subresource: nil, options: WriteOptions())
        #expect(patched.value["data"] == ["a": "1", "b": "2"])
    }

    @Test("apply creates what is missing")
    func applyCreates() async throws {
        let fixture = try Fixture()
        let made = try await fixture.client.patch(
            .configMaps, namespace: "default", name: "a",
            ObjectPatch(
                .apply, ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "a"], "data": ["k": "v"]]),
            subresource: nil,
            options: WriteOptions(fieldManager: "test"))
        #expect(made.name == "a")
        #expect(made.value["data"] == ["k": "v"])
    }

    @Test("a JSON patch that does not fit is refused without a reason")
    func badJSONPatch() async throws {
        let fixture = try Fixture()
        _ = try await fixture.makeConfigMap("a")
        let status = try await refusal {
            _ = try await fixture.client.patch(
                .configMaps, namespace: "default", name: "a",
                ObjectPatch(.json, [["op": "remove", "path": "/data/NOPE"]]), subresource: nil,
                options: WriteOptions())
        }
        #expect(status.code == 422)
        #expect(status.message == "the server rejected our request due to an error in our request")
    }

    @Test("patches that meet are all kept")
    func concurrentPatches() async throws {
        let fixture = try Fixture()
        _ = try await fixture.makeConfigMap("a")
        let client = fixture.client
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<4 {
                group.addTask {
                    _ = try await client.patch(
                        .configMaps, namespace: "default", name: "a",
                        .merge(["data": ["k\(number)": "v"]]), subresource: nil, options: WriteOptions())
                }
            }
            try await group.waitForAll()
        }
        let object = try await client.get(.configMaps, "a", in: "default")
        #expect(object.value["data"]?.object?.count == 4)
    }

    @Test("scale reads and writes the replicas")
    func scale() async throws {
        let fixture = try Fixture()
        _ = try await fixture.client.create(.deployments, MemoryCluster.deployment("web"))
        let scale = try await fixture.client.call(
            "GET", .deployments, namespace: "default", name: "web", subresource: "scale", body: nil)
        #expect(scale["kind"] == "Scale")
        #expect(scale[["status", "selector"]] == "app=web")
        _ = try await fixture.client.patch(
            .deployments, namespace: "default", name: "web", .merge(["spec": ["replicas": 5]]), subresource: "scale",
            options: WriteOptions())
        let object = try await fixture.client.get(.deployments, "web", in: "default")
        #expect(object.value[["spec", "replicas"]] == 5)
        #expect(object.generation == 2)
        let status = try await refusal {
            _ = try await fixture.client.patch(
                .deployments, namespace: "default", name: "web", .merge(["spec": ["replicas": -1]]),
                subresource: "scale", options: WriteOptions())
        }
        #expect(
            status.message
                == "Scale.autoscaling \"web\" is invalid: spec.replicas: Invalid value: -1: "
                + "must be greater than or equal to 0")
    }

    @Test("binding puts a pod on a node, once")
    func binding() async throws {
        let fixture = try Fixture()
        try await fixture.makePod("a")
        let body: JSONValue = [
            "apiVersion": "v1", "kind": "Binding", "metadata": ["name": "a"], "target": ["kind": "Node", "name": "n1"],
        ]
        _ = try await fixture.client.call(
            "POST", .pods, namespace: "default", name: "a", subresource: "binding", body: body)
        let pod = try await fixture.client.get(.pods, "a", in: "default")
        #expect(pod.value[["spec", "nodeName"]] == "n1")
        #expect(pod.value[["status", "conditions"]]?.array?.first?["type"] == "PodScheduled")
        let status = try await refusal {
            _ = try await fixture.client.call(
                "POST", .pods, namespace: "default", name: "a", subresource: "binding", body: body)
        }
        #expect(status.code == 409)
        #expect(
            status.message
                == "Operation cannot be fulfilled on pods/binding \"a\": pod a is already assigned to node \"n1\"")
    }
}

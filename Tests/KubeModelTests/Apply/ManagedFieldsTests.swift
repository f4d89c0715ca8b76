import Testing

@testable import KubeModel

@Suite("Managed fields") struct ManagedFieldsTests {
    private let time = ApplyTests.start

    private func configMap(_ data: JSONValue) -> KubeObject {
        var object = KubeObject(.configMaps, namespace: "default", name: "a")
        object.value["data"] = data
        return object
    }

    private func write(
        _ object: KubeObject, over live: KubeObject?, by manager: String, at time: Timestamp = ApplyTests.start,
        _ resource: ResourceType = .configMaps, subresource: String = ""
    ) throws -> KubeObject {
        let kind = try #require(KindCatalog.builtIn.kind(resource))
        var object = object
        kind.recordWrite(
            of: &object, over: live,
            by: FieldWriter(manager: manager, apiVersion: resource.apiVersion, subresource: subresource), at: time)
        return object
    }

    private func entries(_ object: KubeObject) -> [ManagedFields.Entry] {
        ManagedFields(stored: object.value[["metadata", "managedFields"]]).entries
    }

    @Test("a new object belongs to who made it; nobody owns what is always there")
    func create() throws {
        let made = try write(configMap(["k": "v"]), over: nil, by: "kubectl-create")
        #expect(
            made.value[["metadata", "managedFields"]] == [
                [
                    "manager": "kubectl-create", "operation": "Update", "apiVersion": "v1",
                    "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1",
                    "fieldsV1": ["f:data": [".": [:], "f:k": [:]]],
                ]
            ])
    }

    @Test("a write takes the fields that it changes from others, and leaves the rest")
    func update() throws {
        let live = try write(configMap(["a": "1", "b": "1"]), over: nil, by: "first")
        var next = live
        next.value["data"] = ["a": "2", "b": "1", "c": "3"]
        next = try write(next, over: live, by: "second", at: ApplyTests.later)
        let found = entries(next)
        #expect(found.map(\.manager) == ["first", "second"])
        #expect(found[0].fields.paths.map(PathElement.show) == [".data", ".data.b"])
        #expect(found[0].time == "2026-01-01T00:00:00Z")
        #expect(found[1].fields.paths.map(PathElement.show) == [".data.a", ".data.c"])
        #expect(found[1].time == "2026-01-01T00:01:00Z")
    }

    @Test("a write that changes nothing leaves every entry and its time")
    func noChange() throws {
        let live = try write(configMap(["a": "1"]), over: nil, by: "first")
        #expect(try write(live, over: live, by: "second", at: ApplyTests.later) == live)
        var bare = live
        bare.value[["metadata", "managedFields"]] = nil
        #expect(try write(bare, over: live, by: "second", at: ApplyTests.later) == live)
    }

    @Test("a field that goes is nobody's any more")
    func removal() throws {
        let live = try write(configMap(["a": "1", "b": "2"]), over: nil, by: "first")
        var next = live
        next.value["data"] = ["a": "1"]
        next = try write(next, over: live, by: "second")
        #expect(entries(next).map(\.manager) == ["first"])
        #expect(entries(next)[0].fields.paths.map(PathElement.show) == [".data", ".data.a"])
    }

    @Test("an empty list, or one empty entry, forgets all owners", arguments: ["[]", "[{}]"])
    func reset(list: String) throws {
        let live = try write(configMap(["a": "1"]), over: nil, by: "first")
        var next = live
        next.value[["metadata", "managedFields"]] = try JSONValue(parsing: list)
        next = try write(next, over: live, by: "second")
        #expect(next.value[["metadata", "managedFields"]] == nil)
        // And they stay forgotten until somebody applies.
        var third = next
        third.value["data"] = ["a": "2"]
        #expect(try write(third, over: next, by: "third").value[["metadata", "managedFields"]] == nil)
    }

    @Test("entries that cannot be read are those that were there")
    func unreadable() throws {
        let live = try write(configMap(["a": "1"]), over: nil, by: "first")
        var next = live
        next.value[["metadata", "managedFields"]] = [["manager": "x", "operation": "Sing", "apiVersion": "v1"]]
        #expect(entries(try write(next, over: live, by: "second")).map(\.manager) == ["first"])
    }

    @Test("more than ten writers become one that stands for the oldest")
    func limit() throws {
        var live = try write(configMap(["k0": "v"]), over: nil, by: "m00")
        for number in 1...12 {
            var next = live
            next.value[["data", "k\(number)"]] = "v"
            next = try write(
                next, over: live, by: number < 10 ? "m0\(number)" : "m\(number)",
                at: ApplyTests.start + .seconds(number))
            live = next
        }
        let found = entries(live)
        #expect(found.count == 10)
        #expect(found[0].manager == "ancient-changes")
        #expect(
            found[0].fields.paths.map(PathElement.show) == [".data", ".data.k0", ".data.k1", ".data.k2", ".data.k3"])
        #expect(found.dropFirst().map(\.manager) == (4...12).map { $0 < 10 ? "m0\($0)" : "m\($0)" })
    }

    @Test("a status belongs to who writes it through the sub-resource")
    func status() throws {
        let spec: JSONValue = ["containers": [["name": "main", "image": "a"]]]
        var pod = KubeObject(.pods, namespace: "default", name: "a")
        pod.value["spec"] = spec
        pod.value["status"] = ["phase": "Pending"]
        let live = try write(pod, over: nil, by: "kubectl-run", .pods)
        #expect(entries(live)[0].fields.paths.allSatisfy { $0[0] == "f:spec" })
        var next = live
        next.value["status"] = ["phase": "Running", "conditions": [["type": "Ready", "status": "True"]]]
        next = try write(next, over: live, by: "kubelet", .pods, subresource: "status")
        let status = try #require(entries(next).first { $0.manager == "kubelet" })
        #expect(status.subresource == "status")
        #expect(
            status.fields.value == [
                "f:status": [
                    "f:conditions": [
                        ".": [:], #"k:{"type":"Ready"}"#: [".": [:], "f:type": [:], "f:status": [:]],
                    ], "f:phase": [:],
                ]
            ])
    }

    @Test("a Deployment as kubectl makes it has the entry that a real cluster shows")
    func deployment() throws {
        let kind = try #require(KindCatalog.builtIn.kind(.deployments))
        var object = KubeObject(
            try JSONValue(
                parsing: """
                    {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","labels":{"app":"web"}},
                     "spec":{"selector":{"matchLabels":{"app":"web"}},"strategy":{},"template":{
                     "metadata":{"creationTimestamp":null,"labels":{"app":"web"}},
                     "spec":{"containers":[{"name":"web","image":"nginx","resources":{}}]}}}}
                    """))
        kind.applyDefaults(&object)
        let made = try write(object, over: nil, by: "kubectl-create", .deployments)
        #expect(
            entries(made)[0].fields.value
                == (try JSONValue(
                    parsing: """
                        {"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:progressDeadlineSeconds":{},
                        "f:replicas":{},"f:revisionHistoryLimit":{},"f:selector":{},"f:strategy":{"f:rollingUpdate":{".":{},
                        "f:maxSurge":{},"f:maxUnavailable":{}},"f:type":{}},"f:template":{"f:metadata":{"f:labels":{".":{},
                        "f:app":{}}},"f:spec":{"f:containers":{"k:{\\"name\\":\\"web\\"}":{".":{},"f:image":{},
                        "f:imagePullPolicy":{},"f:name":{},"f:resources":{},"f:terminationMessagePath":{},
                        "f:terminationMessagePolicy":{}}},"f:dnsPolicy":{},"f:restartPolicy":{},"f:schedulerName":{},
                        "f:securityContext":{},"f:terminationGracePeriodSeconds":{}}}}}
                        """)))
    }

    @Test("who scales owns the number, and who had it before does not")
    func scale() throws {
        let path = ["spec", "replicas"]
        var object = KubeObject(.deployments, namespace: "default", name: "a")
        object.value["spec"] = ["replicas": 1, "paused": true]
        let live = try write(object, over: nil, by: "kubectl-create", .deployments)
        let owners = ManagedFields(stored: live.value[["metadata", "managedFields"]])
        let inScale = owners.forScale(replicasAt: path)
        #expect(inScale.entries.map(\.apiVersion) == ["autoscaling/v1"])
        var scale = ManagedFields()
        var entry = inScale.entries[0]
        entry.manager = "kubectl"
        entry.subresource = "scale"
        scale.entries = [entry]
        let after = owners.takingOver(scale: scale, replicasAt: path, apiVersion: "apps/v1")
        #expect(after.entries.map(\.manager) == ["kubectl-create", "kubectl"])
        #expect(after.entries[0].fields.paths.map(PathElement.show) == [".spec.paused"])
        #expect(after.entries[1].fields.paths.map(PathElement.show) == [".spec.replicas"])
        #expect(after.entries[1].time == nil)
    }
}

import APIServer
import KubeClient
import KubeModel
import LabTesting
import ObjectStore
import Testing

@Suite("Custom resources", .timeLimit(.minutes(5))) struct CustomResourceTests {
    private let fixture: Fixture
    private var client: any ClusterClient { fixture.client }

    init() throws { fixture = try Fixture() }

    private func define(_ change: (inout JSONValue) -> Void = { _ in }) async throws {
        _ = try await client.create(.customResourceDefinitions, CronTabs.definition(change))
    }

    private func refusal(of object: KubeObject) async throws -> Status {
        try await APIServerTests.refusal { _ = try await client.create(CronTabs.resource, object) }
    }

    @Test("a definition is established at once, with its names accepted")
    func establish() async throws {
        try await define()
        let definition = try await client.get(
            .customResourceDefinitions, namespace: nil, name: "crontabs.stable.example.com")
        let conditions = definition.value[["status", "conditions"]]?.array ?? []
        #expect(conditions.map { $0["type"] } == ["NamesAccepted", "Established"])
        #expect(conditions.map { $0["reason"] } == ["NoConflicts", "InitialNamesAccepted"])
        #expect(conditions.allSatisfy { $0["status"] == "True" })
        #expect(
            definition.value[["status", "acceptedNames"]] == [
                "plural": "crontabs", "singular": "crontab", "shortNames": ["ct"], "kind": "CronTab",
                "listKind": "CronTabList",
            ])
        #expect(definition.value[["status", "storedVersions"]] == ["v1"])
        #expect(definition.value[["spec", "conversion"]] == ["strategy": "None"])
    }

    @Test("objects get defaults, lose unknown members, and count generations")
    func write() async throws {
        try await define()
        var object = CronTabs.object("my", ["image": "a", "unknown": 1, "free": ["kept": [1, 2]]])
        object.value["status"] = ["replicas": 7]
        let created = try await client.create(CronTabs.resource, object)
        #expect(created.value["spec"] == ["image": "a", "free": ["kept": [1, 2]], "schedule": "5 0 * * *"])
        #expect(created.value["status"] == nil)
        #expect(created.generation == 1)
        var changed = created
        changed.value[["spec", "image"]] = "b"
        changed = try await client.update(CronTabs.resource, changed, subresource: nil, options: WriteOptions())
        #expect(changed.generation == 2)
        changed.value[["status", "replicas"]] = 3
        changed.value[["spec", "image"]] = "ignored"
        changed.labels = ["ignored": "too"]
        changed = try await client.update(CronTabs.resource, changed, subresource: "status", options: WriteOptions())
        #expect(changed.generation == 2)
        #expect(changed.value[["status", "replicas"]] == 3)
        #expect(changed.value[["spec", "image"]] == "b")
        #expect(changed.labels.isEmpty)
    }

    @Test("finalizers of custom resources need no domain, other than those of Kubernetes' own kinds")
    func finalizers() async throws {
        try await define()
        var object = CronTabs.object("my", ["image": "a"])
        object.finalizers = ["test-finalizer"]
        #expect(try await client.create(CronTabs.resource, object).finalizers == ["test-finalizer"])
        object.finalizers = ["not a name"]
        #expect(try await refusal(of: object).code == 422)
        var map = KubeObject(.configMaps, namespace: "default", name: "a")
        map.finalizers = ["test-finalizer"]
        let own = map
        let status = try await APIServerTests.refusal { _ = try await client.create(.configMaps, own) }
        #expect(status.message.contains("name is neither a standard finalizer name nor is it fully qualified"))
    }

    @Test("what is applied is held against the schema: members that it does not know are refused, where it keeps none")
    func applyUnknown() async throws {
        try await define()
        func apply(_ value: JSONValue) async throws -> KubeObject {
            var value = value
            value["apiVersion"] = "stable.example.com/v1"
            value["kind"] = "CronTab"
            value["metadata"] = ["name": "my"]
            return try await client.patch(
                CronTabs.resource, namespace: "default", name: "my", ObjectPatch(.apply, value), subresource: nil,
                options: WriteOptions())
        }
        let status = try await APIServerTests.refusal {
            _ = try await apply(["spec": ["image": "a", "wrong": 1], "odd": 2])
        }
        #expect(status.code == 500)
        #expect(
            status.message
                == "failed to create typed patch object (/my; stable.example.com/v1, Kind=CronTab): errors:\n"
                + "  .spec.wrong: field not declared in schema\n  .odd: field not declared in schema")
        let free = try await apply(["spec": ["image": "a", "free": ["any": ["thing": 1]]]])
        #expect(free.value[["spec", "free"]] == ["any": ["thing": 1]])
    }

    @Test("what is wrong is said as Kubernetes says it")
    func validation() async throws {
        try await define()
        let status = try await refusal(
            of: CronTabs.object("bad", ["schedule": "daily", "replicas": 15, "policy": "Maybe"]))
        #expect(status.code == 422)
        #expect(
            status.message
                == "CronTab.stable.example.com \"bad\" is invalid: [spec.schedule: Invalid value: \"daily\": "
                + "spec.schedule in body should match '^[0-9*/ ]+$', spec.replicas: Invalid value: 15: "
                + "spec.replicas in body should be less than or equal to 10, spec.policy: Unsupported value: "
                + "\"Maybe\": supported values: \"Allow\", \"Forbid\", spec.image: Required value]")
        let typed = try await refusal(of: CronTabs.object("bad", ["image": 5, "port": true]))
        #expect(
            typed.message
                == "CronTab.stable.example.com \"bad\" is invalid: [spec.image: Invalid value: \"integer\": "
                + "spec.image in body must be of type string: \"integer\", spec.port: Invalid value: \"boolean\": "
                + "spec.port in body must be of type integer,string: \"boolean\"]")
        #expect(typed.details?["causes"]?.array?.first?["reason"] == "FieldValueTypeInvalid")
        let twice = try await refusal(
            of: CronTabs.object("bad", ["image": "a", "ports": [["name": "x"], ["name": "x"]]]))
        #expect(
            twice.message
                == "CronTab.stable.example.com \"bad\" is invalid: spec.ports[1]: Duplicate value: "
                + "map[string]interface {}{\"name\":\"x\"}")
    }

    @Test("strict validation names unknown members")
    func strict() async throws {
        try await define()
        let status = try await APIServerTests.refusal {
            _ = try await client.create(
                CronTabs.resource, CronTabs.object("my", ["image": "a", "imagee": "b"]),
                options: WriteOptions(fieldValidation: .strict))
        }
        #expect(
            status.message
                == "CronTab in version \"v1\" cannot be handled as a CronTab: strict decoding error: "
                + "unknown field \"spec.imagee\"")
    }

    @Test("an object is served in every version and stored once")
    func versions() async throws {
        try await define()
        let created = try await client.create(CronTabs.resource, CronTabs.object())
        let older = try await client.get(CronTabs.older, "my", in: "default")
        #expect(older.apiVersion == "stable.example.com/v1beta1")
        #expect(older.uid == created.uid)
        #expect(older.resourceVersion == created.resourceVersion)
        var changed = older
        changed.value[["spec", "image"]] = "new"
        _ = try await client.update(CronTabs.older, changed, subresource: nil, options: WriteOptions())
        let newer = try await client.get(CronTabs.resource, "my", in: "default")
        #expect(newer.apiVersion == "stable.example.com/v1")
        #expect(newer.value[["spec", "image"]] == "new")
        let key = StoreKey(resource: "crontabs.stable.example.com", namespace: "default", name: "my")
        #expect(fixture.store.get(key)?.object.apiVersion == "stable.example.com/v1")
        let list = try await client.list(CronTabs.older, in: "default")
        #expect(list.items.map(\.apiVersion) == ["stable.example.com/v1beta1"])
    }

    @Test("a watch of one version gives what was written in another in its own form")
    func watch() async throws {
        try await define()
        let events = try await client.watch(
            CronTabs.older, namespace: "default", options: WatchOptions(resourceVersion: "0"))
        _ = try await client.create(CronTabs.resource, CronTabs.object())
        for try await event in events {
            guard case .added(let object) = event else { continue }
            #expect(object.apiVersion == "stable.example.com/v1beta1")
            break
        }
    }

    @Test("a default that is added later appears in objects that were there before")
    func laterDefault() async throws {
        try await define()
        _ = try await client.create(CronTabs.resource, CronTabs.object())
        var definition = try await client.get(
            .customResourceDefinitions, namespace: nil, name: "crontabs.stable.example.com")
        var versions = definition.value[["spec", "versions"]]?.array ?? []
        versions[0][["schema", "openAPIV3Schema", "properties", "spec", "properties", "policy", "default"]] = "Allow"
        definition.value[["spec", "versions"]] = .array(versions)
        _ = try await client.update(
            .customResourceDefinitions, definition, subresource: nil, options: WriteOptions())
        let object = try await client.get(CronTabs.resource, "my", in: "default")
        #expect(object.value[["spec", "policy"]] == "Allow")
    }

    @Test("the scale sub-resource finds its numbers at the paths of the definition")
    func scale() async throws {
        try await define()
        var object = try await client.create(
            CronTabs.resource, CronTabs.object("my", ["image": "a", "replicas": 2]))
        object.value["status"] = ["replicas": 1, "labelSelector": "app=my"]
        _ = try await client.update(CronTabs.resource, object, subresource: "status", options: WriteOptions())
        let scale = try await client.call(
            "GET", CronTabs.resource, namespace: "default", name: "my", subresource: "scale", body: nil)
        #expect(scale["spec"] == ["replicas": 2])
        #expect(scale["status"] == ["replicas": 1, "selector": "app=my"])
        _ = try await client.patch(
            CronTabs.resource, namespace: "default", name: "my", .merge(["spec": ["replicas": 5]]),
            subresource: "scale", options: WriteOptions())
        #expect(try await client.get(CronTabs.resource, "my", in: "default").value[["spec", "replicas"]] == 5)
    }

    @Test("a PUT must name the revision it replaces")
    func revision() async throws {
        try await define()
        _ = try await client.create(CronTabs.resource, CronTabs.object())
        let status = try await APIServerTests.refusal {
            _ = try await client.update(
                CronTabs.resource, CronTabs.object(), subresource: nil, options: WriteOptions())
        }
        #expect(status.code == 422)
        #expect(
            status.message
                == "crontabs.stable.example.com \"my\" is invalid: metadata.resourceVersion: Invalid value: 0x0: "
                + "must be specified for an update")
    }

    @Test("deleting a definition deletes its objects and ends the kind")
    func delete() async throws {
        try await define()
        for name in ["a", "b"] { _ = try await client.create(CronTabs.resource, CronTabs.object(name)) }
        let deleted = try await client.delete(
            .customResourceDefinitions, namespace: nil, name: "crontabs.stable.example.com", options: DeleteOptions())
        #expect(deleted.finalizers == ["customresourcecleanup.apiextensions.k8s.io"])
        let gone = try await APIServerTests.refusal {
            _ = try await client.get(
                .customResourceDefinitions, namespace: nil, name: "crontabs.stable.example.com")
        }
        #expect(gone.isNotFound)
        let unknown = try await APIServerTests.refusal { _ = try await client.list(CronTabs.resource, in: "default") }
        #expect(unknown.message == "the server could not find the requested resource")
        #expect(try fixture.store.list(.all(resource: "crontabs.stable.example.com")).items.isEmpty)
    }

    @Test("a definition waits for an object with a finalizer, and takes no new ones meanwhile")
    func deleteWaits() async throws {
        try await define()
        var object = CronTabs.object()
        object.finalizers = ["example.com/wait"]
        _ = try await client.create(CronTabs.resource, object)
        try await client.delete(
            .customResourceDefinitions, namespace: nil, name: "crontabs.stable.example.com", options: DeleteOptions())
        let status = try await refusal(of: CronTabs.object("late"))
        #expect(status.code == 403)
        #expect(status.message.hasSuffix("create not allowed while custom resource definition is terminating"))
        var waiting = try await client.get(CronTabs.resource, "my", in: "default")
        waiting.finalizers = []
        _ = try await client.update(CronTabs.resource, waiting, subresource: nil, options: WriteOptions())
        #expect(try fixture.store.list(.all(resource: "customresourcedefinitions.apiextensions.k8s.io")).items.isEmpty)
    }

    @Test("names that another definition of the group has are refused until they are free")
    func conflict() async throws {
        try await define()
        var other = CronTabs.definition { spec in
            spec[["names", "plural"]] = "others"
            spec[["names", "kind"]] = "Other"
        }
        other.name = "others.stable.example.com"
        _ = try await client.create(.customResourceDefinitions, other)
        func conditions() async throws -> [JSONValue] {
            try await client.get(.customResourceDefinitions, namespace: nil, name: other.name)
                .value[["status", "conditions"]]?.array ?? []
        }
        #expect(try await conditions().map { $0["reason"] } == ["ShortNamesConflict", "NotAccepted"])
        #expect(try await conditions().first?["message"] == "\"ct\" is already in use")
        try await client.delete(
            .customResourceDefinitions, namespace: nil, name: "crontabs.stable.example.com", options: DeleteOptions())
        #expect(try await conditions().map { $0["status"] } == ["True", "True"])
    }

    @Test("a new server over the same store serves what was defined before")
    func restore() async throws {
        try await define()
        _ = try await client.create(CronTabs.resource, CronTabs.object())
        let second = APIServer(store: fixture.store).client(user: "test")
        #expect(try await second.get(CronTabs.resource, "my", in: "default").value[["spec", "image"]] == "busybox")
    }
}

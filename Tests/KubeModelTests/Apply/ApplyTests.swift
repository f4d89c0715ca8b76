import Testing

@testable import KubeModel

@Suite("Server-side apply") struct ApplyTests {
    static let start = Timestamp(parsing: "2026-01-01T00:00:00Z") ?? .now
    static let later = Timestamp(parsing: "2026-01-01T00:01:00Z") ?? .now

    private func kind(_ resource: ResourceType = .deployments) throws -> KindSchema {
        try #require(KindCatalog.builtIn.kind(resource))
    }

    private func config(_ spec: JSONValue, _ metadata: JSONValue = [:]) -> JSONValue {
        var value: JSONValue = ["apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec]
        value[["metadata", "name"]] = "web"
        value[["metadata", "namespace"]] = "default"
        return value
    }

    private func container(_ more: JSONValue = [:], name: String = "main") -> JSONValue {
        var value = more
        value["name"] = .string(name)
        return ["template": ["spec": ["containers": [value]]]]
    }

    private func writer(_ manager: String) -> FieldWriter { FieldWriter(manager: manager, apiVersion: "apps/v1") }

    private func apply(
        _ config: JSONValue, to live: KubeObject?, by manager: String, isForced: Bool = false,
        at time: Timestamp = start
    ) throws -> KubeObject {
        try kind().apply(config, to: live, by: writer(manager), isForced: isForced, at: time).object
    }

    private func owned(_ object: KubeObject, by manager: String) -> Set<String> {
        let entries = ManagedFields(stored: object.value[["metadata", "managedFields"]]).entries
        return Set(entries.filter { $0.manager == manager }.flatMap { $0.fields.paths.map(PathElement.show) })
    }

    @Test("what a manager applies, it owns; the object's identity is nobody's")
    func owning() throws {
        let made = try apply(config(["replicas": 2], ["labels": ["a": "b"]]), to: nil, by: "me")
        #expect(owned(made, by: "me") == [".spec.replicas", ".metadata.labels.a"])
        let entry = try #require(made.value[["metadata", "managedFields"]]?.array?.first)
        #expect(entry["operation"] == "Apply")
        #expect(entry["time"] == "2026-01-01T00:00:00Z")
        #expect(entry["fieldsType"] == "FieldsV1")
        #expect(entry["apiVersion"] == "apps/v1")
    }

    @Test("a field that is left out goes, unless somebody else owns it")
    func leavingOut() throws {
        var live = try apply(
            config(["replicas": 2, "paused": true], ["labels": ["a": "1", "b": "2"]]), to: nil, by: "me")
        live = try apply(config(["paused": true]), to: live, by: "you")
        live = try apply(config([:], ["labels": ["a": "1"]]), to: live, by: "me")
        #expect(live.labels == ["a": "1"])
        #expect(live.value[["spec", "replicas"]] == nil)
        #expect(live.value[["spec", "paused"]] == true)
        #expect(
            owned(live, by: "me") == [".metadata.labels.a", ".spec"] || owned(live, by: "me") == [".metadata.labels.a"])
        #expect(owned(live, by: "you") == [".spec.paused"])
    }

    @Test("a value of somebody else is a conflict that names the field and its owner")
    func conflict() throws {
        let live = try apply(config(["replicas": 2]), to: nil, by: "me")
        #expect(throws: ApplyError.self) { try apply(config(["replicas": 3]), to: live, by: "you") }
        let kind = try kind()
        do throws(ApplyError) {
            _ = try kind.apply(
                config(["replicas": 3]), to: live, by: writer("you"), isForced: false, at: Self.start)
        } catch .conflicts(let conflicts) {
            let status = Status.applyConflict(conflicts)
            #expect(status.message == "Apply failed with 1 conflict: conflict with \"me\": .spec.replicas")
            #expect(status.details?["causes"]?.array?.first?["field"] == ".spec.replicas")
            #expect(status.details?["causes"]?.array?.first?["reason"] == "FieldManagerConflict")
            #expect(status.details?["causes"]?.array?.first?["message"] == "conflict with \"me\"")
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test("several conflicts are listed by owner, those of writers with their version")
    func conflicts() throws {
        var live = try apply(config(["replicas": 2]), to: nil, by: "me")
        var written = live
        written.value[["spec", "paused"]] = true
        written.value[["spec", "minReadySeconds"]] = 5
        try kind().recordWrite(of: &written, over: live, by: writer("kubectl-edit"), at: Self.start)
        live = written
        let kind = try kind()
        do throws(ApplyError) {
            _ = try kind.apply(
                config(["replicas": 3, "paused": false, "minReadySeconds": 6]), to: live, by: writer("you"),
                isForced: false, at: Self.start)
            Issue.record("no conflict")
        } catch .conflicts(let conflicts) {
            #expect(
                Status.applyConflict(conflicts).message == """
                    Apply failed with 3 conflicts: conflicts with "kubectl-edit" using apps/v1:
                    - .spec.minReadySeconds
                    - .spec.paused
                    conflicts with "me":
                    - .spec.replicas
                    """)
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test("force takes the field; the same value is owned by both")
    func force() throws {
        let live = try apply(config(["replicas": 2, "paused": true]), to: nil, by: "me")
        let shared = try apply(config(["paused": true]), to: live, by: "you")
        #expect(owned(shared, by: "me").contains(".spec.paused"))
        #expect(owned(shared, by: "you") == [".spec.paused"])
        let taken = try apply(config(["replicas": 3, "paused": true]), to: shared, by: "you", isForced: true)
        #expect(taken.value[["spec", "replicas"]] == 3)
        #expect(owned(taken, by: "me") == [".spec.paused"])
    }

    @Test(
        "elements of lists by key merge; ports are told apart by port and protocol, the protocol being TCP by default")
    func lists() throws {
        var live = try apply(
            config(container(["image": "a", "ports": [["containerPort": 53]], "env": [["name": "A", "value": "1"]]])),
            to: nil, by: "me")
        live = try apply(
            config(
                container(["ports": [["containerPort": 53, "protocol": "UDP"]], "env": [["name": "B", "value": "2"]]])),
            to: live, by: "you")
        let main = try #require(live.value[["spec", "template", "spec", "containers"]]?.array?.first)
        #expect(main["ports"] == [["containerPort": 53], ["containerPort": 53, "protocol": "UDP"]])
        #expect(main["env"]?.array?.compactMap { $0["name"]?.string } == ["A", "B"])
        #expect(
            owned(live, by: "me").contains(
                ".spec.template.spec.containers[name=\"main\"].ports[containerPort=53,protocol=\"TCP\"].containerPort"))
        let without = try apply(config(container(["image": "a"])), to: live, by: "me")
        let rest = try #require(without.value[["spec", "template", "spec", "containers"]]?.array?.first)
        #expect(rest["ports"] == [["containerPort": 53, "protocol": "UDP"]])
        #expect(rest["env"]?.array?.compactMap { $0["name"]?.string } == ["B"])
    }

    @Test("lists without keys and selectors have one owner as a whole")
    func atomic() throws {
        let live = try apply(
            config(["selector": ["matchLabels": ["a": "b"]], "template": ["spec": ["tolerations": [["key": "x"]]]]]),
            to: nil, by: "me")
        #expect(owned(live, by: "me") == [".spec.selector", ".spec.template.spec.tolerations"])
        #expect(throws: ApplyError.self) {
            try apply(config(["selector": ["matchLabels": ["c": "d"]]]), to: live, by: "you")
        }
    }

    @Test("finalizers are a set: each value has its own owner")
    func sets() throws {
        var live = try apply(config([:], ["finalizers": ["a/x"]]), to: nil, by: "me")
        live = try apply(config([:], ["finalizers": ["b/y"]]), to: live, by: "you")
        #expect(Set(live.finalizers) == ["a/x", "b/y"])
        live = try apply(config([:]), to: live, by: "me")
        #expect(live.finalizers == ["b/y"])
    }

    @Test("applying the same twice changes nothing, not even a time")
    func twice() throws {
        let wish = config(container(["image": "a"]), ["labels": ["a": "b"]])
        let once = try apply(wish, to: nil, by: "me")
        let again = try kind().apply(wish, to: once, by: writer("me"), isForced: false, at: Self.later)
        #expect(!again.isChanged)
        #expect(again.object == once)
    }

    @Test("what the kind does not have is refused with its place")
    func typing() throws {
        func complaint(_ config: JSONValue) throws -> String {
            let kind = try kind()
            do throws(ApplyError) {
                _ = try kind.apply(config, to: nil, by: writer("me"), isForced: false, at: Self.start)
            } catch .untyped(let message) {
                return message
            } catch {}
            return ""
        }
        let head = "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): "
        #expect(try complaint(config(["replicaz": 2])) == head + ".spec.replicaz: field not declared in schema")
        #expect(
            try complaint(config(["replicas": "2"]))
                == head + ".spec.replicas: expected numeric (int or float), got string")
        #expect(
            try complaint(config(container(["env": [["name": "A", "value": 1]]])))
                == head
                + ".spec.template.spec.containers[name=\"main\"].env[name=\"A\"].value: expected string, got "
                + "&value.valueUnstructured{Value:1}")
        #expect(
            try complaint(config(container(["env": [["name": "A"], ["name": "A"]]])))
                == head
                + ".spec.template.spec.containers[name=\"main\"].env: duplicate entries for key [name=\"A\"]")
        #expect(
            try complaint(config(["template": ["spec": ["containers": [["image": "x"]]]]]))
                == head
                + ".spec.template.spec.containers: element 0: associative list with keys has an element that omits all key "
                + "fields [\"name\"] (and doesn't have default values for any key fields)")
    }

    @Test("managedFields in a configuration are refused")
    func managedFieldsInBody() throws {
        #expect(throws: ApplyError.badRequest("metadata.managedFields must be nil")) {
            try apply(config([:], ["managedFields": []]), to: nil, by: "me")
        }
    }

    @Test("kubectl takes over what it applied itself on the client's side, and keeps the annotation up to date")
    func migration() throws {
        let last = config(["replicas": 2])
        var object = KubeObject(last)
        object.annotations = ["kubectl.kubernetes.io/last-applied-configuration": last.text]
        let kind = try kind()
        kind.recordWrite(of: &object, over: nil, by: writer("kubectl-client-side-apply"), at: Self.start)
        let live = object
        #expect(throws: ApplyError.self) { try apply(config(["replicas": 3]), to: live, by: "other") }
        let moved = try apply(config(["replicas": 3]), to: live, by: "kubectl")
        #expect(moved.value[["spec", "replicas"]] == 3)
        let noted = try #require(moved.annotations["kubectl.kubernetes.io/last-applied-configuration"])
        #expect(try JSONValue(parsing: noted)[["spec", "replicas"]] == 3)
    }
}

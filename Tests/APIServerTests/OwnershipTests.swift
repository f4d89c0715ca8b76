import KubeClient
import KubeModel
import LabTesting
import Testing

@testable import APIServer

/// Field ownership, patches and parameters as requests see them.
@Suite("Owned fields", .timeLimit(.minutes(5))) struct OwnershipTests {
    private let fixture: Fixture
    private let pipeline: RequestPipeline

    init() throws {
        fixture = try Fixture()
        pipeline = RequestPipeline(registry: fixture.server.registry)
    }

    private func send(
        _ method: String, _ uri: String, type: String = "application/json", agent: String = "curl/8",
        _ body: String = ""
    ) async throws -> (code: Int, value: JSONValue, headers: [String]) {
        var request = APIRequest(
            method, uri, contentType: type, body: Array(body.utf8),
            user: UserInfo(name: "admin", groups: ["system:masters"]))
        request.origin.userAgent = agent
        let response = await pipeline.respond(to: request)
        guard case .bytes(let bytes) = response.body else { return (response.code, .null, []) }
        return (response.code, try JSONValue(parsing: bytes), response.headers.map { "\($0.name): \($0.value)" })
    }

    private let maps = "/api/v1/namespaces/default/configmaps"
    private let apply = "application/apply-patch+yaml"
    private let merge = "application/merge-patch+json"
    private let strategic = "application/strategic-merge-patch+json"
    private let json = "application/json-patch+json"

    private func managers(_ object: JSONValue) -> [String] {
        (object[["metadata", "managedFields"]]?.array ?? []).map {
            "\($0["manager"]?.string ?? "") \($0["operation"]?.string ?? "") \($0["subresource"]?.string ?? "-")"
        }
    }

    @Test("the manager is what the request names, or else the program by its User-Agent")
    func managers() async throws {
        let body = #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"NAME"}, "data":{"a":"1"}}"#
        let first = try await send(
            "POST", maps + "?fieldManager=me", body.replacing("NAME", with: "a"))
        #expect(managers(first.value) == ["me Update -"])
        let second = try await send("POST", maps, agent: "kubectl/v1.32.4 (linux)", body.replacing("NAME", with: "b"))
        #expect(managers(second.value) == ["kubectl Update -"])
        let third = try await send("PATCH", maps + "/b", type: merge, agent: "helm/3", #"{"data":{"b":"2"}}"#)
        #expect(managers(third.value) == ["helm Update -", "kubectl Update -"])
    }

    @Test("apply takes YAML, creates with 201, and says 409 with causes when others own a field")
    func applying() async throws {
        let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n"
        let made = try await send("PATCH", maps + "/a?fieldManager=me", type: apply, yaml)
        #expect(made.code == 201)
        #expect(managers(made.value) == ["me Apply -"])
        let again = try await send("PATCH", maps + "/a?fieldManager=me", type: apply, yaml)
        #expect(again.code == 200)
        #expect(again.value[["metadata", "resourceVersion"]] == made.value[["metadata", "resourceVersion"]])
        let other = yaml.replacing("k: v", with: "k: w")
        let refused = try await send("PATCH", maps + "/a?fieldManager=you", type: apply, other)
        #expect(refused.code == 409)
        #expect(refused.value["message"] == #"Apply failed with 1 conflict: conflict with "me": .data.k"#)
        let forced = try await send("PATCH", maps + "/a?fieldManager=you&force=true", type: apply, other)
        #expect(forced.value["data"] == ["k": "w"])
        #expect(managers(forced.value) == ["you Apply -"])
        let gone = try await send(
            "PATCH", maps + "/a?fieldManager=you", type: apply, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
        )
        #expect(gone.value["data"] == nil)
        #expect(managers(gone.value) == [])
    }

    @Test("an apply names its manager and its type, and a force without apply is refused")
    func options() async throws {
        let body = #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}"#
        let nameless = try await send("PATCH", maps + "/a", type: apply, body)
        #expect(nameless.code == 422)
        #expect(
            nameless.value["message"]
                == #"PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch"#
        )
        let typeless = try await send("PATCH", maps + "/a?fieldManager=me", type: apply, "{}")
        #expect(typeless.value["message"] == "invalid object type: /, Kind=")
        let forced = try await send("PATCH", maps + "/a?force=true", type: merge, "{}")
        #expect(
            forced.value["message"]
                == #"PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch"#
        )
        let long = try await send("POST", maps + "?fieldManager=" + String(repeating: "x", count: 129), body)
        #expect(
            long.value["message"]
                == #"CreateOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes"#)
        let odd = try await send("POST", maps + "?fieldManager=a%0Ab&dryRun=some&fieldValidation=Hard", body)
        #expect(
            odd.value["message"]
                == .string(
                    #"CreateOptions.meta.k8s.io "" is invalid: [fieldManager: Invalid value: "a\nb": invalid character U+000A "#
                        + #"(at position 1), dryRun: Unsupported value: []string{"some"}: supported values: "All", "#
                        + #"fieldValidation: Unsupported value: "Hard": supported values: "", "Ignore", "Strict", "Warn"]"#
                ))
    }

    @Test("unknown and double fields are warnings unless the request is strict or ignores them")
    func validation() async throws {
        let body = #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"dat":{},"data":{"a":"1","a":"2"}}"#
        let warned = try await send("POST", maps + "?dryRun=All", body)
        #expect(warned.code == 201)
        #expect(
            warned.headers.filter { $0.hasPrefix("Warning") } == [
                #"Warning: 299 - "unknown field \"dat\"""#, #"Warning: 299 - "duplicate field \"data.a\"""#,
            ])
        let ignored = try await send("POST", maps + "?dryRun=All&fieldValidation=Ignore", body)
        #expect(!ignored.headers.contains { $0.hasPrefix("Warning") })
        _ = try await fixture.makeConfigMap("b")
        let strict = try await send(
            "PATCH", maps + "/b?fieldValidation=Strict", type: merge, #"{"dat":"x"}"#)
        #expect(strict.code == 422)
        #expect(strict.value["message"]?.string?.hasSuffix(#"strict decoding error: unknown field "dat""#) == true)
    }

    @Test(
        "patches that do not fit are refused in the words of the API server",
        arguments: [
            (
                "application/json-patch+json", "{}", 400,
                "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
            ),
            (
                "application/merge-patch+json", "[]", 400,
                "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"
            ),
            (
                "application/strategic-merge-patch+json", "[]", 400,
                "json: cannot unmarshal array into Go value of type map[string]interface {}"
            ),
            (
                "application/json-patch+json", #"[{"op":"remove","path":"/nope"}]"#, 422,
                "the server rejected our request due to an error in our request"
            ),
            (
                "application/merge-patch+json", #"{"metadata":{"name":"b"}}"#, 400,
                "the name of the object (b) does not match the name on the URL (a)"
            ),
            (
                "application/merge-patch+json", #"{"metadata":{"namespace":"b"}}"#, 400,
                "the namespace of the provided object does not match the namespace sent on the request"
            ),
            (
                "application/merge-patch+json", #"{"metadata":{"resourceVersion":"1"}}"#, 409,
                #"Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again"#
            ),
            (
                "application/merge-patch+json", #"{"metadata":{"uid":"1"}}"#, 422,
                #"ConfigMap "a" is invalid: metadata.uid: Invalid value: "1": field is immutable"#
            ),
            (
                "application/strategic-merge-patch+json", #"{"$patch":"sing"}"#, 500,
                "unknown patch type: sing in map: map[$patch:sing]"
            ),
            (
                "text/plain", "{}", 415,
                "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml"
            ),
        ])
    func refusals(type: String, body: String, code: Int, message: String) async throws {
        _ = try await fixture.makeConfigMap("a")
        let answer = try await send("PATCH", maps + "/a", type: type, body)
        #expect(answer.code == code)
        #expect(answer.value["message"] == .string(message))
    }

    @Test("a patch of what is not there is 404 whatever it says, and one with too many operations is 413")
    func missing() async throws {
        let bad = try await send("PATCH", maps + "/none", type: merge, "{")
        #expect(bad.code == 404)
        _ = try await fixture.makeConfigMap("a")
        let operations = Array(repeating: #"{"op":"test","path":"","value":1}"#, count: 10_001).joined(separator: ",")
        let many = try await send("PATCH", maps + "/a", type: json, "[\(operations)]")
        #expect(many.code == 413)
        #expect(
            many.value["message"]
                == "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001")
    }

    @Test("options of a DELETE are held against their rules")
    func deleteOptions() async throws {
        _ = try await fixture.makeConfigMap("a")
        let both = try await send(
            "DELETE", maps + "/a", #"{"orphanDependents":true,"propagationPolicy":"Background"}"#)
        #expect(
            both.value["message"]
                == .string(
                    #"DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Background": "#
                        + "orphanDependents and deletionPropagation cannot be both set"))
        let unknown = try await send("DELETE", maps + "/a?propagationPolicy=Later")
        #expect(
            unknown.value["message"]
                == .string(
                    #"DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Later": "#
                        + #"supported values: "Foreground", "Background", "Orphan", "nil""#))
        let other = try await send("DELETE", maps + "/a", #"{"preconditions":{"uid":"x"}}"#)
        #expect(other.code == 409)
        #expect(
            other.value["message"]?.string?.hasPrefix(
                #"Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition (x) does not match"#)
                == true)
        let tried = try await send("DELETE", maps + "/a?dryRun=All")
        #expect(tried.code == 200)
        #expect(try await fixture.client.get(.configMaps, "a", in: "default").deletionTimestamp == nil)
    }

    @Test("a status, and the number of a scale, belong to who writes them")
    func subresources() async throws {
        _ = try await fixture.client.create(.deployments, MemoryCluster.deployment("web"))
        let path = "/apis/apps/v1/namespaces/default/deployments/web"
        let status = try await send(
            "PATCH", path + "/status?fieldManager=watcher", type: merge,
            #"{"status":{"replicas":1},"spec":{"replicas":9}}"#)
        #expect(managers(status.value).contains("watcher Update status"))
        #expect(status.value[["spec", "replicas"]] == 2)
        _ = try await send("PATCH", path + "/scale", type: merge, agent: "kubectl/v1.32", #"{"spec":{"replicas":5}}"#)
        let after = try await send("GET", path)
        #expect(after.value[["spec", "replicas"]] == 5)
        #expect(managers(after.value).contains("kubectl Update scale"))
        let refused = try await send(
            "PATCH", path + "?fieldManager=me", type: apply,
            #"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":1}}"#)
        #expect(
            refused.value["message"]
                == .string(
                    "Apply failed with 1 conflict: conflict with \"kubectl\" with subresource \"scale\" using apps/v1: "
                        + ".spec.replicas"))
    }

    @Test("a name that is taken by what is on its way out, or that could not be made up, says so")
    func names() async throws {
        var held = KubeObject(.configMaps, namespace: "default", name: "held")
        held.finalizers = ["a/b"]
        _ = try await fixture.client.create(.configMaps, held)
        try await fixture.client.delete(.configMaps, namespace: "default", name: "held", options: DeleteOptions())
        let status = try await refusal { _ = try await fixture.client.create(.configMaps, held) }
        #expect(status.message == #"object is being deleted: configmaps "held" already exists"#)
        _ = try await fixture.makeConfigMap("taken")
        let made = try await send(
            "POST", maps, #"{"metadata":{"name":"taken","generateName":"tak"}}"#)
        #expect(
            made.value["message"]
                == #"configmaps "taken" already exists, the server was not able to generate a unique name for the object"#
        )
        #expect(made.value[["details", "retryAfterSeconds"]] == 1)
    }

    @Test("a PUT makes what its kind lets it make, and no more")
    func put() async throws {
        let lease = #"{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"l"}}"#
        let path = "/apis/coordination.k8s.io/v1/namespaces/default/leases/l"
        #expect(try await send("PUT", path, lease).code == 201)
        let blind = try await send("PUT", path, lease)
        #expect(
            blind.value["message"]
                == .string(
                    #"leases.coordination.k8s.io "l" is invalid: metadata.resourceVersion: Invalid value: 0x0: "#
                        + "must be specified for an update"))
        let map = try await send("PUT", maps + "/none", #"{"metadata":{"name":"none"}}"#)
        #expect(map.code == 404)
    }
}

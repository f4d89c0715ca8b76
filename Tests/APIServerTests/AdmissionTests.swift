import KubeClient
import KubeModel
import LabTesting
import ObjectStore
import Testing

@testable import APIServer

@Suite("Admission", .timeLimit(.minutes(5))) struct AdmissionTests {
    private let fixture: AccessFixture

    init() throws { fixture = try AccessFixture() }

    private static func pod(_ name: String, resources: JSONValue? = nil, spec: JSONValue = [:]) -> KubeObject {
        var pod = MemoryCluster.pod(name, spec: spec)
        if let resources {
            pod.value[["spec", "containers"]] = [["name": "main", "image": "web:1.0", "resources": resources]]
        }
        return pod
    }

    private func create(_ pod: KubeObject) async throws -> KubeObject { try await fixture.client.create(.pods, pod) }

    private func refused(_ pod: KubeObject) async throws -> Status {
        try await refusal { _ = try await create(pod) }
    }

    // MARK: Limit ranges

    @Test("a limit range gives what is missing and says so")
    func limitDefaults() async throws {
        try await fixture.put(
            .limitRanges, "lr", in: "default",
            [
                "spec": [
                    "limits": [
                        [
                            "type": "Container", "default": ["cpu": "500m", "memory": "256Mi"],
                            "defaultRequest": ["cpu": "100m"],
                        ]
                    ]
                ]
            ])
        let pod = try await create(Self.pod("p", resources: ["limits": ["memory": "1Gi"]]))
        let resources = try #require(pod.value[["spec", "containers"]]?.array?.first?["resources"])
        #expect(resources["limits"] == ["memory": "1Gi", "cpu": "500m"])
        #expect(resources[["requests", "cpu"]] == "100m")
        #expect(
            pod.annotations["kubernetes.io/limit-ranger"]
                == "LimitRanger plugin set: cpu request for container main; cpu limit for container main")
        #expect(pod.value[["status", "qosClass"]] == "Burstable")
    }

    @Test("a limit range refuses what is too small, too large, or out of proportion")
    func limitBounds() async throws {
        try await fixture.put(
            .limitRanges, "lr", in: "default",
            [
                "spec": [
                    "limits": [
                        [
                            "type": "Container", "min": ["cpu": "100m"], "max": ["cpu": "1"],
                            "maxLimitRequestRatio": ["cpu": "4"],
                        ]
                    ]
                ]
            ])
        func why(_ resources: JSONValue) async throws -> String {
            try await refused(Self.pod("p", resources: resources)).message
        }
        #expect(
            try await why(["requests": ["cpu": "500m"], "limits": ["cpu": "2"]])
                == "pods \"p\" is forbidden: maximum cpu usage per Container is 1, but limit is 2")
        #expect(
            try await why(["requests": ["cpu": "50m"], "limits": ["cpu": "500m"]])
                == "pods \"p\" is forbidden: [minimum cpu usage per Container is 100m, but request is 50m, cpu max limit "
                + "to request ratio per Container is 4, but provided ratio is 10.000000]")
        #expect(
            try await why([:])
                == "pods \"p\" is forbidden: [minimum cpu usage per Container is 100m.  No request is specified, maximum "
                + "cpu usage per Container is 1.  No limit is specified, cpu max limit to request ratio per Container is "
                + "4, but no request is specified or request is 0]")
        _ = try await create(Self.pod("p", resources: ["requests": ["cpu": "250m"], "limits": ["cpu": "1"]]))
    }

    // MARK: Quotas

    private func makeQuota(_ hard: JSONValue, scopes: JSONValue? = nil) async throws {
        var spec: JSONValue = ["hard": hard]
        if let scopes { spec["scopes"] = scopes }
        try await fixture.put(.resourceQuotas, "q", in: "default", ["spec": spec])
    }

    private var used: JSONValue? {
        fixture.cluster.store.get(StoreKeys.quota("q"))?.object.value[["status", "used"]]
    }

    @Test("a quota counts, and refuses what is too much")
    func quota() async throws {
        _ = try await create(Self.pod("before"))
        try await makeQuota(["pods": "2", "requests.cpu": "1", "count/configmaps": "1"])
        let silent = try await refused(Self.pod("p"))
        #expect(silent.message == "pods \"p\" is forbidden: failed quota: q: must specify requests.cpu for: main")
        _ = try await create(Self.pod("p", resources: ["requests": ["cpu": "600m"]]))
        #expect(used == ["pods": "2", "requests.cpu": "600m"])
        let third = try await refused(Self.pod("r", resources: ["requests": ["cpu": "500m"]]))
        #expect(
            third.message
                == "pods \"r\" is forbidden: exceeded quota: q, requested: pods=1,requests.cpu=500m, used: "
                + "pods=2,requests.cpu=600m, limited: pods=2,requests.cpu=1")
        let map = KubeObject(.configMaps, namespace: "default", name: "a")
        _ = try await fixture.client.create(.configMaps, map)
        let second = try await refusal {
            _ = try await fixture.client.create(
                .configMaps, KubeObject(.configMaps, namespace: "default", name: "b"))
        }
        #expect(
            second.message
                == "configmaps \"b\" is forbidden: exceeded quota: q, requested: count/configmaps=1, used: "
                + "count/configmaps=1, limited: count/configmaps=1")
    }

    @Test("of many at once only as many are let in as there is room for, and failures are given back")
    func quotaRace() async throws {
        try await makeQuota(["count/configmaps": "5"])
        let client = fixture.client
        let made = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<20 {
                group.addTask {
                    let map = KubeObject(.configMaps, namespace: "default", name: "m\(number)")
                    return (try? await client.create(.configMaps, map)) != nil
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(made == 5)
        #expect(used == ["count/configmaps": "5"])
        try await makeQuota(["count/configmaps": "9"])
        let names = try await client.list(.configMaps, in: "default").items.map(\.name)
        let taken = try #require(names.first)
        let again = try await refusal {
            _ = try await client.create(.configMaps, KubeObject(.configMaps, namespace: "default", name: taken))
        }
        #expect(again.isAlreadyExists)
        #expect(used == ["count/configmaps": "5"])
    }

    @Test("a dry run is judged and not counted")
    func quotaDryRun() async throws {
        try await makeQuota(["count/configmaps": "1"])
        let map = KubeObject(.configMaps, namespace: "default", name: "a")
        _ = try await fixture.client.create(.configMaps, map, options: WriteOptions(isDryRun: true))
        #expect(used == nil)
        _ = try await fixture.client.create(.configMaps, map)
        let other = KubeObject(.configMaps, namespace: "default", name: "b")
        let status = try await refusal {
            _ = try await fixture.client.create(.configMaps, other, options: WriteOptions(isDryRun: true))
        }
        #expect(status.message.contains("exceeded quota"))
    }

    @Test("a quota with a scope is about the pods in it")
    func quotaScopes() async throws {
        try await makeQuota(["pods": "0"], scopes: ["BestEffort"])
        #expect(try await refused(Self.pod("p")).message.contains("exceeded quota: q, requested: pods=1"))
        _ = try await create(Self.pod("p", resources: ["requests": ["cpu": "1"]]))
    }

    // MARK: Priorities, storage, deletion

    @Test("a priority class becomes a number")
    func priority() async throws {
        try await fixture.put(.priorityClasses, "high", ["value": 1000, "preemptionPolicy": "Never"])
        let pod = try await create(Self.pod("p", spec: ["priorityClassName": "high"]))
        #expect(pod.value[["spec", "priority"]] == 1000)
        #expect(pod.value[["spec", "preemptionPolicy"]] == "Never")
        let critical = try await create(Self.pod("c", spec: ["priorityClassName": "system-node-critical"]))
        #expect(critical.value[["spec", "priority"]] == 2_000_001_000)
        let unknown = try await refused(Self.pod("u", spec: ["priorityClassName": "nosuch"]))
        #expect(unknown.message == "pods \"u\" is forbidden: no PriorityClass with name nosuch was found")
        let own = try await refused(Self.pod("o", spec: ["priorityClassName": "high", "priority": 5]))
        #expect(
            own.message
                == "pods \"o\" is forbidden: the integer value of priority (5) must not be provided in pod spec; priority "
                + "admission controller computed 1000 from the given PriorityClass name")
    }

    // MARK: Rights

    @Test("nobody gives away rights that they do not have, unless they may")
    func escalation() async throws {
        try await fixture.bind("admin", kind: "ClusterRole", to: "jane")
        let jane = fixture.cluster.server.client(user: AccessFixture.jane)
        func request(_ object: KubeObject, _ kind: ResourceType) async throws(Status) {
            let schema = KindSchema(kind, root: .any)
            _ = try await fixture.registry.admit(
                object, AdmissionRequest(schema, object, WriteSettings(caller: AccessFixture.jane)))
        }
        var role = KubeObject(.roles, namespace: "default", name: "r")
        role.value["rules"] = [["apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]]]
        try await request(role, .roles)
        role.value["rules"] = [
            ["apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]],
            ["nonResourceURLs": ["/metrics"], "verbs": ["get"]],
        ]
        let tooMuch = role
        let refused = try await refusal { try await request(tooMuch, .roles) }
        #expect(
            refused.message
                == "roles.rbac.authorization.k8s.io \"r\" is forbidden: user \"jane\" (groups=[\"system:authenticated\"]) "
                + "is attempting to grant RBAC permissions not currently held:\n"
                + "{APIGroups:[\"\"], Resources:[\"nodes\"], Verbs:[\"get\" \"list\"]}\n"
                + "{NonResourceURLs:[\"/metrics\"], Verbs:[\"get\"]}")
        var binding = KubeObject(.roleBindings, namespace: "default", name: "b")
        for (key, value) in AccessFixture.binding("view", kind: "ClusterRole", to: "joe").object ?? [:] {
            binding.value[key] = value
        }
        try await request(binding, .roleBindings)
        binding.value[["roleRef", "name"]] = "cluster-admin"
        let master = binding
        #expect(try await refusal { try await request(master, .roleBindings) }.code == 403)
        try await fixture.makeRole(
            "binder",
            [["apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "verbs": ["bind"]]])
        try await fixture.bind("binder", to: "jane")
        try await request(master, .roleBindings)
        #expect(try await jane.list(.pods, in: "default").items.isEmpty)
    }
}

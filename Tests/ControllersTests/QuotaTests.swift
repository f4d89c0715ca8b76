import ControllerKit
import KubeClient
import KubeModel
import LabTesting
import Testing

@testable import Controllers

@Suite("Use of quotas", .timeLimit(.minutes(5))) struct QuotaTests {
    private func quota(_ hard: JSONValue, _ spec: JSONValue = [:]) -> KubeObject {
        var quota = KubeObject(.resourceQuotas, namespace: "default", name: "q")
        quota.value["spec"] = spec
        quota.value[["spec", "hard"]] = hard
        return quota
    }

    private func pod(_ name: String, resources: JSONValue = [:], spec: JSONValue = [:], phase: String = "Running")
        -> KubeObject
    {
        var spec = spec
        spec["containers"] = [["name": "main", "resources": resources]]
        return Pod.example(name, phase: phase, spec: spec).object
    }

    private func used(
        _ quota: KubeObject, _ objects: [ResourceType: [KubeObject]]
    ) -> JSONValue {
        QuotaUsage.used(of: quota, by: objects)
    }

    @Test("requests and limits of pods that have not ended add up")
    func compute() {
        let pods = [
            pod("a", resources: ["requests": ["cpu": "250m", "memory": "64Mi"], "limits": ["cpu": "1"]]),
            pod("b", resources: ["requests": ["cpu": "500m"]]),
            pod("c", resources: ["requests": ["cpu": "8"]], phase: "Succeeded"),
        ]
        #expect(
            used(quota(["cpu": "1", "requests.memory": "1Gi", "limits.cpu": "2", "pods": "9"]), [.pods: pods])
                == ["cpu": "750m", "requests.memory": "64Mi", "limits.cpu": "1", "pods": "2"])
    }

    @Test("a scope takes in only its pods")
    func scopes() {
        let pods = [
            pod("a", resources: ["requests": ["cpu": "1"]]), pod("b"), pod("c", spec: ["activeDeadlineSeconds": 5]),
            pod("d", spec: ["priorityClassName": "high"]),
        ]
        func count(_ spec: JSONValue) -> JSONValue? { used(quota(["pods": "9"], spec), [.pods: pods])["pods"] }
        #expect(count(["scopes": ["BestEffort"]]) == "3")
        #expect(count(["scopes": ["Terminating"]]) == "1")
        #expect(count(["scopes": ["NotBestEffort", "NotTerminating"]]) == "1")
        let high: JSONValue = ["scopeName": "PriorityClass", "operator": "In", "values": ["high"]]
        #expect(count(["scopeSelector": ["matchExpressions": [high]]]) == "1")
    }

    @Test("objects, node ports and storage are counted")
    func objects() {
        func service(_ spec: JSONValue) -> KubeObject { KubeObject(["spec": spec]) }
        func claim(_ size: JSONValue, _ name: JSONValue) -> KubeObject {
            KubeObject(["spec": ["storageClassName": name, "resources": ["requests": ["storage": size]]]])
        }
        let hard: JSONValue = [
            "services": "9", "services.nodeports": "9", "services.loadbalancers": "9", "requests.storage": "9Gi",
            "persistentvolumeclaims": "9", "fast.storageclass.storage.k8s.io/requests.storage": "9Gi",
            "count/deployments.apps": "9",
        ]
        let found = used(
            quota(hard),
            [
                .services: [
                    service(["type": "NodePort", "ports": [["port": 1], ["port": 2]]]),
                    service(["type": "LoadBalancer"]),
                    service(["type": "ClusterIP"]),
                ],
                .persistentVolumeClaims: [claim("1Gi", "fast"), claim("2Gi", "slow")],
                .deployments: [KubeObject([:])],
            ])
        #expect(
            found == [
                "services": "3", "services.nodeports": "2", "services.loadbalancers": "1", "requests.storage": "3Gi",
                "persistentvolumeclaims": "2", "fast.storageclass.storage.k8s.io/requests.storage": "1Gi",
                "count/deployments.apps": "1",
            ])
    }

    @Test("what admission has counted and nobody sees yet is not taken back, unless it stays away")
    func inFlight() async throws {
        let cluster = try MemoryCluster()
        try await cluster.running([]) {
            let client = cluster.client
            let reconciler = ResourceQuotaReconciler(client: client) { [.pods] }
            let key = ObjectKey(namespace: "default", name: "q")
            func count(_ pods: String) async throws {
                var quota = try await client.get(.resourceQuotas, "q", in: "default")
                quota.value["status"] = ["hard": ["pods": "3"], "used": ["pods": .string(pods)]]
                _ = try await client.updateStatus(.resourceQuotas, quota)
            }
            func used() async throws -> JSONValue? {
                try await client.get(.resourceQuotas, "q", in: "default").value[["status", "used", "pods"]]
            }
            _ = try await client.create(.resourceQuotas, quota(["pods": "3"]))
            #expect(try await reconciler.reconcile(key) == .settled)
            try await count("1")
            #expect(try await reconciler.reconcile(key) == .again(after: ResourceQuotaReconciler.doubt))
            // Another one: the doubt begins anew.
            try await count("2")
            #expect(try await reconciler.reconcile(key) == .again(after: ResourceQuotaReconciler.doubt))
            #expect(try await used() == "2")
            #expect(try await reconciler.reconcile(key) == .settled)
            #expect(try await used() == "0")
        }
    }

    @Test("the status follows what comes and goes")
    func cluster() async throws {
        let fixture = try Fixture()
        try await fixture.running {
            _ = try await fixture.client.create(.resourceQuotas, quota(["configmaps": "9", "count/jobs.batch": "4"]))
            func waitUsed(_ count: String) async throws {
                try await fixture.wait(.resourceQuotas, "q") {
                    $0.value[["status", "used", "configmaps"]]?.string == count
                        && $0.value[["status", "hard", "configmaps"]] == "9"
                }
            }
            // The root certificate of the namespace is one.
            try await waitUsed("1")
            _ = try await fixture.client.create(
                .configMaps, KubeObject(.configMaps, namespace: "default", name: "settings"))
            try await waitUsed("2")
            try await fixture.client.delete(.configMaps, namespace: "default", name: "settings", options: .init())
            try await waitUsed("1")
        }
    }
}

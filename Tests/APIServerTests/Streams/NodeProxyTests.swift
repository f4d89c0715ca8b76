import KubeClient
import KubeModel
import LabTesting
import Testing

@testable import APIServer

/// What `kubectl get --raw /api/v1/nodes/NAME/proxy/…` gives.
@Suite("The kubelet's pages", .timeLimit(.minutes(5))) struct NodeProxyTests {
    private let fixture: AccessFixture
    private let pod: KubeObject

    init() async throws {
        fixture = try AccessFixture()
        var node = KubeObject(.nodes, name: "one")
        node.value["spec"] = ["providerID": "velocity://one"]
        node = try await fixture.client.create(.nodes, node)
        node.value["status"] = [
            "capacity": ["memory": "4Gi", "pods": "110"], "daemonEndpoints": ["kubeletEndpoint": ["Port": 10250]],
        ]
        _ = try await fixture.client.update(.nodes, node, subresource: "status", options: WriteOptions())
        var pod = try await fixture.client.create(.pods, MemoryCluster.pod("web", node: "one"))
        _ = try await fixture.client.create(.pods, MemoryCluster.pod("elsewhere", node: "two"))
        pod.value["status"] = [
            "phase": "Running", "startTime": "2026-01-01T00:00:00Z",
            "containerStatuses": [
                [
                    "name": "main", "image": "web:1.0", "imageID": "", "ready": true, "restartCount": 0,
                    "state": ["running": ["startedAt": "2026-01-01T00:00:01Z"]],
                ]
            ],
        ]
        pod = try await fixture.client.update(.pods, pod, subresource: "status", options: WriteOptions())
        fixture.server.setNodeAgent(MeasuredNode(uid: pod.uid), node: "one")
        self.pod = pod
    }

    private func get(_ path: String) async throws -> AccessFixture.Answer {
        try await fixture.send("GET", "/api/v1/nodes/one/proxy/\(path)")
    }

    @Test("the pods of the node are listed, and those that run as the runtime knows them")
    func pods() async throws {
        let all = try await get("pods").value["items"]?.array ?? []
        #expect(all.map { $0[["metadata", "name"]] } == ["web"])
        #expect(all.first?["kind"] == nil)
        #expect(all.first?[["status", "phase"]] == "Running")
        let running = try await get("runningpods/").value["items"]?.array ?? []
        #expect(running.map { $0[["spec", "containers"]]?.array?.first?["name"] } == ["main"])
        #expect(running.first?["status"] == [:])
    }

    @Test("the summary says what the node, its pods and their containers use")
    func summary() async throws {
        let summary = try await get("stats/summary").value
        #expect(summary[["node", "nodeName"]] == "one")
        #expect(summary[["node", "cpu", "usageNanoCores"]] == 1_500_000_000)
        #expect(summary[["node", "memory", "workingSetBytes"]] == .int(2 << 30))
        #expect(summary[["node", "memory", "availableBytes"]] == .int(2 << 30))
        let pods = summary["pods"]?.array ?? []
        #expect(pods.count == 1)
        #expect(pods.first?["podRef"] == ["name": "web", "namespace": "default", "uid": .string(pod.uid)])
        #expect(pods.first?["startTime"] == "2026-01-01T00:00:00Z")
        #expect(pods.first?[["memory", "workingSetBytes"]] == .int(64 << 20))
        let container = pods.first?["containers"]?.array?.first
        #expect(container?["name"] == "main")
        #expect(container?["startTime"] == "2026-01-01T00:00:01Z")
        #expect(container?[["cpu", "usageNanoCores"]] == 250_000_000)
    }

    @Test("numbers are in the format of Prometheus")
    func metrics() async throws {
        let own = try await get("metrics").text
        #expect(own.contains("kubelet_running_pods 1\n"))
        #expect(own.contains("kubelet_running_containers{container_state=\"running\"} 1\n"))
        #expect(own.contains("kubelet_running_containers{container_state=\"exited\"} 0\n"))
        let place = "namespace=\"default\",pod=\"web\"}"
        let resource = try await get("metrics/resource").text
        #expect(resource.contains("container_memory_working_set_bytes{container=\"main\",\(place) 67108864\n"))
        #expect(resource.contains("container_start_time_seconds{container=\"main\",\(place) 1767225601\n"))
        #expect(resource.contains("node_memory_working_set_bytes 2147483648\n"))
        #expect(resource.contains("pod_memory_working_set_bytes{\(place) 67108864\n"))
    }

    @Test("the set-up is what the cluster knows of it")
    func configuration() async throws {
        try await fixture.put(.services, "kube-dns", in: "kube-system", ["spec": ["clusterIP": "10.96.0.10"]])
        try await fixture.put(.leases, "one", in: "kube-node-lease", ["spec": ["leaseDurationSeconds": 40]])
        let settings = try await get("configz").value["kubeletconfig"]
        #expect(settings?["maxPods"] == 110)
        #expect(settings?["port"] == 10250)
        #expect(settings?["clusterDNS"] == ["10.96.0.10"])
        #expect(settings?["nodeLeaseDurationSeconds"] == 40)
        #expect(settings?["providerID"] == "velocity://one")
    }

    @Test("what a node here does not have is not there", arguments: ["logs/", "metrics/cadvisor", "spec/", "nothing"])
    func missing(path: String) async throws { #expect(try await get(path).code == 404) }
}

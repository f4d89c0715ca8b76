import ControllerKit
import KubeClient
import KubeModel
import LabTesting
import Testing

@Suite("Event recorder", .timeLimit(.minutes(5))) struct EventRecorderTests {
    private func events(_ cluster: MemoryCluster) async throws -> [KubeObject] {
        try await cluster.client.list(.events, in: "default").items
    }

    private func pod(_ cluster: MemoryCluster, _ name: String = "web") async throws -> KubeObject {
        try await cluster.client.create(.pods, MemoryCluster.pod(name))
    }

    @Test("an event says what happened to what, and who says so")
    func fields() async throws {
        let cluster = try MemoryCluster()
        let pod = try await pod(cluster)
        let recorder = EventRecorder(client: cluster.client, component: "kubelet", host: "node-1")
        await recorder.record(
            pod, .warning, reason: "BackOff", message: "Back-off restarting", fieldPath: "spec.containers{main}",
            now: Timestamp(seconds: 1_700_000_000))
        let event = try #require(try await events(cluster).first)
        #expect(event.name.hasPrefix("web."))
        #expect(
            event.value["involvedObject"] == [
                "kind": "Pod", "namespace": "default", "name": "web", "uid": .string(pod.uid), "apiVersion": "v1",
                "resourceVersion": .string(pod.resourceVersion), "fieldPath": "spec.containers{main}",
            ])
        #expect(event.value["type"] == "Warning")
        #expect(event.value["reason"] == "BackOff")
        #expect(event.value["message"] == "Back-off restarting")
        #expect(event.value["source"] == ["component": "kubelet", "host": "node-1"])
        #expect(event.value["count"] == 1)
        #expect(event.value["firstTimestamp"] == "2023-11-14T22:13:20Z")
    }

    @Test("a queue writes events in the order in which they were recorded, and nobody waits for it")
    func queue() async throws {
        let cluster = try MemoryCluster()
        let pod = try await pod(cluster)
        let queue = EventQueue(EventRecorder(client: cluster.client, component: "kubelet"))
        for reason in ["Pulled", "Created", "Started"] {
            queue.record(pod, .normal, reason: reason, message: reason)
        }
        #expect(try await events(cluster).isEmpty)
        let watch = try await cluster.client.watch(
            .events, namespace: "default", options: WatchOptions(resourceVersion: "1"))
        var seen: [String] = []
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await queue.run() }
            for try await event in watch.prefix(3) {
                if case .added(let object) = event { seen.append(object.value["reason"]?.string ?? "") }
            }
            group.cancelAll()
        }
        #expect(seen == ["Pulled", "Created", "Started"])
    }

    @Test("a repeat counts up and moves the last time; the first time stays")
    func aggregation() async throws {
        let cluster = try MemoryCluster()
        let pod = try await pod(cluster)
        let recorder = EventRecorder(client: cluster.client, component: "kubelet")
        for second in 0..<3 {
            await recorder.record(
                pod, .normal, reason: "Pulled", message: "Pulled it",
                now: Timestamp(seconds: 1_700_000_000 + Int64(second)))
        }
        let found = try await events(cluster)
        #expect(found.map { $0.value["count"] } == [3])
        #expect(found.first?.value["firstTimestamp"] == "2023-11-14T22:13:20Z")
        #expect(found.first?.value["lastTimestamp"] == "2023-11-14T22:13:22Z")
    }

    @Test("another reason, message, type or object is another event")
    func differences() async throws {
        let cluster = try MemoryCluster()
        let pod = try await pod(cluster)
        let other = try await self.pod(cluster, "other")
        let recorder = EventRecorder(client: cluster.client, component: "kubelet")
        await recorder.record(pod, .normal, reason: "Pulled", message: "one")
        await recorder.record(pod, .normal, reason: "Pulled", message: "two")
        await recorder.record(pod, .normal, reason: "Started", message: "one")
        await recorder.record(pod, .warning, reason: "Pulled", message: "one")
        await recorder.record(other, .normal, reason: "Pulled", message: "one")
        #expect(try await events(cluster).map { $0.value["count"] } == Array(repeating: 1, count: 5))
    }

    @Test("a repeat of an event that has gone starts a new one")
    func forgotten() async throws {
        let cluster = try MemoryCluster()
        let pod = try await pod(cluster)
        let recorder = EventRecorder(client: cluster.client, component: "kubelet")
        await recorder.record(pod, .normal, reason: "Pulled", message: "one")
        let first = try #require(try await events(cluster).first)
        try await cluster.client.delete(.events, namespace: "default", name: first.name, options: DeleteOptions())
        await recorder.record(pod, .normal, reason: "Pulled", message: "one")
        let found = try await events(cluster)
        #expect(found.map { $0.value["count"] } == [1])
        #expect(found.first?.name != first.name)
    }

    @Test("copies of a recorder count together, and a long message is cut at 1024 characters")
    func copies() async throws {
        let cluster = try MemoryCluster()
        let pod = try await pod(cluster)
        let recorder = EventRecorder(client: cluster.client, component: "kubelet")
        let copy = recorder
        let long = String(repeating: "x", count: 2000)
        await recorder.record(pod, .normal, reason: "Pulled", message: long)
        await copy.record(pod, .normal, reason: "Pulled", message: long)
        let found = try await events(cluster)
        #expect(found.map { $0.value["count"] } == [2])
        #expect(found.first?.value["message"]?.string?.count == 1024)
    }

    @Test("an event about an object of the cluster lies in the namespace default")
    func clusterObject() async throws {
        let cluster = try MemoryCluster()
        let node = try await cluster.client.create(.nodes, KubeObject(.nodes, name: "node-1"))
        await EventRecorder(client: cluster.client, component: "kubelet")
            .record(node, .normal, reason: "NodeReady", message: "ready")
        let event = try #require(try await events(cluster).first)
        #expect(event.value[["involvedObject", "namespace"]] == nil)
        #expect(event.value[["involvedObject", "kind"]] == "Node")
    }
}

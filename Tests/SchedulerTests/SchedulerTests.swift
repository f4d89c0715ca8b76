import ControllerKit
import KubeClient
import KubeModel
import LabTesting
import ServiceLifecycle
import Testing

@testable import Scheduler

@Suite("Scheduler", .timeLimit(.minutes(5))) struct SchedulerTests {
    private let cluster: MemoryCluster
    private var client: any ClusterClient { cluster.client }

    init() throws { cluster = try MemoryCluster() }

    private func running(_ body: @Sendable () async throws -> Void) async throws {
        let pods = Informer(client: client, resource: .pods)
        let nodes = Informer(client: client, resource: .nodes)
        try await cluster.running([pods, nodes, Scheduler(client: client, pods: pods, nodes: nodes)], body)
    }

    private func addNode(_ node: KubeObject) async throws {
        let made = try await client.create(.nodes, node)
        var status = made
        status.value["status"] = node.value["status"]
        _ = try await client.updateStatus(.nodes, status)
    }

    @discardableResult
    private func waitPod(
        _ name: String, sourceLocation: SourceLocation = #_sourceLocation,
        until isMet: @escaping @Sendable (Pod) -> Bool
    ) async throws -> Pod {
        let found = try await client.waitFor(
            .pods, namespace: "default", fieldSelector: "metadata.name=\(name)", timeout: .seconds(40)
        ) { $0.first.map { isMet(Pod($0)) } ?? false }
        return Pod(try #require(found?.first, sourceLocation: sourceLocation))
    }

    private func waitRefused(_ name: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> Pod {
        try await waitPod(name, sourceLocation: sourceLocation) { $0.conditions["PodScheduled"]?.isTrue == false }
    }

    private func event(_ reason: String, about name: String) async throws -> KubeObject {
        @Sendable func fits(_ event: KubeObject) -> Bool {
            event.value["reason"]?.string == reason && event.value[["involvedObject", "name"]]?.string == name
        }
        let found = try await client.waitFor(.events, namespace: "default", timeout: .seconds(40)) {
            $0.contains(where: fits)
        }
        return try #require(found?.first(where: fits))
    }

    @Test("a pod is bound to a node with room, with an event")
    func binds() async throws {
        try await running {
            try await addNode(makeNode())
            _ = try await client.create(.pods, makePod("web", cpu: "1"))
            let pod = try await waitPod("web", until: \.isScheduled)
            #expect(pod.nodeName == "node-1")
            #expect(pod.conditions["PodScheduled"]?.isTrue == true)
            let event = try await event("Scheduled", about: "web")
            #expect(event.value["message"] == "Successfully assigned default/web to node-1")
            #expect(event.value["type"] == "Normal")
            #expect(event.value[["source", "component"]] == "default-scheduler")
        }
    }

    @Test("a pod makes room for one of more priority, and says why; the room is kept")
    func preempts() async throws {
        try await running {
            try await addNode(makeNode(cpu: "1"))
            for (name, value) in [("low", 1), ("high", 100)] {
                var priority = KubeObject(.priorityClasses, name: name)
                priority.value["value"] = JSONValue(value)
                _ = try await client.create(.priorityClasses, priority)
            }
            var victim = makePod("victim", cpu: "1", spec: ["priorityClassName": "low"])
            victim.finalizers = ["example.com/keep"]
            _ = try await client.create(.pods, victim)
            try await waitPod("victim", until: \.isScheduled)
            _ = try await client.create(.pods, makePod("new", cpu: "1", spec: ["priorityClassName": "high"]))
            let leaving = try await waitPod("victim", until: \.object.isBeingDeleted)
            let condition = leaving.conditions["DisruptionTarget"]
            #expect(condition?.reason == "PreemptionByScheduler")
            #expect(condition?.message == "default-scheduler: preempting to accommodate a higher priority pod")
            let waiting = try await waitPod("new") { $0.nominatedNodeName == "node-1" }
            #expect(!waiting.isScheduled)
            let event = try await event("Preempted", about: "victim")
            #expect(event.value["message"]?.string == "Preempted by pod \(waiting.uid) on node node-1")
            _ = try await client.create(.pods, makePod("late", cpu: "1", spec: ["priorityClassName": "low"]))
            _ = try await waitRefused("late")
            let patch: JSONValue = ["metadata": ["finalizers": nil]]
            _ = try await client.patch(
                .pods, namespace: "default", name: "victim", .merge(patch), subresource: nil, options: WriteOptions())
            // No kubelet is there to end it.
            try await client.delete(
                .pods, namespace: "default", name: "victim", options: DeleteOptions(gracePeriodSeconds: 0))
            try await waitPod("new", until: \.isScheduled)
            #expect(!Pod(try await client.get(.pods, "late", in: "default")).isScheduled)
        }
    }

    @Test("a pod that fits nowhere says so in its condition and in an event")
    func refuses() async throws {
        try await running {
            try await addNode(makeNode())
            _ = try await client.create(.pods, makePod("big", cpu: "8"))
            let pod = try await waitRefused("big")
            let text =
                "0/1 nodes are available: 1 Insufficient cpu. preemption: "
                + "0/1 nodes are available: 1 No preemption victims found for incoming pod."
            #expect(!pod.isScheduled)
            #expect(pod.phase == "Pending")
            #expect(pod.conditions["PodScheduled"]?.reason == "Unschedulable")
            #expect(pod.conditions["PodScheduled"]?.message == text)
            let event = try await event("FailedScheduling", about: "big")
            #expect(event.value["message"] == .string(text))
            #expect(event.value["type"] == "Warning")
        }
    }

    @Test("without a node a pod waits, and the first node takes it")
    func firstNode() async throws {
        try await running {
            _ = try await client.create(.pods, makePod())
            let pod = try await waitRefused("web")
            #expect(pod.conditions["PodScheduled"]?.message == "no nodes available to schedule pods")
            try await addNode(makeNode())
            try await waitPod("web", until: \.isScheduled)
        }
    }

    @Test("a pod that waits is bound as soon as another one makes room", arguments: ["deleted", "Succeeded", "Failed"])
    func room(end: String) async throws {
        try await running {
            try await addNode(makeNode(cpu: "1"))
            _ = try await client.create(.pods, makePod("first", cpu: "1"))
            try await waitPod("first", until: \.isScheduled)
            _ = try await client.create(.pods, makePod("second", cpu: "1"))
            _ = try await waitRefused("second")
            if end == "deleted" {
                try await client.delete(
                    .pods, namespace: "default", name: "first", options: DeleteOptions(gracePeriodSeconds: 0))
            } else {
                _ = try await client.patch(
                    .pods, namespace: "default", name: "first", .merge(["status": ["phase": .string(end)]]),
                    subresource: "status", options: WriteOptions())
            }
            let pod = try await waitPod("second", until: \.isScheduled)
            #expect(pod.conditions["PodScheduled"]?.isTrue == true)
        }
    }

    @Test("a pod that waits is bound as soon as a node changes in its favour")
    func changedNode() async throws {
        try await running {
            try await addNode(makeNode(spec: ["unschedulable": true]))
            _ = try await client.create(.pods, makePod("web", spec: ["nodeSelector": ["disk": "ssd"]]))
            let cordoned = try await waitRefused("web")
            #expect(cordoned.conditions["PodScheduled"]?.message.contains("1 node(s) were unschedulable") == true)
            try await patchNode(["spec": ["unschedulable": nil]])
            let unlabelled = try await waitPod("web") {
                $0.conditions["PodScheduled"]?.message.contains("node affinity/selector") ?? false
            }
            #expect(!unlabelled.isScheduled)
            try await patchNode(["metadata": ["labels": ["disk": "ssd"]]])
            try await waitPod("web", until: \.isScheduled)
        }
    }

    private func patchNode(_ patch: JSONValue) async throws {
        _ = try await client.patch(
            .nodes, namespace: nil, name: "node-1", .merge(patch), subresource: nil, options: WriteOptions())
    }

    @Test("pods that come at once never take more than there is")
    func rush() async throws {
        try await running {
            try await addNode(makeNode(cpu: "1"))
            for number in 0..<10 { _ = try await client.create(.pods, makePod("web-\(number)", cpu: "300m")) }
            let found = try await client.waitFor(.pods, namespace: "default", timeout: .seconds(40)) { pods in
                pods.count == 10
                    && pods.allSatisfy {
                        Pod($0).isScheduled || Pod($0).conditions["PodScheduled"]?.reason == "Unschedulable"
                    }
            }
            let pods = try #require(found)
            #expect(pods.count { Pod($0).isScheduled } == 3)
        }
    }

    @Test("pods of other schedulers, gated ones, and those that have a node are left alone")
    func untouched() async throws {
        try await running {
            try await addNode(makeNode())
            let placed = try await client.create(.pods, MemoryCluster.pod("placed", node: "elsewhere"))
            let foreign = try await client.create(.pods, makePod("foreign", spec: ["schedulerName": "mine"]))
            let gated = try await client.create(
                .pods, makePod("gated", spec: ["schedulingGates": [["name": "example.com/wait"]]]))
            _ = try await client.create(.pods, makePod("web"))
            try await waitPod("web", until: \.isScheduled)
            for pod in [placed, foreign, gated] {
                #expect(try await client.get(.pods, pod.name, in: "default") == pod)
            }
        }
    }
}

import KubeClient
import KubeModel

/// What a kubelet tells of its node: what is used, what runs, how it is set up.
///
/// Only what is known here is said; the real one also counts bytes of disks and networks, and processor time since the
/// start.
struct NodePages {
    let node: KubeObject
    /// Those that are bound to the node.
    let pods: [KubeObject]

    /// `runningpods`: pods as the runtime knows them.
    var running: JSONValue {
        let items = pods.filter { !Self.states($0, "running").isEmpty }.map { pod -> JSONValue in
            let running = Self.states(pod, "running").map(\.name)
            let containers = (pod.value[["spec", "containers"]]?.array ?? []).filter {
                running.contains($0["name"]?.string ?? "")
            }
            return [
                "metadata": [
                    "name": .string(pod.name), "namespace": .string(pod.namespace ?? ""), "uid": .string(pod.uid),
                    "creationTimestamp": .null,
                ],
                "spec": [
                    "containers": .array(
                        containers.map {
                            ["name": $0["name"] ?? "", "image": $0["image"] ?? "", "resources": [:]]
                        })
                ],
                "status": [:],
            ]
        }
        return Self.list(items)
    }

    /// `pods`: all of them, as they are.
    var all: JSONValue {
        Self.list(
            pods.map { pod in
                var value = pod.value
                (value["apiVersion"], value["kind"]) = (nil, nil)
                return value
            })
    }

    private static func list(_ items: [JSONValue]) -> JSONValue {
        ["kind": "PodList", "apiVersion": "v1", "metadata": [:], "items": .array(items)]
    }

    /// The containers of a pod that are in a state, and what the status says of it.
    private static func states(_ pod: KubeObject, _ state: String) -> [(name: String, state: JSONValue)] {
        ["initContainerStatuses", "containerStatuses"].flatMap { pod.value[["status", $0]]?.array ?? [] }.compactMap {
            status in status[["state", state]].map { (status["name"]?.string ?? "", $0) }
        }
    }

    // MARK: Use

    /// `stats/summary`.
    func summary(_ usage: NodeUsage) -> JSONValue {
        let time = JSONValue.string(usage.time.text)
        func amounts(_ used: ResourceUsage, of capacity: Int64? = nil) -> JSONValue {
            var value: JSONValue = [
                "cpu": ["time": time, "usageNanoCores": .int(used.cpuNanocores)],
                "memory": ["time": time],
            ]
            if let capacity { value[["memory", "availableBytes"]] = .int(max(0, capacity - used.memoryBytes)) }
            value[["memory", "workingSetBytes"]] = .int(used.memoryBytes)
            return value
        }
        func merged(_ value: JSONValue, _ more: JSONValue) -> JSONValue { value.applyingMergePatch(more) }
        let capacity = node.value[["status", "capacity", "memory"]]?.string.flatMap { Quantity(parsing: $0)?.value }
        return [
            "node": merged(["nodeName": .string(node.name)], amounts(usage.node, of: capacity)),
            "pods": .array(
                measured(usage).map { pod, used in
                    let started = Dictionary(
                        Self.states(pod, "running").map { ($0.name, $0.state["startedAt"] ?? .null) }
                    ) { first, _ in first }
                    let containers = used.sorted { $0.key < $1.key }.map { name, used -> JSONValue in
                        merged(["name": .string(name), "startTime": started[name] ?? .null], amounts(used))
                    }
                    let reference: JSONValue = [
                        "podRef": [
                            "name": .string(pod.name), "namespace": .string(pod.namespace ?? ""),
                            "uid": .string(pod.uid),
                        ],
                        "startTime": pod.value[["status", "startTime"]] ?? .null, "containers": .array(containers),
                    ]
                    return merged(reference, amounts(Self.sum(used.values)))
                }),
        ]
    }

    /// The pods whose use is known, in their order.
    private func measured(_ usage: NodeUsage) -> [(pod: KubeObject, used: [String: ResourceUsage])] {
        pods.compactMap { pod in
            usage.pods.first { $0.uid == pod.uid && !$0.containers.isEmpty }.map { (pod, $0.containers) }
        }
    }

    private static func sum(_ usages: some Sequence<ResourceUsage>) -> ResourceUsage {
        usages.reduce(ResourceUsage(cpuNanocores: 0, memoryBytes: 0)) { sum, next in
            ResourceUsage(
                cpuNanocores: sum.cpuNanocores + next.cpuNanocores, memoryBytes: sum.memoryBytes + next.memoryBytes)
        }
    }

    /// `metrics/resource`.
    func resourceMetrics(_ usage: NodeUsage) -> String {
        var page = MetricsPage()
        let measured = measured(usage)
        func place(_ pod: KubeObject) -> [(String, String)] {
            [("namespace", pod.namespace ?? ""), ("pod", pod.name)]
        }
        var name = "container_memory_working_set_bytes"
        page.head(name, "gauge", "Memory in use by a container.")
        for (pod, used) in measured {
            for (container, used) in used.sorted(by: { $0.key < $1.key }) {
                page.line(name, [("container", container)] + place(pod), "\(used.memoryBytes)")
            }
        }
        name = "container_start_time_seconds"
        page.head(name, "gauge", "When a container was started, in seconds since 1970.")
        for pod in pods {
            for (container, state) in Self.states(pod, "running") {
                guard let time = state["startedAt"]?.string.flatMap({ Timestamp(parsing: $0) }) else { continue }
                page.line(name, [("container", container)] + place(pod), "\(time.seconds)")
            }
        }
        name = "node_memory_working_set_bytes"
        page.head(name, "gauge", "Memory in use on the node.")
        page.line(name, [], "\(usage.node.memoryBytes)")
        name = "pod_memory_working_set_bytes"
        page.head(name, "gauge", "Memory in use by a pod.")
        for (pod, used) in measured { page.line(name, place(pod), "\(Self.sum(used.values).memoryBytes)") }
        page.head("resource_scrape_error", "gauge", "1 when something could not be measured.")
        page.line("resource_scrape_error", [], "0")
        return page.text
    }

    // MARK: The kubelet

    /// `metrics`: what the kubelet counts of itself.
    var metrics: String {
        var page = MetricsPage()
        page.head("kubelet_node_name", "gauge", "The node's name; always 1.")
        page.line("kubelet_node_name", [("node", node.name)], "1")
        page.head("kubelet_running_containers", "gauge", "Containers, by their state.")
        for (state, name) in [("terminated", "exited"), ("running", "running")] {
            let count = pods.reduce(0) { $0 + Self.states($1, state).count }
            page.line("kubelet_running_containers", [("container_state", name)], "\(count)")
        }
        page.head("kubelet_running_pods", "gauge", "Pods with a container that runs.")
        page.line("kubelet_running_pods", [], "\(pods.count { !Self.states($0, "running").isEmpty })")
        return page.text
    }

    /// `configz`.
    ///
    /// - Parameters:
    ///   - dns: The Service that pods ask for names; nil where there is none.
    ///   - lease: The node's.
    func configuration(dns: KubeObject?, lease: KubeObject?) -> JSONValue {
        var settings: JSONValue = ["enableServer": true]
        settings["port"] = node.value[["status", "daemonEndpoints", "kubeletEndpoint", "Port"]]
        settings["clusterDomain"] = "cluster.local"
        settings["clusterDNS"] = dns?.value[["spec", "clusterIP"]].map { [$0] }
        settings["nodeLeaseDurationSeconds"] = lease?.value[["spec", "leaseDurationSeconds"]]
        settings["maxPods"] = node.value[["status", "capacity", "pods"]]?.string.flatMap { Int64($0) }.map { .int($0) }
        settings["providerID"] = node.value[["spec", "providerID"]]
        return ["kubeletconfig": settings]
    }
}

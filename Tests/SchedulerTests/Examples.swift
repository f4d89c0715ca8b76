import KubeModel
import LabTesting

@testable import Scheduler

/// A node that is ready and has room.
func makeNode(
    _ name: String = "node-1", cpu: String = "2", memory: String = "1Gi", pods: String = "110", isReady: Bool = true,
    labels: [String: String] = [:], spec: JSONValue = [:]
) -> KubeObject {
    var node = KubeObject(.nodes, name: name)
    node.labels = labels
    node.value["spec"] = spec
    let room: JSONValue = ["cpu": .string(cpu), "memory": .string(memory), "pods": .string(pods)]
    node.value["status"] = [
        "capacity": room, "allocatable": room,
        "conditions": [["type": "Ready", "status": isReady ? "True" : "False"]],
    ]
    return node
}

/// A pod on no node that asks for something.
func makePod(_ name: String = "web", cpu: String? = nil, memory: String? = nil, spec: JSONValue = [:]) -> KubeObject {
    var requests: JSONValue = [:]
    if let cpu { requests["cpu"] = .string(cpu) }
    if let memory { requests["memory"] = .string(memory) }
    var spec = spec
    if spec["containers"] == nil {
        spec["containers"] = [["name": "main", "image": "web:1.0", "resources": ["requests": requests]]]
    }
    return MemoryCluster.pod(name, spec: spec)
}

func makeState(_ node: KubeObject, pods: [KubeObject] = []) -> NodeState {
    NodeState(node: node, pods: pods.map(Pod.init))
}

import KubeModel
import LabTesting

extension Pod {
    /// A pod in some state, for the plans.
    static func example(
        _ name: String, node: String = "node-1", phase: String = "Running", isReady: Bool = true, readyAt: Int64 = 100,
        createdAt: Int64 = 50, restarts: Int = 0, ip: String = "", labels: [String: String] = ["app": "web"],
        spec: JSONValue? = nil
    ) -> Pod {
        var object = MemoryCluster.pod(name, node: node.isEmpty ? nil : node, spec: spec ?? [:])
        object.namespace = "default"
        object.uid = "uid-\(name)"
        object.labels = labels
        object.value[["metadata", "creationTimestamp"]] = .string(Timestamp(seconds: createdAt).text)
        var conditions = Conditions(nil)
        conditions.set(StatusCondition("Ready", isReady, at: Timestamp(seconds: readyAt)))
        object.value["status"] = [
            "phase": .string(phase), "conditions": conditions.value,
            "containerStatuses": [["name": "main", "restartCount": JSONValue(restarts)]],
        ]
        if !ip.isEmpty { object.value[["status", "podIP"]] = .string(ip) }
        return Pod(object)
    }

    var beingDeleted: Pod {
        var pod = self
        pod.object.value[["metadata", "deletionTimestamp"]] = .string(Timestamp(seconds: 200).text)
        return pod
    }

    func annotated(_ name: String, _ value: String) -> Pod {
        var pod = self
        pod.object.annotations[name] = value
        return pod
    }
}

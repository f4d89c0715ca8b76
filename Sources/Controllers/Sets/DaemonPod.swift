import KubeModel

/// The pods of a DaemonSet: bound to a node by its name, and patient with nodes in trouble.
enum DaemonPod {
    /// What the pods bear besides what the template says.
    static func tolerations(_ spec: JSONValue?) -> [JSONValue] {
        var list = spec?["tolerations"]?.array ?? []
        func add(_ name: String, _ effect: String) {
            let toleration: JSONValue = [
                "key": .string("node.kubernetes.io/\(name)"), "operator": "Exists", "effect": .string(effect),
            ]
            list.removeAll { $0["key"] == toleration["key"] && $0["effect"] == toleration["effect"] }
            list.append(toleration)
        }
        add("not-ready", "NoExecute")
        add("unreachable", "NoExecute")
        for pressure in ["disk-pressure", "memory-pressure", "pid-pressure", "unschedulable"] {
            add(pressure, "NoSchedule")
        }
        if spec?["hostNetwork"] == true { add("network-unavailable", "NoSchedule") }
        return list
    }

    static func make(_ set: DaemonSet, node: String, hash: String) -> KubeObject {
        var pod = PodControl.pod(from: set.template, owner: set.object)
        pod.labels[StatefulSet.revisionLabel] = hash
        pod.labels[DaemonSet.generationLabel] = set.templateGeneration
        pod.value[["spec", "tolerations"]] = .array(tolerations(set.template["spec"]))
        let field: JSONValue = ["key": "metadata.name", "operator": "In", "values": [.string(node)]]
        let path = ["spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"]
        // Each term of the template is narrowed to the node; fields of the template would contradict.
        var terms = pod.value[path + ["nodeSelectorTerms"]]?.array ?? []
        if terms.isEmpty { terms = [[:]] }
        pod.value[path] = [
            "nodeSelectorTerms": .array(
                terms.map { term in
                    var term = term
                    term["matchFields"] = [field]
                    return term
                })
        ]
        return pod
    }

    /// The node that a pod runs on, or is meant for.
    static func node(of pod: Pod) -> String {
        if pod.isScheduled { return pod.nodeName }
        let path = [
            "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms",
        ]
        for term in pod.spec[path]?.array ?? [] {
            for field in term["matchFields"]?.array ?? [] where field["key"] == "metadata.name" {
                if let name = field["values"]?.array?.first?.string { return name }
            }
        }
        return ""
    }

    /// Whether a node gets a pod of the set, and whether one that is there may stay.
    static func eligibility(_ set: DaemonSet, on node: KubeObject) -> (runs: Bool, stays: Bool) {
        let spec = set.template["spec"]
        if let wanted = spec?["nodeName"]?.string, !wanted.isEmpty, wanted != node.name { return (false, false) }
        let match = NodeMatch(node)
        guard match.satisfies(spec) else { return (false, false) }
        let tolerations = tolerations(spec)
        if match.untolerated(by: tolerations, effects: ["NoExecute"]) != nil { return (false, false) }
        let isFree = match.untolerated(by: tolerations, effects: ["NoSchedule"]) == nil
        return (isFree, true)
    }
}

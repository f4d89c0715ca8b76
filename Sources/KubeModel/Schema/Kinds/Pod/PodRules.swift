/// Rules of a pod that concern more than one field.
enum PodRules {
    // MARK: Defaults

    /// The old name of the service account follows the new one; host ports follow container ports on the host's network.
    @Sendable
    static func completeSpec(_ spec: inout JSONValue) {
        if let account = spec["serviceAccountName"], account != "" {
            spec["serviceAccount"] = account
        } else if let account = spec["serviceAccount"], account != "" {
            spec["serviceAccountName"] = account
        }
        guard spec["hostNetwork"] == true else { return }
        for list in ["containers", "initContainers"] {
            spec.changeElements(list) { container in
                container.changeElements("ports") { port in
                    if port["hostPort"]?.int ?? 0 == 0 { port["hostPort"] = port["containerPort"] }
                }
            }
        }
    }

    /// What holds for pods but not for templates: requests follow limits, Services appear as variables.
    @Sendable
    static func completePod(_ pod: inout JSONValue) {
        pod.change("spec") { spec in
            spec.setDefault("enableServiceLinks", true)
            for list in ["containers", "initContainers"] {
                spec.changeElements(list) { container in
                    guard let limits = container[["resources", "limits"]]?.object else { return }
                    for (name, limit) in limits where container[["resources", "requests", name]] == nil {
                        container[["resources", "requests", name]] = limit
                    }
                }
            }
        }
    }

    /// What admission adds to a new pod: identity, priority, and patience with nodes in trouble.
    static func admit(_ pod: inout KubeObject) {
        pod.value.change("spec") { spec in
            spec.setDefault("serviceAccountName", "default")
            spec["serviceAccount"] = spec["serviceAccountName"]
            if spec["priority"] == nil { spec["priority"] = 0 }
            spec.setDefault("preemptionPolicy", "PreemptLowerPriority")
            var tolerations = spec["tolerations"]?.array ?? []
            for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
                let isTolerated = tolerations.contains {
                    ($0["key"] == .string(key) || JSONValue.isEmpty($0["key"]))
                        && ($0["effect"] == "NoExecute" || JSONValue.isEmpty($0["effect"]))
                }
                if isTolerated { continue }
                tolerations.append([
                    "key": .string(key), "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300,
                ])
            }
            spec["tolerations"] = .array(tolerations)
        }
    }

    /// What is known of a pod that nobody has looked at yet.
    static func initialStatus(_ pod: KubeObject) -> JSONValue {
        var status: JSONValue = ["phase": "Pending"]
        if !JSONValue.isEmpty(pod.value[["spec", "schedulingGates"]]) {
            status["conditions"] = [
                [
                    "type": "PodScheduled", "status": "False", "lastProbeTime": nil, "lastTransitionTime": nil,
                    "reason": "SchedulingGated",
                    "message": "Scheduling is blocked due to non-empty scheduling gates",
                ]
            ]
        }
        status["qosClass"] = .string(qosClass(pod))
        return status
    }

    /// `Guaranteed`, `Burstable` or `BestEffort`: who goes first when the node runs out of memory.
    static func qosClass(_ pod: KubeObject) -> String {
        let spec = pod.value["spec"]
        let containers = (spec?["containers"]?.array ?? []) + (spec?["initContainers"]?.array ?? [])
        var isBestEffort = true
        var isGuaranteed = true
        for container in containers {
            let resources = container["resources"]
            for name in ["cpu", "memory"] {
                let request = Quantity(resources?["requests"]?[name])
                let limit = Quantity(resources?["limits"]?[name])
                if request?.milliValue ?? 0 > 0 || limit?.milliValue ?? 0 > 0 { isBestEffort = false }
                if limit?.milliValue ?? 0 == 0 || request != limit { isGuaranteed = false }
            }
        }
        return isBestEffort ? "BestEffort" : isGuaranteed ? "Guaranteed" : "Burstable"
    }

    // MARK: Checks

    @Sendable
    static func check(_ pod: KubeObject, _ errors: inout [FieldError]) {
        let spec = pod.value["spec"] ?? [:]
        let path = FieldPath("spec")
        PodSpecRules.check(spec, ofPod: pod.name, &errors)
        if JSONValue.isEmpty(spec["serviceAccountName"]) { checkTokens(spec, path, &errors) }
        for list in ["containers", "initContainers"] {
            for (index, container) in spec.list(list).enumerated() {
                ContainerRules.checkImage(container, path.child(list)[index], &errors)
            }
        }
    }

    private static func checkTokens(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        for (index, volume) in spec.list("volumes").enumerated() {
            for (position, source) in (volume["projected"]?.list("sources") ?? []).enumerated()
            where source["serviceAccountToken"] != nil {
                errors.append(
                    .forbidden(
                        path.child("volumes")[index].child("projected", "sources")[position]
                            .child("serviceAccountToken"), "must not be specified when serviceAccountName is not set"))
            }
        }
    }

    /// What only a new pod is held to.
    @Sendable
    static func checkCreate(_ pod: KubeObject, _ errors: inout [FieldError]) {
        let spec = pod.value["spec"]
        if !JSONValue.isEmpty(spec?["ephemeralContainers"]) {
            errors.append(.forbidden(FieldPath("spec", "ephemeralContainers"), "cannot be set on create"))
        }
        if !JSONValue.isEmpty(spec?["nodeName"]), !JSONValue.isEmpty(spec?["schedulingGates"]) {
            errors.append(
                .forbidden(
                    FieldPath("spec", "nodeName"), "cannot be set until all schedulingGates have been cleared"))
        }
    }
}

extension JSONValue {
    /// Changes the elements of a list in place; does nothing if there is none.
    mutating func changeElements(_ key: String, _ body: (inout JSONValue) -> Void) {
        guard case .array(var elements)? = self[key] else { return }
        self[key] = .null
        for index in elements.indices { body(&elements[index]) }
        self[key] = .array(elements)
    }
}

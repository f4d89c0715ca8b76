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
    static func checkVolumeMounts(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        let volumes = Set((spec["volumes"]?.array ?? []).compactMap { $0["name"]?.string })
        for list in ["containers", "initContainers", "ephemeralContainers"] {
            for (index, container) in (spec[list]?.array ?? []).enumerated() {
                for use in ["volumeMounts", "volumeDevices"] {
                    for (position, mount) in (container[use]?.array ?? []).enumerated() {
                        guard let name = mount["name"]?.string, !name.isEmpty, !volumes.contains(name) else { continue }
                        let place = path.child(list)[index].child(use)[position].child("name")
                        errors.append(FieldError(.notFound, place, value: .string(name)))
                    }
                }
            }
        }
    }

    @Sendable
    static func checkContainerNames(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        var seen = Set((spec["containers"]?.array ?? []).compactMap { $0["name"]?.string })
        for list in ["initContainers", "ephemeralContainers"] {
            for (index, container) in (spec[list]?.array ?? []).enumerated() {
                guard let name = container["name"]?.string, !name.isEmpty else { continue }
                // Two init containers of one name were reported where the list was checked.
                if seen.contains(name) {
                    errors.append(.duplicate(path.child(list)[index].child("name"), .string(name)))
                }
            }
            seen.formUnion((spec[list]?.array ?? []).compactMap { $0["name"]?.string })
        }
        for (index, container) in (spec["containers"]?.array ?? []).enumerated() where container["restartPolicy"] != nil
        {
            errors.append(
                .forbidden(
                    path.child("containers")[index].child("restartPolicy"), "may not be set for non-init containers"))
        }
    }

    /// Only init containers that keep running (sidecars) have probes and hooks.
    @Sendable
    static func checkInitContainers(_ spec: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        for (index, container) in (spec["initContainers"]?.array ?? []).enumerated() {
            if container["restartPolicy"] == "Always" { continue }
            for name in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] where container[name] != nil {
                errors.append(
                    .forbidden(
                        path.child("initContainers")[index].child(name),
                        "may not be set for init containers without restartPolicy=Always"))
            }
        }
    }

    // MARK: Changes

    private static let mutableFields = """
        pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,\
        `spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),\
        `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)
        """

    @Sendable
    static func checkUpdate(
        _ pod: KubeObject, _ old: KubeObject, _ subresource: String?, _ errors: inout [FieldError]
    ) {
        guard subresource == nil, let spec = pod.value["spec"], let before = old.value["spec"] else { return }
        let path = FieldPath("spec")
        for list in ["containers", "initContainers"] {
            let kind = list == "containers" ? "containers" : "init containers"
            guard (spec[list]?.array?.count ?? 0) != (before[list]?.array?.count ?? 0) else { continue }
            errors.append(.forbidden(path.child(list), "pod updates may not add or remove \(kind)"))
            return
        }
        checkDeadline(spec, before, path, &errors)
        let kept = before["tolerations"]?.array ?? []
        let tolerations = spec["tolerations"]?.array ?? []
        if !kept.allSatisfy(tolerations.contains) {
            errors.append(
                .forbidden(
                    path.child("tolerations"), "existing toleration can not be modified except its tolerationSeconds"))
        }
        if fixedPart(of: spec) != fixedPart(of: before) { errors.append(.forbidden(path, mutableFields)) }
    }

    private static func checkDeadline(
        _ spec: JSONValue, _ before: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        let (new, old) = (spec["activeDeadlineSeconds"]?.int, before["activeDeadlineSeconds"]?.int)
        guard let old else { return }
        if let new, new > old {
            errors.append(
                .invalid(
                    path.child("activeDeadlineSeconds"), JSONValue(new), "must be less than or equal to previous value")
            )
        } else if new == nil {
            errors.append(
                .invalid(
                    path.child("activeDeadlineSeconds"), nil, "must not update from a positive integer to nil value"))
        }
    }

    /// The part of a pod's spec that never changes.
    private static func fixedPart(of spec: JSONValue) -> JSONValue {
        var spec = spec
        for list in ["containers", "initContainers"] { spec.changeElements(list) { $0["image"] = nil } }
        for name in ["activeDeadlineSeconds", "tolerations", "ephemeralContainers", "schedulingGates"] {
            spec[name] = nil
        }
        return spec
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

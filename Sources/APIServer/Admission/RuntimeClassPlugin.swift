import KubeModel

/// Pods of a runtime class get what the class says of its nodes and costs (`RuntimeClass`).
enum RuntimeClassPlugin {
    static func resolve(_ pod: inout KubeObject, _ request: AdmissionRequest, _ facts: AdmissionFacts) throws(Status) {
        var found: KubeObject?
        if let name = pod.value[["spec", "runtimeClassName"]]?.string {
            found = facts.object(.runtimeClasses, name)
            guard found != nil else {
                throw request.forbidden(pod, "pod rejected: RuntimeClass \(GoText.quote(name)) not found")
            }
        }
        try setOverhead(&pod, found?.value[["overhead", "podFixed"]], request)
        if let scheduling = found?.value["scheduling"] { try setScheduling(&pod, scheduling, request) }
    }

    private static func setOverhead(
        _ pod: inout KubeObject, _ overhead: JSONValue?, _ request: AdmissionRequest
    ) throws(Status) {
        let own = pod.value[["spec", "overhead"]]
        guard let overhead else {
            guard own?.object?.isEmpty ?? true else {
                throw request.forbidden(
                    pod, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead")
            }
            return
        }
        guard own == nil || amounts(own) == amounts(overhead) else {
            throw request.forbidden(
                pod, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
        }
        pod.value[["spec", "overhead"]] = overhead
    }

    /// Amounts are the same however they are written.
    private static func amounts(_ value: JSONValue?) -> [String: String] {
        var amounts: [String: String] = [:]
        for (name, amount) in value?.object ?? [:] {
            amounts[name] = Quantity(parsing: amount.string ?? amount.text)?.description
        }
        return amounts
    }

    private static func setScheduling(
        _ pod: inout KubeObject, _ scheduling: JSONValue, _ request: AdmissionRequest
    ) throws(Status) {
        for (key, value) in scheduling["nodeSelector"]?.object ?? [:] {
            let path = ["spec", "nodeSelector", key]
            if let own = pod.value[path], own != value {
                throw request.forbidden(
                    pod,
                    "conflict: runtimeClass.scheduling.nodeSelector[\(key)] = \(value.string ?? ""); "
                        + "pod.spec.nodeSelector[\(key)] = \(own.string ?? "")")
            }
            pod.value[path] = value
        }
        let wanted = scheduling["tolerations"]?.array ?? []
        guard !wanted.isEmpty else { return }
        var tolerations = pod.value[["spec", "tolerations"]]?.array ?? []
        for toleration in wanted where !tolerations.contains(toleration) { tolerations.append(toleration) }
        pod.value[["spec", "tolerations"]] = .array(tolerations)
    }
}

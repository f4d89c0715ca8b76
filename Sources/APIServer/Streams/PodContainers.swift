import KubeModel

/// Which container of a pod is meant when somebody wants to read from it or speak to it.
enum PodContainers {
    /// The container that is named, or the only one; 400 with the choice when that is not clear.
    ///
    /// The annotation for the default container is the client's business, as in Kubernetes.
    static func choose(_ wanted: String?, of pod: KubeObject) throws(Status) -> String {
        let names = ["initContainers", "containers", "ephemeralContainers"].flatMap { namesIn($0, pod) }
        guard let wanted, !wanted.isEmpty else {
            let main = namesIn("containers", pod)
            if main.count == 1 { return main[0] }
            throw .badRequest(
                "a container name must be specified for pod \(pod.name)"
                    + (main.isEmpty ? "" : ", choose one of: [\(names.joined(separator: " "))]"))
        }
        guard names.contains(wanted) else {
            throw .badRequest("container \(wanted) is not valid for pod \(pod.name)")
        }
        return wanted
    }

    private static func namesIn(_ list: String, _ pod: KubeObject) -> [String] {
        (pod.value[["spec", list]]?.array ?? []).compactMap { $0["name"]?.string }
    }
}

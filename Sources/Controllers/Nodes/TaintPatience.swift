import KubeModel

/// How long a pod may stay on a node with taints of effect `NoExecute` (Kubernetes docs, "Taints and Tolerations").
enum TaintPatience: Equatable, Sendable {
    /// No taint is against it, or it bears all of them.
    case forEver
    /// So long after the taints came; 0 when it does not bear one of them.
    case seconds(Int)

    init(_ pod: Pod, on node: KubeObject) {
        let taints = (node.value[["spec", "taints"]]?.array ?? []).filter { $0["effect"]?.string == "NoExecute" }
        let tolerations = pod.spec["tolerations"]?.array ?? []
        var least: Int?
        for taint in taints {
            guard let toleration = tolerations.first(where: { NodeMatch.bears($0, taint) }) else {
                self = .seconds(0)
                return
            }
            if let seconds = toleration["tolerationSeconds"]?.int { least = min(least ?? seconds, max(0, seconds)) }
        }
        self = least.map { .seconds($0) } ?? .forEver
    }
}

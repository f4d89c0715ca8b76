import KubeModel

extension KubeObject {
    /// The pods that an object stands for: a workload's own, a Service's, a node's.
    func pods(_ resource: ResourceType) -> BrowserQuery? {
        var query = BrowserQuery(.pods, namespace: namespace, owner: "\(resource.kind) \(name)")
        switch resource {
        case .nodes: query.fieldSelector = "spec.nodeName=\(name)"
        case .services:
            guard let selector = KubeService(self).selector else { return nil }
            query.labelSelector = selector.text
        case .replicationControllers: query.labelSelector = ReplicaSet(self).selector.text
        case .deployments, .replicaSets, .statefulSets, .daemonSets, .jobs:
            query.labelSelector = LabelSelector(value[["spec", "selector"]]).text
        default: return nil
        }
        return query
    }
}

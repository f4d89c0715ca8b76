import ContainerRuntime
import KubeClient
import KubeModel
import Kubelet

/// One of the nodes of a cluster; all of them are this process on this machine.
struct ClusterNode: Sendable {
    /// From 0 on.
    let number: Int

    static func all(_ count: Int) -> [ClusterNode] { (0..<count).map(ClusterNode.init) }

    /// `velocity`, `velocity-2`, `velocity-3`.
    var name: String { number == 0 ? ClusterServer.nodeName : "\(ClusterServer.nodeName)-\(number + 1)" }
    var address: IPv4Address { NodeNetwork.address(ofNode: number) }

    func configuration(_ directory: ClusterDirectory, _ settings: ClusterSettings) -> KubeletConfiguration {
        var configuration = KubeletConfiguration(
            nodeName: name, rootDirectory: directory.path,
            visiblePause: settings.pace == .lesson ? .milliseconds(700) : .zero, timeFactor: settings.timeFactor,
            capacity: MachineCapacity.measure(directory.path), nodeAddress: address.description,
            podNetwork: "\(NodeNetwork.pods(ofNode: number))/24", isControlPlane: number == 0)
        configuration.egress = settings.egress
        return configuration
    }

    /// Removes the nodes of an earlier start with more of them, and their pods.
    static func removeOthers(than nodes: [ClusterNode], _ client: any ClusterClient) async throws(Status) {
        let names = Set(nodes.map(\.name))
        let present = try await client.list(.nodes).items
        for node in present where node.labels[KubeletConfiguration.runtimeLabel] != nil && !names.contains(node.name) {
            let options = ListOptions(fieldSelector: "spec.nodeName=\(node.name)")
            for pod in try await client.list(.pods, namespace: nil, options: options).items {
                try await client.deleteIfPresent(
                    .pods, pod.name, in: pod.namespace, options: DeleteOptions(gracePeriodSeconds: 0))
            }
            try await client.deleteIfPresent(.nodes, node.name, in: nil)
        }
    }
}

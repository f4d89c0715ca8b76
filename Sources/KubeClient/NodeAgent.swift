public import KubeModel

/// What the API server needs of a node: the streams that come from its containers.
///
/// `Kubelet` implements it; `Cluster` hands it to the API server, so that no arrow points upwards.
public protocol NodeAgent: Sendable {
    /// The log of a container of `pod`, a `v1.Pod` that is bound to this node.
    func logs(of pod: KubeObject, options: LogOptions) async throws(Status) -> AsyncThrowingStream<[UInt8], any Error>
}

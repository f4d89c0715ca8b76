public import KubeModel

/// How a kubelet runs its node.
public struct KubeletConfiguration: Sendable {
    public var nodeName: String
    /// Where pods keep their volumes and logs.
    public var rootDirectory: String
    /// How long a state stays at least, so that people can see it; zero in tests.
    public var visiblePause: Duration
    /// Divides the waits that Kubernetes or a manifest prescribes.
    public var timeFactor: Double
    /// What the node offers: `cpu`, `memory`, `pods`, `ephemeral-storage`.
    public var capacity: [String: Quantity]
    /// The address under which the node shows itself.
    public var nodeAddress: String

    public init(
        nodeName: String, rootDirectory: String, visiblePause: Duration = .zero, timeFactor: Double = 1,
        capacity: [String: Quantity], nodeAddress: String
    ) {
        self.nodeName = nodeName
        self.rootDirectory = rootDirectory
        self.visiblePause = visiblePause
        self.timeFactor = timeFactor
        self.capacity = capacity
        self.nodeAddress = nodeAddress
    }

    /// A prescribed wait, as long as it is here.
    func prescribed(_ duration: Duration) -> Duration { timeFactor == 1 ? duration : duration / timeFactor }

    func prescribed(seconds: Int) -> Duration { prescribed(.seconds(seconds)) }
}

/// Gives pods their addresses and their way to DNS; the cluster's network implements it.
public protocol PodAddressing: Sendable {
    /// The address of a pod, the same for the same pod until it is released.
    func assign(podUID: String) throws -> String
    func release(podUID: String)
    /// Text of `/etc/resolv.conf` for a pod.
    func resolverConfiguration(for pod: Pod) -> String
}

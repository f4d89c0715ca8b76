public import ContainerRuntime
public import KubeModel

/// How a kubelet runs its node.
public struct KubeletConfiguration: Sendable {
    /// The level at which a node runs its pods; our nodes bear this label, and no others do.
    public static let runtimeLabel = "velocitylab.dev/runtime"

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
    /// The network of the node's pods, as its object says.
    public var podNetwork: String
    /// Whether the node is the one on which the control plane is said to be.
    public var isControlPlane: Bool
    /// Where pods may connect to outside of the cluster, for those who look at the node.
    public var egress = Egress.none

    /// What a pod keeps on this node's disk.
    func podDirectory(_ uid: String) -> String { "\(rootDirectory)/pods/\(uid)" }

    public init(
        nodeName: String, rootDirectory: String, visiblePause: Duration = .zero, timeFactor: Double = 1,
        capacity: [String: Quantity], nodeAddress: String, podNetwork: String = "10.244.0.0/24",
        isControlPlane: Bool = true
    ) {
        self.nodeName = nodeName
        self.rootDirectory = rootDirectory
        self.visiblePause = visiblePause
        self.timeFactor = timeFactor
        self.capacity = capacity
        self.nodeAddress = nodeAddress
        self.podNetwork = podNetwork
        self.isControlPlane = isControlPlane
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

public import ContainerRuntime

/// The addresses of a cluster's network, and where its API is on the host.
public struct ClusterNetworkConfiguration: Sendable, Hashable {
    /// First address of the first node's part of the pod network; what the datapath demands goes before it.
    ///
    /// Nil takes the default of the runtime level.
    public var podNetwork: IPv4Address?
    public var podPrefixLength: Int
    /// Each has a part of the pod network, one behind the other.
    public var nodeNames: [String]
    /// The cluster IP of DNS.
    public var dnsAddress: String
    /// What the names of Services end in.
    public var domain: String
    /// Where the ingress controller listens and what pods see it come from: an address that no node gives to a pod.
    public var ingressAddress: String
    /// The cluster IP of the Service `kubernetes`, and the port on it.
    public var apiAddress: String
    public var apiPort: Int
    /// The port of the API server on the host's 127.0.0.1; nil when it serves no network.
    public var apiHostPort: Int?
    /// Whether node ports are opened on the host.
    public var opensNodePorts: Bool
    /// Where pods may connect to outside of the cluster; it counts where pods have a network of their own.
    public var egress = Egress.none
    /// What pods send their packets to, and the port on it behind which the world outside is.
    public var gatewayAddress = IPv4Address(169, 254, 1, 1)
    public var egressPort = 15001

    public init(
        podNetwork: IPv4Address? = nil, podPrefixLength: Int = 24, nodeNames: [String] = ["velocity"],
        dnsAddress: String = "10.96.0.10",
        ingressAddress: String = "10.244.255.2",
        domain: String = "cluster.local", apiAddress: String = "10.96.0.1", apiPort: Int = 443, apiHostPort: Int? = nil,
        opensNodePorts: Bool = true
    ) {
        self.podNetwork = podNetwork
        self.podPrefixLength = podPrefixLength
        self.nodeNames = nodeNames
        self.dnsAddress = dnsAddress
        self.ingressAddress = ingressAddress
        self.domain = domain
        self.apiAddress = apiAddress
        self.apiPort = apiPort
        self.apiHostPort = apiHostPort
        self.opensNodePorts = opensNodePorts
    }

    /// Where pods get their addresses on `level`: processes without a network of their own live on loopback addresses.
    func podNetwork(on level: RuntimeLevel) -> IPv4Address {
        podNetwork ?? (level == .plain ? IPv4Address(127, 244, 0, 0) : IPv4Address(10, 244, 0, 0))
    }
}

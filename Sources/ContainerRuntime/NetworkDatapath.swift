/// Where a `StreamPump` has its connections into a cluster's network from.
public protocol SocketSource: Sendable {
    /// TCP sockets that have still to be connected, to a place of the cluster's network.
    ///
    /// The caller owns the descriptors; they are non-blocking and close-on-exec.
    /// - Parameter count: At most 64.
    func sockets(_ count: Int) async throws(RuntimeError) -> [Int32]

    /// Where such a socket has to connect to, to reach an address of the cluster; nil where nothing can be reached.
    func place(of address: String, port: Int) -> (address: IPv4Address, port: UInt16)?
}

/// The part of the runtime that carries packets: service rules, and sockets born where pods can be reached.
///
/// `ClusterNetwork` decides what the rules are; an implementation only installs them.
public protocol NetworkDatapath: SocketSource {
    /// Where pods must have their addresses; nil means wherever the cluster likes.
    var podNetwork: IPv4Address? { get }

    /// Replaces all service rules by these, atomically. Established connections survive.
    func apply(_ rules: [ServiceRule]) async throws(RuntimeError)

    /// Replaces what pods may send to each other, atomically. Established connections survive.
    func apply(_ policies: PolicyRules) async throws(RuntimeError)

    /// Brings TCP connections that pods make to addresses outside of the cluster to a socket that listens at `address` and `port`;
    /// what may leave at all, policies say, which are to be applied afterwards.
    ///
    /// - Returns: A packet socket for what else leaves, and for what comes back: each read and each write is one frame of
    ///   Ethernet. The caller owns it; nil where there is none.
    func divertOutgoing(to address: IPv4Address, port: Int) async throws(RuntimeError) -> Int32?

    /// A listening TCP socket, or a bound UDP socket, at an address inside the cluster's network.
    ///
    /// The caller owns the descriptor; it is non-blocking and close-on-exec.
    func listen(_ transport: TransportProtocol, address: String, port: Int) async throws(RuntimeError) -> Int32

    /// A TCP connection made inside the cluster's network (so that pod and service addresses are reachable).
    ///
    /// The connect has completed when this returns. The caller owns the descriptor; it is non-blocking and close-on-exec.
    /// - Parameter podUID: Connect from inside this pod's network instead (`127.0.0.1` is then the pod's own).
    func connect(address: String, port: Int, insidePod podUID: String?, timeout: Duration) async throws(ConnectError)
        -> Int32

    /// A TCP connection made inside the cluster's network from an address that stands for a pod (the ingress controller's).
    func connect(address: String, port: Int, from source: String, timeout: Duration) async throws(ConnectError) -> Int32
}

extension NetworkDatapath {
    public var podNetwork: IPv4Address? { nil }

    /// Without a network of its own there is nothing to enforce; `RuntimeLevel.reductions` says so.
    public func apply(_ policies: PolicyRules) async throws(RuntimeError) {}

    /// Without a network of their own, pods have nothing to be diverted from.
    public func divertOutgoing(to address: IPv4Address, port: Int) async throws(RuntimeError) -> Int32? { nil }

    public func sockets(_ count: Int) async throws(RuntimeError) -> [Int32] {
        throw .system("this network has no sockets")
    }

    public func place(of address: String, port: Int) -> (address: IPv4Address, port: UInt16)? {
        guard let address = IPv4Address(parsing: address), let port = UInt16(exactly: port) else { return nil }
        return (address, port)
    }

    /// The same as without `source`, where addresses of the cluster are not addresses of sockets.
    public func connect(address: String, port: Int, from source: String, timeout: Duration) async throws(ConnectError)
        -> Int32
    { try await connect(address: address, port: port, insidePod: nil, timeout: timeout) }
}

public enum TransportProtocol: String, Sendable, Hashable {
    case tcp = "TCP"
    case udp = "UDP"
}

/// One port of one Service, and where its traffic goes.
public struct ServiceRule: Sendable, Hashable {
    /// The cluster IP, an external IP that pods use, or where a node port or load balancer is.
    public var address: String
    public var port: Int
    public var transport: TransportProtocol
    /// Chosen at random for each connection; with none, a connection is refused.
    public var backends: [Backend]
    /// For how long a client stays with its backend after its last connection; 0: not at all.
    public var affinitySeconds = 0
    /// The network, a /24, whose packets it is for; nil: everybody's.
    ///
    /// Where there are rules for networks, what comes from others, or finds no backends, is dropped.
    public var source: IPv4Address?

    public struct Backend: Sendable, Hashable {
        public var address: String
        public var port: Int
        public init(address: String, port: Int) {
            self.address = address
            self.port = port
        }
    }

    public init(
        address: String, port: Int, transport: TransportProtocol, backends: [Backend], affinitySeconds: Int = 0,
        source: IPv4Address? = nil
    ) {
        self.address = address
        self.port = port
        self.transport = transport
        self.backends = backends
        self.affinitySeconds = affinitySeconds
        self.source = source
    }
}

/// Why a connection did not come about, in the words a probe reports.
public enum ConnectError: Error, Sendable, Hashable {
    case refused
    case timedOut
    case unreachable
    case system(String)
}

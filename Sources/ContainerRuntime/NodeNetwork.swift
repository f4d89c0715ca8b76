/// Where nodes and load balancers are: on loopback addresses, so that the same address and port lead to the same Service
/// from this machine and from pods.
///
/// This machine listens on them (`HostPortListeners`). A pod with a network of its own has a route for them out of it
/// (`pod.c`), and service rules lead on from there.
public enum NodeNetwork {
    /// More nodes would run nothing that these cannot: all are this machine.
    public static let nodesMax = 9

    /// The address of a node, counted from 0; in the half of the loopback range in which endpoints may be (`AddressRules`).
    public static func address(ofNode number: Int) -> IPv4Address { IPv4Address(127, 200, 0, UInt8(1 + number)) }

    /// The network of a node's pods, a /24.
    public static func pods(ofNode number: Int) -> IPv4Address { IPv4Address(10, 244, UInt8(number), 0) }

    /// What else the first node sends: this machine's own sockets, and what stands in for pods in the host process.
    public static let ownSources = [IPv4Address(169, 254, 1, 0), IPv4Address(10, 244, 255, 0)]

    /// The network of load balancers, a /16.
    public static let balancers = IPv4Address(127, 88, 0, 0)
}

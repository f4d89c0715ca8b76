/// Where a node and its load balancers are: on loopback addresses, so that the same address and port lead to the same Service
/// from this machine and from pods.
///
/// This machine listens on them (`HostPortListeners`). A pod with a network of its own has a route for them out of it
/// (`pod.c`), and service rules lead on from there.
public enum NodeNetwork {
    /// The node's address; in the half of the loopback range in which endpoints may be (`AddressRules`).
    public static let address = IPv4Address(127, 200, 0, 1)
    /// The network of load balancers, a /16.
    public static let balancers = IPv4Address(127, 88, 0, 0)
}

import Glibc

/// Where pods may connect to outside of the cluster.
public enum Egress: String, Sendable, CaseIterable {
    case none
    /// To servers of this machine, also those that listen on 127.0.0.1 alone.
    case host
    /// To servers of this machine, and to whatever this machine reaches.
    case outside

    /// The names of this machine in pods, as minikube and Docker Desktop have them.
    public static let hostNames = ["host.minikube.internal", "host.docker.internal"]
    /// What they mean.
    public static let hostAddress = IPv4Address(169, 254, 2, 1)

    /// Where a connection is made to that a pod wants to make; nil where it may not.
    package func target(of address: IPv4Address) -> IPv4Address? {
        if address == Self.hostAddress { return self == .none ? nil : IPv4Address(127, 0, 0, 1) }
        let first = address.bytes[0]
        // This network, loopback, link-local, and all that is no address of one machine.
        guard self == .outside, first != 0, first != 127, first < 224, address.number >> 16 != 0xA9FE else {
            return nil
        }
        return address
    }

    /// Whether this machine has a way to an address.
    package static func hasWay(to address: IPv4Address) -> Bool {
        let probe = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard probe >= 0 else { return false }
        defer { close(probe) }
        // A `sockaddr_in`. Nothing is sent by it.
        let place =
            withUnsafeBytes(of: UInt16(AF_INET)) { Array($0) } + [0, 9] + address.bytes
            + [UInt8](repeating: 0, count: 8)
        return place.withUnsafeBytes { bytes in
            bytes.bindMemory(to: sockaddr.self).baseAddress.map { connect(probe, $0, socklen_t(bytes.count)) == 0 }
        } ?? false
    }

    /// For people: what a cluster is started with.
    public var sentence: String? {
        switch self {
        case .none: nil
        case .host: "Pods reach servers of this machine, at the name \(Self.hostNames[0])."
        case .outside:
            "Pods reach the world outside by TCP, UDP\(EchoSocket.isAllowed ? " and ping" : ""), and servers of this machine at"
                + " the name \(Self.hostNames[0])."
                + (EchoSocket.isAllowed
                    ? "" : " For ping, too: sudo sysctl net.ipv4.ping_group_range='0 2147483647'.")
        }
    }
}

/// What `sandboxd` is told of the way out (see `nft.h`).
struct EgressTable: Sendable {
    let bytes: [UInt8]

    init(gateway: IPv4Address, port: Int, inside: [(network: IPv4Address, prefix: UInt8)]) {
        bytes =
            Array("VEG1".utf8) + gateway.bytes + [UInt8(port >> 8), UInt8(port & 255), UInt8(inside.count)]
            + inside.flatMap { $0.network.bytes + [$0.prefix] }
    }
}

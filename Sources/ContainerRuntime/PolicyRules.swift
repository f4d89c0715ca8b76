/// What NetworkPolicies mean for addresses: who may send what to whom.
///
/// A pod that no isolation names may do anything. One that is isolated in a direction may do what one of the allowances
/// says, and nothing else; both ends have to agree. Replies always pass, and so does the node.
public struct PolicyRules: Sendable, Hashable {
    public enum Direction: Sendable, Hashable {
        case ingress
        case egress
    }

    public struct Block: Sendable, Hashable {
        public var network: IPv4Address
        public var prefixLength: UInt8

        /// Reads `10.0.0.0/8`; nil for anything but an IPv4 network.
        public init?(parsing text: String) {
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let network = IPv4Address(parsing: parts[0]), let length = UInt8(parts[1]),
                length <= 32
            else { return nil }
            self.network = network
            prefixLength = length
        }
    }

    public enum Peer: Sendable, Hashable {
        case anybody
        /// Sorted; never empty.
        case pods([IPv4Address])
        case block(Block, except: [Block])
    }

    /// Ports of one transport protocol, by its number: 6, 17 or 132.
    public struct Ports: Sendable, Hashable {
        public var transport: UInt8
        public var numbers: ClosedRange<UInt16>

        public init(transport: UInt8, numbers: ClosedRange<UInt16>) {
            self.transport = transport
            self.numbers = numbers
        }
    }

    public struct Allowance: Sendable, Hashable {
        public var peer: Peer
        /// Nil: any protocol and port.
        public var ports: Ports?

        public init(peer: Peer, ports: Ports? = nil) {
            self.peer = peer
            self.ports = ports
        }
    }

    public struct Isolation: Sendable, Hashable {
        public var pod: IPv4Address
        public var direction: Direction
        public var allowed: [Allowance]

        public init(pod: IPv4Address, direction: Direction, allowed: [Allowance]) {
            self.pod = pod
            self.direction = direction
            self.allowed = allowed
        }
    }

    /// Sorted by pod, so that equal rules are equal.
    public var isolations: [Isolation]
    /// Addresses in the host process that are judged like those of pods: DNS, the ingress controller.
    public var locals: [IPv4Address]

    public init(isolations: [Isolation] = [], locals: [IPv4Address] = []) {
        self.isolations = isolations
        self.locals = locals
    }
}
